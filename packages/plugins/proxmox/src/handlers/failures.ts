import { type DeviceErrorCode, deviceError } from '@contractor/driver'
import { type HttpsAnswer, retryAfterMs } from '@contractor/driver/https'
import { ContractorError } from '@contractor/plugin'

type Code = DeviceErrorCode | 'NOT_FOUND' | 'ALREADY_EXISTS'

/** What Proxmox says, in an answer or as a task's end, and what that means: the first row that fits. */
const failures: readonly { words: RegExp; code: Code }[] = [
  { words: /is locked \(|can't lock file|got timeout.*lock|trying to acquire lock/i, code: 'DEVICE_BUSY' },
  { words: /cfs[- ]lock|no quorum|not quorate/i, code: 'DEVICE_BUSY' },
  {
    words: /no space left|not enough (free )?(space|memory)|out of space|insufficient free space/i,
    code: 'DEVICE_FULL',
  },
  { words: /exceeds? .*quota|thin pool.*(full|exceed)|cannot allocate memory/i, code: 'DEVICE_FULL' },
  { words: /already exists|snapshot name '.*' already used/i, code: 'ALREADY_EXISTS' },
  { words: /does not exist|no such (vm|storage|node|volume|file|disk)|unable to find/i, code: 'NOT_FOUND' },
  { words: /not implemented|feature is not available|not supported/i, code: 'DEVICE_UNSUPPORTED' },
  { words: /got timeout|timed out|timeout/i, code: 'DEVICE_TIMED_OUT' },
]

/** Its own numbers for a node that does not answer the one that is asked: beyond those of HTTP. */
const proxyFailures = [595, 596, 599]

export const codeOf = (words: string): Code => failures.find(one => one.words.test(words))?.code ?? 'DEVICE_REFUSED'

/** A failure by what was said; of a task as of a request. */
export function failureOf(name: string, said: string, words: string, options: { retryAfterMs?: number } = {}): Error {
  const code = codeOf(words)
  if (code === 'NOT_FOUND' || code === 'ALREADY_EXISTS')
    return new ContractorError(code, `${name}: ${said}`, { kind: 'machine', id: '' })
  return deviceError(code, name, said, options)
}

/** What it says is in the reason phrase; which parameters are wrong, in the body. */
function wordsOf({ body, reason, status }: HttpsAnswer): string {
  const { errors, message } = (body ?? {}) as { errors?: Record<string, unknown>; message?: string }
  const wrong = Object.entries(errors ?? {}).map(([name, why]) => `${name}: ${String(why)}`)
  const words = (message?.trim() || reason.trim() || `status ${status}`).replace(/\.$/, '')
  return [words, ...wrong].join('; ')
}

export function toFailure(name: string, what: string, answer: HttpsAnswer, hide: (text: string) => string): Error {
  const { status } = answer
  const words = hide(wordsOf(answer))
  const said = `it answers ${status} to ${what} (${words})`
  const later = retryAfterMs(answer, Date.now())
  const options = later === undefined ? {} : { retryAfterMs: later }
  if (status === 401)
    return deviceError('DEVICE_UNAUTHENTICATED', name, `it does not know this user or token (${words})`)
  if (status === 403)
    return deviceError('DEVICE_REFUSED', name, `its user may not do that (${words}): give it a role that may`)
  if (proxyFailures.includes(status))
    return deviceError('DEVICE_UNREACHABLE', name, `the node that ${what} is for does not answer (${words})`, options)
  if (status === 501) return deviceError('DEVICE_UNSUPPORTED', name, said)
  if ([429, 502, 503, 504].includes(status)) return deviceError('DEVICE_BUSY', name, said, options)
  return failureOf(name, said, words, options)
}
