import type { Event, EventType } from '@contractor/contract'
import { subjectKind } from '@contractor/contract'
import type { event } from '../database/job-schema.ts'

/** A cursor is the event's place, which is what counts, and its id, by which cursors of earlier versions are understood. */
export const placeIn = (cursor: string): number => Number(cursor.split('-')[0])

export function toEvent(row: typeof event.$inferSelect): Event {
  const told = {
    cursor: `${row.place}-${row.id}`,
    at: row.at.toISOString(),
    type: row.type as EventType,
    by: row.by,
    subject: subjectOf(row),
    job: row.job,
    foundation: row.foundation,
    structure: row.structure,
    dependency: row.dependency,
    data: row.data,
  }
  // Written by recordEvents, which is given what its type has.
  return told as Event
}

/** Of four kinds the key stands in a column of its own, by which their events are found. */
function subjectOf(row: typeof event.$inferSelect): Event['subject'] {
  const kind = subjectKind(row.type)
  const own = { Job: row.job, Foundation: row.foundation, Structure: row.structure, Dependency: row.dependency }
  const id = Object.hasOwn(own, kind) ? own[kind as keyof typeof own] : row.subject
  return { kind, id: id ?? '', version: row.version }
}
