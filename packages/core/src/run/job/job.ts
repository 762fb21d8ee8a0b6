import type { EventType, JobView } from '@contractor/contract'
import type { JobRow } from '../../graph/target.ts'
import { shownStamps } from '../../noun/stamps.ts'

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
    ...shownStamps(row),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}
