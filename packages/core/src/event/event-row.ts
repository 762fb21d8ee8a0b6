import type { Event, EventType } from '@contractor/contract'
import type { event } from '../database/job-schema.ts'

/** A cursor is the event's place, which is what counts, and its id, by which cursors of earlier versions are understood. */
export const placeIn = (cursor: string): number => Number(cursor.split('-')[0])

export function toEvent(row: typeof event.$inferSelect): Event {
  const told = {
    cursor: `${row.place}-${row.id}`,
    at: row.at.toISOString(),
    type: row.type as EventType,
    by: row.by,
    job: row.job,
    foundation: row.foundation,
    structure: row.structure,
    dependency: row.dependency,
    data: row.data,
  }
  // Written by recordEvents, which is given what its type has.
  return told as Event
}
