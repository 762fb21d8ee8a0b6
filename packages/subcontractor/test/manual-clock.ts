import type { Clock } from '@contractor/plugin/agent'
import { createRecord } from './record.ts'

/** Time that passes when the test says so. */
export interface ManualClock extends Clock {
  /** Lets time pass; timers that fall due run in their order, at their time. */
  advance(ms: number): void
  /** Lets time pass until the next timer runs; nothing happens when there is none. */
  advanceToNext(): void
  /** How many timers wait. */
  pending(): number
  /** Somebody begins to wait for this long. */
  nextTimer(delayMs: number): Promise<number>
  /** Lets time pass bit by bit until the promise is settled; throws when an hour was not enough. */
  advanceUntil<T>(promise: Promise<T>): Promise<T>
}

export function createManualClock(): ManualClock {
  let now = 0
  const delays = createRecord<number>()
  let timers: { at: number; run: () => void }[] = []

  function advanceTo(end: number): void {
    for (;;) {
      const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      timers = timers.filter(timer => timer !== next)
      now = Math.max(now, next.at)
      next.run()
    }
    now = end
  }

  return {
    now: () => now,
    setTimer(delayMs, run) {
      const timer = { at: now + delayMs, run }
      timers.push(timer)
      delays.add(delayMs)
      return () => {
        timers = timers.filter(other => other !== timer)
      }
    },
    advance: ms => advanceTo(now + ms),
    advanceToNext() {
      if (timers.length > 0) advanceTo(Math.min(...timers.map(({ at }) => at)))
    },
    pending: () => timers.length,
    nextTimer: delayMs => delays.next(delay => delay === delayMs),
    async advanceUntil(promise) {
      let settled = false
      const settle = () => {
        settled = true
      }
      promise.then(settle, settle)
      const end = now + 3_600_000
      while (!settled) {
        if (now > end) throw new Error('An hour of manual time has passed, and what was waited for has not come')
        await new Promise(resolve => setImmediate(resolve))
        if (!settled) advanceTo(now + 50)
      }
      return promise
    },
  }
}
