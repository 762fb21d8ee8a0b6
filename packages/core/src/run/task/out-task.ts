import type { Json } from '@contractor/contract'

/** The Task of a Job that is out: laid out, and perhaps in an agent's hands. */
export interface OutTask {
  id: number
  /** The request of the call that it carries out. */
  request: string
  asks: { module: string; function: string; params: Json }
  isClaimed: boolean
  /** Nobody waits for its answer any more. */
  isRevoked: boolean
}

/**
 * What becomes of the Task that is out when its Job moves on:
 * - kept: its answer is awaited, now or once the Job goes on;
 * - withdrawn: nobody has begun it, and nobody will;
 * - revoked: an agent has it, is told that it is not wanted any more when it is next heard of, and nothing else is asked of
 *   anybody for this Job before it has let go of it;
 * - taken: its Job is over, so it is gone, whoever has it.
 */
export type TaskFate = 'kept' | 'revoked' | 'withdrawn' | 'taken'

export function fateOf(out: OutTask, isAwaited: boolean): TaskFate {
  if (out.isRevoked || isAwaited) return 'kept'
  return out.isClaimed ? 'revoked' : 'withdrawn'
}
