import { type EventType, holdsSecret, type Json, maskSecrets, maskText } from '@contractor/contract'
import type { State } from '@contractor/tscript'
import type { Call, Undoing } from '../../database/stored-call.ts'
import type { NewEvent } from '../../event/event.ts'
import { type JobRow, type TargetRef, targetRef } from '../../graph/target.ts'
import type { StateChange } from '../../graph/target-state.ts'
import { callOf, isAwaited } from '../call/call.ts'
import type { NewStep } from '../history/step.ts'
import type { NewTask } from '../task/add-tasks.ts'
import { fateOf, type TaskFate } from '../task/out-task.ts'
import { type Effects, hasEffects, type TargetEffects } from './effects.ts'
import type { WantedRequest } from './script-host.ts'
import type { Work } from './work.ts'

/**
 * What one step of a Job writes: all of it or none. Nothing here touches the database, so many Jobs advance between one
 * read and one write.
 */
export interface Transition {
  job: Pick<JobRow, 'id' | 'state' | 'outcome' | 'message' | 'reason' | 'progress'> & {
    vm: State | null
    wakeAtMs: number | null
    /** Where the undoing stands; absent: as it was, null: over. */
    undoing?: Undoing | null
    /** So many of the machine's reports have reached the script. */
    heard?: number
  }
  task?: Omit<NewTask, 'job'>
  /** What becomes of the Task that was out. */
  out?: { id: number; fate: TaskFate }
  events: NewEvent[]
  /** What the script changed in its target. */
  effects?: TargetEffects
  /** What the start or the end of the Job does to its target. */
  changes: StateChange[]
  /** What is added to the Job's history, and which steps of it are undone. */
  steps?: NewStep[]
  undone?: number[]
  /** The Job is over: what waits for that is woken. */
  over?: TargetRef
}

/** What was once reached is kept: a Task may have told more than the script knows of. */
const progressOf = ({ job }: Work, vm: State | null): number => Math.max(vm?.progress ?? 0, job.progress)

export function running(work: Work, vm: State | null, message: string, wakeAtMs: number | null): Transition {
  const progress = progressOf(work, vm)
  const moved = message !== work.job.message || Math.floor(progress) !== Math.floor(work.job.progress)
  return {
    job: { id: work.job.id, state: 'queued', outcome: null, vm, message, reason: null, progress, wakeAtMs },
    events: moved ? [eventOf(work, 'job.progress', { message, progress })] : [],
    changes: [],
  }
}

export function stopped(
  work: Work,
  vm: State | null,
  state: 'paused' | 'error' | 'aborted',
  message: string,
  line?: number,
): Transition {
  const progress = progressOf(work, vm)
  return {
    job: { id: work.job.id, state, outcome: null, vm, message, reason: message, progress, wakeAtMs: null },
    events: [eventOf(work, `job.${state}`, { message, progress, ...(line !== undefined && { line }) })],
    changes: [],
  }
}

/** One that stood still already, and has a further reason for it. */
export function stillStopped(work: Work, vm: State | null, error: string): Transition {
  const reason = work.job.reason ? `${work.job.reason}; ${error}` : error
  return keep(work, { vm, reason, message: reason })
}

/** The Job as it is, but for what is said. */
export function keep(work: Work, changes: Partial<Transition['job']>): Transition {
  const { id, state, outcome, vm, message, reason, progress } = work.job
  return {
    job: { id, state, outcome, vm: vm ?? null, message, reason, progress, wakeAtMs: null, ...changes },
    events: [],
    changes: [],
  }
}

export function waits(work: Work, message: string): Transition {
  const isTold = message === work.job.message
  return {
    ...keep(work, { message, reason: message }),
    events: isTold ? [] : [eventOf(work, 'job.waiting', { message })],
  }
}

export function eventOf(work: Work, type: EventType, data: NonNullable<NewEvent['data']> = {}): NewEvent {
  const { id, foundation, structure, dependency, action } = work.job
  return { type, by: 'foreman', job: id, foundation, structure, dependency, data: { action, ...data } }
}

export const ended = (work: Work): TargetRef => targetRef(work.target)

/** What is to be written of it, if anything. */
export function effectsOf({ job, target }: Work, effects: Effects): Pick<Transition, 'effects'> {
  if (!hasEffects(effects)) return {}
  const { foundation, structure } = target
  return { effects: { ...effects, job: job.id, foundation: foundation.locator, ...(structure && { structure }) } }
}

/** The Task that carries out what a call wants. */
export function toTask({ target }: Work, wanted: WantedRequest): Omit<NewTask, 'job'> {
  return { site: target.foundation.site, ...wanted }
}

export function toStep(
  work: Work,
  step: Omit<NewStep, 'job' | 'startedMs' | 'endedMs'> & { startedMs?: number },
): NewStep {
  return { startedMs: work.nowMs, ...step, job: work.job.id, endedMs: work.nowMs }
}

/** Says what becomes of the Task that is out; nothing else is laid out while an agent has it. */
export function settleOut({ out }: Work, transition: Transition): Transition {
  if (!out) return transition
  const { task, ...rest } = transition
  const { job } = transition
  const call: Call | undefined = job.undoing ? job.undoing.current : callOf(job.vm)
  const fate = job.outcome === null ? fateOf(out, isAwaited(call, out.request)) : 'taken'
  const next = fate === 'withdrawn' ? task : undefined
  return { ...rest, ...(next && { task: next }), ...(fate !== 'kept' && { out: { id: out.id, fate } }) }
}

/** A message is for people: a secret that a function has put into it is not. */
export function masked(transition: Transition): Transition {
  const { job, events } = transition
  if (!holdsSecret(job.message) && !holdsSecret(job.reason ?? '')) return transition
  const told = events.map(one => (one.data ? { ...one, data: maskSecrets(one.data as Record<string, Json>) } : one))
  const reason = job.reason === null ? null : maskText(job.reason)
  return { ...transition, job: { ...job, message: maskText(job.message), reason }, events: told }
}
