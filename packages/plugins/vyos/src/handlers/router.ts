import { deviceError } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { type HttpsAnswer, retryAfterMs, withHttps } from '@contractor/driver/https'
import { isContractorError, type Json } from '@contractor/plugin'
import type { Command, Connection } from '../tasks.ts'

/** A VyOS router, by its HTTPS API. Answers other than good ones are coded errors, in VyOS's own words. */
export interface Router {
  /** Below a path; null where there is none. */
  show(path: readonly string[]): Promise<Json>
  exists(path: readonly string[]): Promise<boolean>
  commit(commands: readonly Command[]): Promise<void>
  save(): Promise<void>
}

const breaker = createBreaker()
/** A commit starts and stops services, in milliseconds. */
const commitMs = 240_000

export function withRouter<T>(
  connection: Connection,
  { signal }: { signal: AbortSignal },
  work: (router: Router) => Promise<T>,
): Promise<T> {
  const { host, port, auth_key: key } = connection
  const name = `VyOS ${host}`
  return withHttps(connection, { signal, name }, device => {
    const ask = async (path: string, data: Json, timeoutMs = 60_000): Promise<Json> => {
      const form = { data: JSON.stringify(data), key }
      const answer = await breaker.guard(`${host}:${port}`, () => device.request('POST', path, { form, timeoutMs }))
      const { success, data: found, error } = (answer.body ?? {}) as { success?: boolean; data?: Json; error?: string }
      if (answer.status < 300 && success === true) return found ?? null
      if (answer.status < 300 && success === undefined)
        throw deviceError(
          'DEVICE_ANSWER_INVALID',
          name,
          `${path} is no answer of its API: ${answer.text.slice(0, 100)}`,
        )
      throw failureOf(name, path, answer, (error ?? '').replaceAll(key, '***'))
    }
    return work({
      async show(path) {
        try {
          return await ask('/retrieve', { op: 'showConfig', path: [...path] })
        } catch (error) {
          if (
            isContractorError(error, 'DEVICE_REFUSED') &&
            /path is empty|is not valid|does not exist/i.test(error.message)
          )
            return null
          throw error
        }
      },
      exists: async path => (await ask('/retrieve', { op: 'exists', path: [...path] })) === true,
      async commit(commands) {
        await ask(
          '/configure',
          commands.map(({ op, path }) => ({ op, path })),
          commitMs,
        )
      },
      async save() {
        await ask('/config-file', { op: 'save' })
      },
    })
  })
}

function failureOf(name: string, path: string, answer: HttpsAnswer, error: string): Error {
  const { status, reason } = answer
  const words = error.trim().replace(/\s+/g, ' ') || reason || 'it does not say why'
  const said = `it answers ${status} to ${path} (${words})`
  const later = retryAfterMs(answer, Date.now())
  const options = later === undefined ? {} : { retryAfterMs: later }
  if (status === 401 || status === 403 || /valid api key/i.test(words))
    return deviceError('DEVICE_UNAUTHENTICATED', name, `it does not know this key (${words})`)
  if (/no space left/i.test(words)) return deviceError('DEVICE_FULL', name, said)
  if (/another commit|commit in progress|config(uration)? .*locked|temporarily locked/i.test(words))
    return deviceError('DEVICE_BUSY', name, said, options)
  if ([404, 405, 501].includes(status))
    return deviceError('DEVICE_UNSUPPORTED', name, `${said}: its API is not enabled, or older than this`)
  if ([429, 502, 503, 504].includes(status)) return deviceError('DEVICE_BUSY', name, said, options)
  return deviceError('DEVICE_REFUSED', name, said)
}
