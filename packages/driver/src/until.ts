import { setTimeout as delay } from 'node:timers/promises'
import { isContractorError } from '@contractor/plugin'
import { deviceError } from './device-error.ts'

export interface UntilOptions {
  /** Which device it is that is looked at, as messages call it. */
  device: string
  signal: AbortSignal
  /** From one look to the next, in milliseconds; asked after each, where that look tells. */
  everyMs: number | (() => number)
  /** How long it is looked, in milliseconds; after the end there is one more look. */
  mostMs: number
}

/** Up to this many times `everyMs` after failures in a row. */
const slowest = 16

/**
 * Looks until there is an answer, for handlers: what a function looks for by itself is `pollUntil`. A look that fails in a way
 * that passes is made again, ever later, and not before the device has said; another failure is thrown. Not within its time:
 * DEVICE_TIMED_OUT, with `what` was waited for.
 */
export async function until<T>(
  what: string,
  { device, signal, everyMs, mostMs }: UntilOptions,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const begun = performance.now()
  for (let failures = 0, askedMs = 0; ; ) {
    try {
      const found = await look()
      if (found !== undefined) return found
      failures = askedMs = 0
    } catch (error) {
      if (!isContractorError(error) || !error.retryable) throw error
      failures++
      askedMs = error.retryAfterMs ?? 0
    }
    if (performance.now() - begun >= mostMs)
      throw deviceError('DEVICE_TIMED_OUT', device, `${what}: not so within ${mostMs / 1000} s`)
    const usualMs = typeof everyMs === 'function' ? everyMs() : everyMs
    const waitMs = Math.max(askedMs, usualMs * Math.min(slowest, 2 ** failures))
    await delay(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}
