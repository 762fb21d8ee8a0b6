import { type Clock, databaseClock } from '@contractor/core'
import { sql as raw } from 'drizzle-orm'

export const hourMs = 3_600_000

export interface ShiftedClock extends Clock {
  shiftMs: number
}

/** The database's clock, ahead of it by as much as is said, so that hours pass at once. */
export function createShiftedClock(): ShiftedClock {
  const clock: ShiftedClock = {
    shiftMs: 0,
    now: () => raw<Date>`(now() + ${clock.shiftMs}::float8 * interval '1 millisecond')`,
    sleep: databaseClock.sleep,
  }
  return clock
}
