import { sql } from 'drizzle-orm'
import type { Clock } from '../database/clock.ts'

/** A clock that stands still until it is told to go on. Give each engine of a test the same one. */
export interface ManualClock extends Clock {
  /** The moment that it shows. */
  readonly date: Date
  /** Goes on by so many milliseconds, and wakes whoever sleeps until then. */
  advance(ms: number): void
}

export function createManualClock(start: Date = new Date('2026-01-01T00:00:00Z')): ManualClock {
  let nowMs = start.getTime()
  const sleepers = new Set<{ untilMs: number; wake: () => void }>()
  return {
    get date() {
      return new Date(nowMs)
    },
    now: () => sql<Date>`${new Date(nowMs).toISOString()}::timestamptz`,
    sleep(ms, signal) {
      return new Promise(resolve => {
        const sleeper = {
          untilMs: nowMs + ms,
          wake() {
            sleepers.delete(sleeper)
            signal.removeEventListener('abort', sleeper.wake)
            resolve()
          },
        }
        if (ms <= 0 || signal.aborted) return resolve()
        sleepers.add(sleeper)
        signal.addEventListener('abort', sleeper.wake, { once: true })
      })
    },
    advance(ms) {
      nowMs += ms
      for (const sleeper of [...sleepers]) if (sleeper.untilMs <= nowMs) sleeper.wake()
    },
  }
}
