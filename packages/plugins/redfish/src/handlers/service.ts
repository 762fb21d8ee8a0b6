import { deviceError } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { type HttpsAnswer, type HttpsDevice, retryAfterMs, withHttps } from '@contractor/driver/https'
import { ContractorError, type Json } from '@contractor/plugin'
import type { Connection } from '../connection.ts'

export type Resource = { readonly [name: string]: Json }

/** A Redfish service that one is logged in to (DMTF DSP0266). Answers other than good ones are coded errors. */
export interface Service {
  readonly name: string
  get(path: string): Promise<Resource>
  /** Undefined where there is none. */
  find(path: string): Promise<Resource | undefined>
  post(path: string, body: Json): Promise<HttpsAnswer>
  /** Reads for an ETag first, and again for each try. */
  patch(path: string, body: Json): Promise<void>
  delete(path: string): Promise<void>
}

const root = '/redfish/v1'
const sessions = `${root}/SessionService/Sessions`
const breaker = createBreaker()
/** How often a change is tried whose resource changes meanwhile. */
const patchAttempts = 3

/** Logs in, works, and logs out whatever comes of it: a BMC has room for some sessions only. */
export function withService<T>(
  connection: Connection,
  { signal, isTested = false }: { signal: AbortSignal; isTested?: boolean },
  work: (service: Service) => Promise<T>,
): Promise<T> {
  const name = `BMC ${connection.host}`
  const run = () =>
    withHttps(connection, { signal, name }, async device => {
      const login = createLogin(device, connection)
      try {
        return await work(createService(device, login))
      } finally {
        await login.end()
      }
    })
  return isTested ? run() : breaker.guard(`${connection.host}:${connection.port}`, run)
}

interface Login {
  headers(): Promise<Readonly<Record<string, string>>>
  /** Whether another login is worth a try. */
  forget(): boolean
  end(): Promise<void>
}

function createLogin(device: HttpsDevice, { username, password }: Connection): Login {
  let headers: Readonly<Record<string, string>> | undefined
  let session: string | undefined
  let logins = 0
  const open = async () => {
    logins++
    const answer = await device.request('POST', sessions, { body: { UserName: username, Password: password } })
    const token = answer.headers['x-auth-token']
    if (answer.status < 300 && token !== undefined) {
      session = pathOf(answer.headers.location ?? (answer.body as Resource | null)?.['@odata.id'])
      return { 'X-Auth-Token': token }
    }
    if (![404, 405, 501].includes(answer.status)) throw failureOf(device.name, 'to log in', answer)
    return { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
  }
  return {
    async headers() {
      headers ??= await open()
      return headers
    },
    forget() {
      headers = undefined
      session = undefined
      return logins < 2
    },
    async end() {
      // It ends by itself, later, where this does not reach it.
      if (session !== undefined)
        await device.request('DELETE', session, { headers: headers ?? {}, timeoutMs: 5000 }).catch(() => undefined)
    },
  }
}

/** A Location is a path, or a whole URL. */
const pathOf = (location: unknown): string | undefined =>
  typeof location === 'string' && location ? new URL(location, 'https://bmc').pathname : undefined

function createService(device: HttpsDevice, login: Login): Service {
  const { name } = device
  const send = async (
    method: string,
    path: string,
    body?: Json,
    more: Record<string, string> = {},
  ): Promise<HttpsAnswer> => {
    const headers = { 'OData-Version': '4.0', ...(await login.headers()), ...more }
    const answer = await device.request(method, path, { headers, ...(body !== undefined && { body }) })
    return answer.status === 401 && login.forget() ? send(method, path, body, more) : answer
  }
  const good = async (method: string, path: string, body?: Json) => {
    const answer = await send(method, path, body)
    if (answer.status >= 300) throw failureOf(name, `${method} ${path}`, answer)
    return answer
  }
  const read = (answer: HttpsAnswer, path: string): Resource => {
    const { body } = answer
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
    throw deviceError('DEVICE_ANSWER_INVALID', name, `${path} is no resource: ${answer.text.slice(0, 100)}`)
  }
  return {
    name,
    get: async path => read(await good('GET', path), path),
    async find(path) {
      const answer = await send('GET', path)
      if (answer.status === 404 || answer.status === 405) return undefined
      if (answer.status >= 300) throw failureOf(name, `GET ${path}`, answer)
      return read(answer, path)
    },
    post: (path, body) => good('POST', path, body),
    async patch(path, body) {
      for (let attempt = 1; ; attempt++) {
        const before = await good('GET', path)
        const etag = before.headers.etag ?? (before.body as Resource | null)?.['@odata.etag']
        const match: Record<string, string> =
          typeof etag === 'string' && etag.replace(/^W\//, '') !== '""' && etag ? { 'If-Match': etag } : {}
        const answer = await send('PATCH', path, body, match)
        if (answer.status < 300) return
        if (answer.status !== 412 || attempt === patchAttempts) throw failureOf(name, `PATCH ${path}`, answer)
      }
    },
    async delete(path) {
      await good('DELETE', path)
    },
  }
}

/** What the service says of it: the messages of its extended information (DSP0266, section 8.6). */
function wordsOf({ body, text, status }: HttpsAnswer): { words: string; ids: string } {
  const { error } = (body ?? {}) as {
    error?: { message?: string; '@Message.ExtendedInfo'?: { Message?: string; MessageId?: string }[] }
  }
  const infos = error?.['@Message.ExtendedInfo'] ?? []
  const messages = infos.flatMap(one => (one.Message ? [one.Message] : []))
  return {
    words: (messages.join(' ') || error?.message || text.slice(0, 200) || `status ${status}`).trim(),
    ids: infos.map(one => one.MessageId ?? '').join(' '),
  }
}

export function failureOf(name: string, what: string, answer: HttpsAnswer): Error {
  const { status } = answer
  const { words, ids } = wordsOf(answer)
  const said = `it answers ${status} to ${what} (${words})`
  const later = retryAfterMs(answer, Date.now())
  const options = later === undefined ? {} : { retryAfterMs: later }
  if (status === 401)
    return deviceError('DEVICE_UNAUTHENTICATED', name, `it does not know this user or this password (${words})`)
  if (status === 404) return new ContractorError('NOT_FOUND', `${name}: ${said}`, { kind: 'resource', id: what })
  if (
    /ActionNotSupported|PropertyUnknown|PropertyNotWritable|NotSupported|ValueNotInList/.test(ids) ||
    status === 405 ||
    status === 501
  )
    return deviceError('DEVICE_UNSUPPORTED', name, said)
  if (
    /SessionLimitExceeded|ResourceInUse|ServiceTemporarilyUnavailable|ResourceNotReady/.test(ids) ||
    [409, 429, 503].includes(status)
  )
    return deviceError('DEVICE_BUSY', name, said, options)
  if (status === 507 || /InsufficientStorage/.test(ids)) return deviceError('DEVICE_FULL', name, said)
  if (status >= 500) return deviceError('DEVICE_BUSY', name, said, options)
  return deviceError('DEVICE_REFUSED', name, said)
}
