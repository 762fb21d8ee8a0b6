import { setTimeout as delay } from 'node:timers/promises'
import { type SQL, sql } from 'drizzle-orm'

/**
 * Where time comes from. Moments that are stored or compared are SQL expressions, so that all server processes of one
 * database agree on them; JavaScript only ever sleeps.
 */
export interface Clock {
  /** The present moment, as an expression inside a statement. */
  now(): SQL<Date>
  /** Resolves after so many milliseconds, or as soon as the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** It runs by itself, as fast as time: where it does not, it was set. A clock that tests turn is not. */
  readonly isSteady?: boolean
}

/** So many milliseconds from now. The text of a statement is the same for any number of them. */
export const momentAfter = (clock: Clock, ms: number): SQL<Date> =>
  sql<Date>`${clock.now()} + ${ms}::float8 * interval '1 millisecond'`

/** Longest delay that a JavaScript timer can hold, in milliseconds. */
const longestTimerMs = 2 ** 31 - 1

/** The database's own clock. */
export const databaseClock: Clock = {
  isSteady: true,
  now: () => sql<Date>`now()`,
  async sleep(ms, signal) {
    await delay(Math.min(Math.max(ms, 0), longestTimerMs), undefined, { signal }).catch(() => undefined)
  },
}
