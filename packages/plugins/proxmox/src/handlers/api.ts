import { deviceError } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { type HttpsAnswer, type HttpsDevice, withHttps } from '@contractor/driver/https'
import type { Json } from '@contractor/plugin'
import type { z } from 'zod'
import type { Connection } from '../connection.ts'
import { toFailure } from './failures.ts'

/** Parameters as Proxmox takes them: what is undefined is left out, and a boolean is 1 or 0. */
export type Parameters = Readonly<Record<string, string | number | boolean | undefined>>

/** The API of a cluster, which one is logged in to. Answers other than good ones are coded errors, in Proxmox's own words. */
export interface Api {
  readonly name: string
  get<Data extends z.ZodType>(path: string, data: Data, parameters?: Parameters): Promise<z.output<Data>>
  /** What it answers with: the id of a task that goes on, or nothing. */
  send(method: 'POST' | 'PUT' | 'DELETE', path: string, parameters?: Parameters): Promise<string | null>
  /** What was said, without the secrets of the login and of what is made. */
  hide(text: string): string
}

const root = '/api2/json'
const breaker = createBreaker()

export function withApi<T>(
  connection: Connection,
  { signal, secrets = [] }: { signal: AbortSignal; secrets?: readonly (string | null)[] },
  work: (api: Api) => Promise<T>,
): Promise<T> {
  const name = `Proxmox ${connection.host}`
  return withHttps(connection, { signal, name }, device =>
    work(createApi(guarded(device, connection), connection, secrets)),
  )
}

/** Each request by itself: that a task has taken too long, or another node is off, does not make this one silent. */
const guarded = (device: HttpsDevice, { host, port }: Connection): HttpsDevice => ({
  name: device.name,
  request: (...given) => breaker.guard(`${host}:${port}`, () => device.request(...given)),
})

function createApi(device: HttpsDevice, connection: Connection, more: readonly (string | null)[]): Api {
  const { name } = device
  const login = createLogin(device, connection)
  const secrets = [connection.password, connection.token_secret, ...more].filter(one => one !== null)
  const hide = (text: string) => secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
  const request = async (method: string, path: string, parameters: Parameters = {}): Promise<HttpsAnswer> => {
    const form = toForm(parameters)
    const isInPath = method === 'GET' || method === 'DELETE'
    const query = isInPath && Object.keys(form).length ? `?${new URLSearchParams(form)}` : ''
    const headers = await login.headers(method)
    const answer = await device.request(method, `${root}${path}${query}`, { headers, ...(!isInPath && { form }) })
    return answer.status === 401 && login.forget() ? request(method, path, parameters) : answer
  }
  const dataOf = async (method: string, path: string, parameters?: Parameters): Promise<Json | undefined> => {
    const answer = await request(method, path, parameters)
    if (answer.status >= 300) throw toFailure(name, `${method} ${path}`, answer, hide)
    const { body } = answer
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body.data
    throw deviceError('DEVICE_ANSWER_INVALID', name, `${path} is no answer of its API: ${answer.text.slice(0, 100)}`)
  }
  return {
    name,
    hide,
    async get(path, data, parameters) {
      const parsed = data.safeParse(await dataOf('GET', path, parameters))
      if (parsed.success) return parsed.data
      const [issue] = parsed.error.issues
      const words = `${path} is not what its API says: ${issue?.path.join('.')} ${issue?.message}`
      throw deviceError('DEVICE_ANSWER_INVALID', name, words)
    },
    async send(method, path, parameters) {
      const data = await dataOf(method, path, parameters)
      return typeof data === 'string' && data.startsWith('UPID:') ? data : null
    },
  }
}

const toForm = (parameters: Parameters): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parameters).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, typeof value === 'boolean' ? String(Number(value)) : String(value)]],
    ),
  )

interface Login {
  headers(method: string): Promise<Readonly<Record<string, string>>>
  /** Whether another login is worth a try. */
  forget(): boolean
}

function createLogin(device: HttpsDevice, connection: Connection): Login {
  const { username, password, token_id: token, token_secret: secret } = connection
  if (token !== null && secret !== null) {
    const whole = token.includes('!') ? token : `${username}!${token}`
    const headers = { Authorization: `PVEAPIToken=${whole}=${secret}` }
    return { headers: async () => headers, forget: () => false }
  }
  let ticket: Ticket | undefined
  let logins = 0
  return {
    async headers(method) {
      if (!ticket) {
        logins++
        ticket = await logIn(device, username, password)
      }
      const cookie = { Cookie: `PVEAuthCookie=${encodeURIComponent(ticket.ticket)}` }
      return method === 'GET' ? cookie : { ...cookie, CSRFPreventionToken: ticket.token }
    },
    forget() {
      ticket = undefined
      return logins < 2
    },
  }
}

interface Ticket {
  ticket: string
  token: string
}

async function logIn(device: HttpsDevice, username: string, password: string | null): Promise<Ticket> {
  const { name } = device
  const unknown = (words: string) =>
    deviceError('DEVICE_UNAUTHENTICATED', name, `it does not let '${username}' in: ${words}`)
  if (password === null) throw unknown('neither a password nor a token with its secret is known of its Complex')
  const answer = await device.request('POST', `${root}/access/ticket`, { form: { username, password } })
  if (answer.status === 401) throw unknown(answer.reason)
  if (answer.status >= 300) throw toFailure(name, 'to log in', answer, text => text.replaceAll(password, '***'))
  const { data } = (answer.body ?? {}) as { data?: { ticket?: string; CSRFPreventionToken?: string; NeedTFA?: number } }
  if (data?.NeedTFA || data?.ticket?.startsWith('PVE:!tfa!'))
    throw deviceError('DEVICE_UNSUPPORTED', name, `'${username}' has a second factor: give its Complex an API token`)
  if (!data?.ticket || !data.CSRFPreventionToken)
    throw deviceError('DEVICE_ANSWER_INVALID', name, 'its answer to the login has no ticket')
  return { ticket: data.ticket, token: data.CSRFPreventionToken }
}
