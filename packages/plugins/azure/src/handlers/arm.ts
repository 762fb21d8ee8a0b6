import { deviceError } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { type HttpsAnswer, retryAfterMs, withHttps } from '@contractor/driver/https'
import { until } from '@contractor/driver/until'
import { type HandlerContext, isContractorError, type Json } from '@contractor/plugin'
import type { Connection } from '../connection.ts'
import { type ArmFailure, armError } from './arm-error.ts'
import { askToken } from './token.ts'

export type Resource = { readonly [name: string]: Json }

/** A resource group, by Azure's Resource Manager. Answers other than good ones are coded errors, with its own words. */
export interface Arm {
  readonly name: string
  /** By the path of a resource of the group, as `Microsoft.Compute/virtualMachines/web`. Undefined where there is none. */
  find(path: string, query?: Readonly<Record<string, string>>): Promise<Resource | undefined>
  /** All of a kind, page by page; none where the group itself is not there. */
  list(path: string): Promise<Resource[]>
  /** Waits until it is done, however long that takes, and throws what went wrong. */
  change(method: 'PUT' | 'PATCH' | 'POST' | 'DELETE', path: string, change?: Change): Promise<void>
  until<T>(what: string, mostMs: number, look: () => Promise<T | undefined>): Promise<T>
}

export interface Change {
  body?: Json
  /** Only where there is none yet. */
  isNew?: boolean
  query?: Readonly<Record<string, string>>
}

export interface Pace {
  /** From one look to the next where Azure does not say it, in milliseconds. */
  everyMs: number
}

/** Of each provider the version whose shapes are written here. */
const versions: readonly [RegExp, string][] = [
  [/^Microsoft\.Network\//, '2024-05-01'],
  [/^Microsoft\.Compute\/disks(\/|$)/, '2024-03-02'],
  [/^Microsoft\.Compute\//, '2024-07-01'],
]
const operationMs = 1_500_000
const breaker = createBreaker()

export function withArm<T>(
  connection: Connection,
  { signal }: Pick<HandlerContext, 'signal'>,
  { everyMs }: Pace,
  work: (arm: Arm) => Promise<T>,
): Promise<T> {
  const { origin, hostname, port, pathname } = new URL(connection.management_endpoint)
  const name = `Azure at ${hostname}`
  const device = {
    ...{ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443), fingerprint: connection.fingerprint },
  }
  const group = `${pathname.replace(/\/$/, '')}/subscriptions/${connection.subscription_id}/resourceGroups/${connection.resource_group}`
  const urlOf = (path: string, query: Readonly<Record<string, string>> = {}) => {
    const version = versions.find(([pattern]) => pattern.test(path))?.[1] ?? ''
    return `${group}/providers/${path}?${new URLSearchParams({ 'api-version': version, ...query })}`
  }
  return breaker.guard(`${hostname}:${port}`, () =>
    withHttps(device, { signal, name }, async https => {
      let token: string | undefined
      const request = async (
        method: string,
        url: string,
        body?: Json,
        more: Record<string, string> = {},
      ): Promise<HttpsAnswer> => {
        const before = token
        token ??= await askToken(connection, signal)
        const headers = { Authorization: `Bearer ${token}`, ...more }
        const answer = await https.request(method, url, { headers, ...(body !== undefined && { body }) })
        // A token that was good is over in the middle of a long wait: another one is asked for, once.
        if (answer.status !== 401 || before === undefined) return answer
        token = undefined
        return request(method, url, body, more)
      }
      const good = async (method: string, url: string, { body, isNew = false }: Change = {}): Promise<HttpsAnswer> => {
        const answer = await request(method, url, body, isNew ? { 'If-None-Match': '*' } : {})
        if (answer.status < 300) return answer
        const { error = {} } = (answer.body ?? {}) as { error?: ArmFailure }
        const later = retryAfterMs(answer, Date.now())
        throw armError(name, `it answers ${answer.status} to ${method} ${url.split('?')[0]}`, error, {
          status: answer.status,
          later,
        })
      }
      const read = ({ body, text }: HttpsAnswer): Resource => {
        if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
        throw deviceError('DEVICE_ANSWER_INVALID', name, `its answer is no resource: ${text.slice(0, 100)}`)
      }
      /** Only from Azure itself: a token is shown to nobody else. */
      const ownPath = (url: string): string => {
        const to = new URL(url, origin)
        if (to.origin === origin) return to.pathname + to.search
        throw deviceError('DEVICE_ANSWER_INVALID', name, `it says to go on at ${to.origin}, which is somebody else`, {
          retryable: false,
        })
      }
      const settle = (what: string, begun: HttpsAnswer) =>
        awaitOperation({ name, signal, everyMs, what, get: url => good('GET', ownPath(url)) }, begun)
      return work({
        name,
        find: (path, query) =>
          good('GET', urlOf(path, query)).then(read, error => {
            if (isContractorError(error, 'NOT_FOUND')) return undefined
            throw error
          }),
        async list(path) {
          const found: Resource[] = []
          for (let next: string | undefined = urlOf(path); next !== undefined; ) {
            const page: Resource = await good('GET', next).then(read, error => {
              if (isContractorError(error, 'NOT_FOUND')) return { value: [] }
              throw error
            })
            if (!Array.isArray(page.value)) throw deviceError('DEVICE_ANSWER_INVALID', name, 'its answer is no list')
            found.push(...(page.value as Resource[]))
            next = typeof page.nextLink === 'string' && page.nextLink ? ownPath(page.nextLink) : undefined
          }
          return found
        },
        change: async (method, path, { query, ...change } = {}) =>
          settle(`${method} ${path}`, await good(method, urlOf(path, query), change)),
        until: (what, mostMs, look) => until(what, { device: name, signal, everyMs, mostMs }, look),
      })
    }),
  )
}

interface Waiting {
  name: string
  signal: AbortSignal
  everyMs: number
  what: string
  get(url: string): Promise<HttpsAnswer>
}

/**
 * A change that takes time says where it is looked at (https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations):
 * by an operation, whose answer is 200 also where it has failed; or by a place that answers 202 until it is over.
 */
async function awaitOperation({ name, signal, everyMs, what, get }: Waiting, begun: HttpsAnswer): Promise<void> {
  const { 'azure-asyncoperation': operation, location } = begun.headers
  const isTold = operation !== undefined || (begun.status === 202 && location !== undefined)
  if (!isTold) return
  let nextMs = retryAfterMs(begun, Date.now()) ?? everyMs
  await until(`Waiting for ${what}`, { device: name, signal, everyMs: () => nextMs, mostMs: operationMs }, async () => {
    const seen = await get(operation ?? location ?? '')
    nextMs = retryAfterMs(seen, Date.now()) ?? everyMs
    if (operation === undefined) return seen.status === 202 ? undefined : true
    const { status, error } = (seen.body ?? {}) as { status?: string; error?: ArmFailure }
    if (status === undefined) throw deviceError('DEVICE_ANSWER_INVALID', name, 'its operation has no status')
    if (status === 'Succeeded') return true
    if (status !== 'Failed' && status !== 'Canceled') return undefined
    throw new OperationFailed(armError(name, `${what} has ${status.toLowerCase()}`, error ?? { code: status }))
  }).catch(error => {
    throw error instanceof OperationFailed ? error.failure : error
  })
}

/** Whatever it is, the operation is over: it is not looked at again. */
class OperationFailed extends Error {
  readonly failure: Error
  constructor(failure: Error) {
    super(failure.message)
    this.failure = failure
  }
}
