import type { TaskReports } from '@contractor/plugin/agent'
import type { ClaimedTask } from '@contractor/plugin/wire'

/**
 * A Task that this agent holds: `queued` behind the concurrency limit, `running` in its handler, `finished` with a result
 * that the server does not have yet. It is held, and its lease renewed, through all three.
 */
export interface HeldTask {
  readonly task: ClaimedTask
  phase: 'queued' | 'running' | 'finished'
  /** Aborted when the claim is lost, when it takes too long, and at the end of a shutdown. */
  readonly abort: AbortController
  /** By the agent's clock; infinite when it is lost and renewed no more. Sooner while there is something to tell. */
  renewAt: number
  /** What its handler tells. */
  readonly reports: TaskReports
}

/** By claim token: the same Task may be claimed anew while its lost claim still winds down. */
export type HeldTasks = Map<string, HeldTask>
