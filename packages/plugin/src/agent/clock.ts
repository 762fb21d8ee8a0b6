/** Where the agent has time from, so that a test can hand it out. */
export interface Clock {
  /** Milliseconds; only differences mean anything. */
  now(): number
  /** Calls `run` once after `delayMs`. Returns what cancels it. */
  setTimer(delayMs: number, run: () => void): () => void
}

/** Node's timers take no more than this, and run at once what is later. */
const longestMs = 2 ** 31 - 1

/** The machine's own time, monotonic. A timer of more than 24 days runs early. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, longestMs))
    return () => clearTimeout(timer)
  },
}

/** Resolves after `delayMs`. Rejects with the signal's reason when that is aborted first. */
export function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => {
      cancel()
      reject(signal.reason)
    }
    const cancel = clock.setTimer(delayMs, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
