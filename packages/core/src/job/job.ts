import { z } from 'zod'
import type { EventType } from '../event/event.ts'
import type { JobRow } from './target.ts'

export const jobStates = ['waiting', 'queued', 'paused', 'error', 'aborted', 'done'] as const

export const jobView = z.object({
  id: z.number().int(),
  /** What it is for: exactly one of the three is set. */
  foundation: z.string().nullable(),
  structure: z.number().int().nullable(),
  dependency: z.number().int().nullable(),
  /** What the BluePrint calls its script: create, destroy, or a utility name. */
  action: z.string(),
  state: z.enum(jobStates),
  /** How it ended; null while it lives. */
  outcome: z.enum(['completed', 'cancelled', 'undone']).nullable(),
  /** What it is at, or what was last said of it. */
  message: z.string(),
  /** Why it stands still, while it waits, is paused, in error or aborted; null otherwise, and until it has been looked at. */
  reason: z.string().nullable(),
  /** Percent, 0 to 100. */
  progress: z.number(),
  createdBy: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
})
export type JobView = z.output<typeof jobView>

/** One thing that happened to a Job, as a watcher sees it. */
export interface JobEvent {
  cursor: string
  at: string
  type: EventType
  state: JobView['state']
  message: string
  progress: number
}

export function toJobView(row: JobRow): JobView {
  return {
    id: row.id,
    foundation: row.foundation,
    structure: row.structure,
    dependency: row.dependency,
    action: row.action,
    state: row.state,
    outcome: row.outcome,
    message: row.message,
    reason: row.reason,
    progress: Math.floor(row.progress),
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}
