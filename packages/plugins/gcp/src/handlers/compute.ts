import { deviceError } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { type HttpsAnswer, retryAfterMs, withHttps } from '@contractor/driver/https'
import { until } from '@contractor/driver/until'
import { ContractorError, type HandlerContext, isContractorError, type Json } from '@contractor/plugin'
import type { Connection } from '../connection.ts'
import { createCredentials } from './credentials.ts'

export type Resource = { readonly [name: string]: Json }

/** Compute Engine, its API version 1. Answers other than good ones are coded errors, with its own words. */
export interface Compute {
  readonly name: string
  project(): Promise<string | undefined>
  /** Below `projects/`. */
  get(path: string): Promise<Resource>
  /** Undefined where there is none. */
  find(path: string): Promise<Resource | undefined>
  send(method: 'POST' | 'DELETE', path: string, body?: Json): Promise<Resource>
  until<T>(what: string, mostMs: number, look: () => Promise<T | undefined>): Promise<T>
}

export interface Pace {
  /** From one look to the next, in milliseconds. */
  everyMs: number
}

const breaker = createBreaker()

export function withCompute<T>(
  connection: Connection,
  { signal }: Pick<HandlerContext, 'signal'>,
  { everyMs }: Pace,
  work: (compute: Compute) => Promise<T>,
): Promise<T> {
  const { hostname, port, pathname } = new URL(connection.endpoint)
  const name = `Compute Engine at ${hostname}`
  const credentials = createCredentials(connection, signal)
  const device = {
    ...{ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443), fingerprint: connection.fingerprint },
  }
  return breaker.guard(`${hostname}:${port}`, () =>
    withHttps(device, { signal, name }, async https => {
      let token: string | undefined
      const request = async (method: string, path: string, body?: Json): Promise<HttpsAnswer> => {
        const before = token
        token ??= await credentials.token()
        const url = `${pathname.replace(/\/$/, '')}/compute/v1/projects/${path}`
        const headers = { Authorization: `Bearer ${token}` }
        const answer = await https.request(method, url, { headers, ...(body !== undefined && { body }) })
        // A token that was good is over in the middle of a long wait: another one is asked for, once.
        if (answer.status !== 401 || before === undefined) return answer
        token = undefined
        return request(method, path, body)
      }
      const good = async (method: string, path: string, body?: Json): Promise<Resource> => {
        const answer = await request(method, path, body)
        if (answer.status >= 300) throw failureOf(name, `${method} ${path}`, answer)
        if (typeof answer.body === 'object' && answer.body !== null && !Array.isArray(answer.body)) return answer.body
        throw deviceError('DEVICE_ANSWER_INVALID', name, `its answer is no resource: ${answer.text.slice(0, 100)}`)
      }
      return work({
        name,
        project: credentials.project,
        get: path => good('GET', path),
        find: path =>
          good('GET', path).catch(error => {
            if (isContractorError(error, 'NOT_FOUND')) return undefined
            throw error
          }),
        send: good,
        until: (what, mostMs, look) => until(what, { device: name, signal, everyMs, mostMs }, look),
      })
    }),
  )
}

/** How Google's APIs say that something went wrong (https://cloud.google.com/apis/design/errors). */
function failureOf(name: string, what: string, answer: HttpsAnswer): Error {
  const { error } = (answer.body ?? {}) as {
    error?: { message?: string; errors?: { reason?: string; message?: string }[] }
  }
  const words = (error?.message || answer.text.slice(0, 200) || `status ${answer.status}`).trim()
  const reason = error?.errors?.[0]?.reason ?? ''
  const later = retryAfterMs(answer, Date.now())
  return codeError(name, reason, `it answers ${answer.status} to ${what} (${words})`, { status: answer.status, later })
}

/** The reasons of answers, and the codes of operations, by what is to be done. */
const groups: readonly [RegExp, 'DEVICE_BUSY' | 'DEVICE_FULL' | 'DEVICE_REFUSED' | 'DEVICE_UNSUPPORTED'][] = [
  [/^(userR|r)ateLimitExceeded$|^RATE_LIMIT_EXCEEDED$/, 'DEVICE_BUSY'],
  [
    /^resource(NotReady|InUse\w*)$|^RESOURCE_(NOT_READY|IN_USE\w*|OPERATION_RATE_EXCEEDED)$|^conditionNotMet$/,
    'DEVICE_BUSY',
  ],
  [/^(backendError|internalError)$|^INTERNAL_ERROR$|^SERVICE_UNAVAILABLE$/, 'DEVICE_BUSY'],
  [/quotaExceeded|limitExceeded|QUOTA_EXCEEDED|LIMIT_EXCEEDED|POOL_EXHAUSTED|STOCKOUT|SPACE_EXHAUSTED/i, 'DEVICE_FULL'],
  [/^unsupportedOperation$|^UNSUPPORTED_OPERATION$|^notImplemented$/, 'DEVICE_UNSUPPORTED'],
]

interface Details {
  status?: number
  /** When the API says to come back, in milliseconds. */
  later?: number | undefined
}

export function codeError(name: string, code: string, words: string, { status = 400, later }: Details = {}): Error {
  const options = later === undefined ? {} : { retryAfterMs: later }
  if (/not_?found/i.test(code) || status === 404)
    return new ContractorError('NOT_FOUND', `${name}: ${words}`, { kind: kindOf(words), id: '' })
  if (/already_?exists/i.test(code) || status === 409)
    return new ContractorError('ALREADY_EXISTS', `${name}: ${words}`, { kind: kindOf(words), id: '' })
  if (status === 401) return deviceError('DEVICE_UNAUTHENTICATED', name, words)
  if (/accessNotConfigured|SERVICE_DISABLED/.test(code))
    return deviceError('DEVICE_REFUSED', name, `${words}. Enable the Compute Engine API in the project`)
  const found = groups.find(([pattern]) => pattern.test(code))?.[1]
  if (found === 'DEVICE_BUSY') return deviceError('DEVICE_BUSY', name, words, options)
  if (found) return deviceError(found, name, words)
  if (status === 429 || status >= 500) return deviceError('DEVICE_BUSY', name, words, options)
  return deviceError('DEVICE_REFUSED', name, words)
}

/** What it is that is not there: as the path in Google's words names it. */
const kindOf = (words: string): string =>
  [
    ...words.matchAll(
      /(?:zones|global|regions)\/(?:[^/'\s]+\/)?(instances|images|networks|subnetworks|machineTypes|diskTypes|operations)\b/g,
    ),
  ].at(-1)?.[1] ?? 'resource'
