import { json } from '@contractor/contract'
import { z } from 'zod'

/**
 * A call of a plugin's function that is under way. It is kept inside the script's own state, so that there is one truth
 * of where a Job stands. The function's state moves on with replies only; around it the Foreman keeps what it needs to
 * ask again.
 */
export const call = z.object({
  /** The same for every attempt of the call. */
  id: z.string(),
  /** The function's own. */
  state: json,
  /** What is asked of the agent: to do it, or only to look whether it was done. */
  ask: z.enum(['request', 'observe']),
  /** Failures in a row, of this request. */
  failures: z.number().int(),
  /** How many requests it has made so far: each has an identity of its own. */
  asked: z.number().int().default(0),
  /** The identity of the request whose answer it waits for. What answers another one moves nothing. */
  awaits: z.string().optional(),
  /** Why the Foreman cannot go on with it, until an operator has said what is to be done. */
  failed: z.string().optional(),
  /** It takes itself back, by its function's `rollback`; why it had failed. When that is done, the Job stops there. */
  takesBack: z.string().optional(),
  /** Not to be asked before this moment, in milliseconds since the epoch. */
  notBefore: z.number().optional(),
  /** How often it is tried in all, once it is tried again. */
  attempts: z.number().int().optional(),
  /** The moment that the function waits for, in milliseconds since the epoch. */
  wakeAt: z.number().optional(),
})
export type Call = z.output<typeof call>

/**
 * The undoing of a whole Job: its calls that can be undone, the last first. Each is a call like any other, which begins
 * in the state that the function's `undo` gives; the script is not run any more.
 *
 * What is left is in the history: the steps that can be undone and are neither undone nor skipped. Only the call that was
 * under way when the undoing began is none of these yet, and comes first.
 */
const begun = z.object({ module: z.string(), function: z.string(), call })

export const undoing = z.object({
  /** The call that was under way, where something of it is to be undone. */
  first: begun.optional(),
  /** The call that undoes `first`, or else the latest step, once it has begun. */
  current: call.optional(),
})
export type Undoing = z.output<typeof undoing>
