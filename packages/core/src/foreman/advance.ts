import {
  createState,
  inspect,
  type Program,
  parseState,
  run,
  type State,
  type Stop,
  withPendingState,
} from '@contractor/tscript'
import type { Engine } from '../engine/engine.ts'
import type { EventType, NewEvent } from '../event/event.ts'
import { jobKind } from '../job/rules.ts'
import type { NewStep } from '../job/step.ts'
import { type JobRow, type TargetRef, targetRef } from '../job/target.ts'
import type { TaskRequest } from '../plugin/define-task.ts'
import { asJson, type Json } from '../plugin/json.ts'
import { holdsSecret, maskSecrets, maskText } from '../plugin/secret.ts'
import { signaling } from '../signal/signaling.ts'
import type { StateChange } from '../target-state.ts'
import { type Arrival, type Call, call as callSchema, currentRequest, findCalled, receive } from './call.ts'
import { type Effects, hasEffects, type TargetEffects } from './effects.ts'
import { createScriptHost } from './script-host.ts'
import { advanceUndoing, type Undoing } from './undo.ts'
import type { Work } from './work.ts'

/**
 * One transition of one Job, as a pure function of what was read: deliver what arrived, run the script to its next
 * stop, and say what is to be written. Nothing here touches the database, so many Jobs advance between one read and
 * one write.
 */
export interface Transition {
  job: Pick<JobRow, 'id' | 'state' | 'outcome' | 'message' | 'progress'> & {
    vm: State | null
    wakeAtMs: number | null
    /** It has to wait for its start. */
    waits?: boolean
    /** What is left of the undoing; absent: as it was. */
    undoing?: Undoing | null
    /** The machine's report has reached the script. */
    heard?: boolean
  }
  task?: { site: string; module: string; function: string; params: Json; attempt: number }
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

/** How many instructions a script may do in one transaction before others get their turn. */
const stepBudget = 100_000

/** When a Job that has to wait looks again first, until it cannot have missed anything, in milliseconds; then later and later. */
const lookAgainMs = 250

export function advance(engine: Engine, work: Work, arrival?: Arrival): Transition {
  const transition = work.job.undoing === null ? advanceScript(engine, work, arrival) : undo(engine, work, arrival)
  const answered = answeredStep(work, arrival)
  return masked(answered ? { ...transition, steps: [answered, ...(transition.steps ?? [])] } : transition)
}

/** A message is for people: a secret that a function has put into it is not. */
function masked(transition: Transition): Transition {
  const { job, events } = transition
  if (!holdsSecret(job.message)) return transition
  const told = events.map(one => (one.data ? { ...one, data: maskSecrets(one.data) } : one))
  return { ...transition, job: { ...job, message: maskText(job.message) }, events: told }
}

function advanceScript(engine: Engine, work: Work, arrival?: Arrival): Transition {
  const { job, nowMs } = work
  if (job.state === 'waiting') {
    if (!work.wait || work.wait.for !== undefined)
      return waits(work, work.wait?.for ?? job.message, work.wait?.settled ?? false)
    const started = event(work, 'job.started')
    const transition = runScript(engine, work, createState(work.program))
    const located: StateChange[] = work.wait.locates
      ? [{ to: 'located', foundation: work.target.foundation.locator }]
      : []
    return { ...transition, events: [started, ...transition.events], changes: [...located, ...transition.changes] }
  }
  let vm = parseState(job.vm, work.program)
  if (arrival || isTimerDue(vm, nowMs)) {
    const delivered = deliver(engine, work, vm, arrival ?? { kind: 'timer' })
    if (delivered.error !== undefined) return stopped(work, delivered.vm, 'error', delivered.error)
    vm = delivered.vm
  }
  // What arrives for a paused Job is kept, and looked at when the operator resumes it.
  if (job.state !== 'queued') return keep(work, { vm: vm })
  return runScript(engine, work, vm)
}

/** Goes on with the undoing of the Job's steps. */
function undo(engine: Engine, work: Work, arrival?: Arrival): Transition {
  const { id, vm, progress, state } = work.job
  const keepAsIs = state !== 'queued'
  const stand = advanceUndoing(engine, work, arrival)
  const { kind, message, undone, wakeAtMs, task } = stand
  const undoing = stand.undoing
  const changed = effectsOf(work, stand.effects)
  if (kind === 'over') {
    const over = targetRef(work.target)
    const ended = { id, state: 'done', outcome: 'undone', vm: null, message: '', progress, wakeAtMs: null } as const
    return {
      job: { ...ended, undoing: null },
      events: [event(work, 'job.undone')],
      changes: [],
      undone,
      over,
      ...changed,
    }
  }
  const next = kind === 'waiting' ? (keepAsIs ? state : 'queued') : kind
  const { site } = work.target.foundation
  const told: EventType = kind === 'waiting' ? 'job.progress' : `job.${kind}`
  return {
    job: { id, state: next, outcome: null, vm: vm ?? null, message, progress, wakeAtMs, undoing },
    events: message === work.job.message ? [] : [event(work, told, { message, progress })],
    changes: [],
    undone,
    ...(task && !keepAsIs && { task: { site, ...task } }),
    ...changed,
  }
}

/** What an agent did, or did not answer, for the history. */
function answeredStep(work: Work, arrival: Arrival | undefined): NewStep | undefined {
  if (!arrival?.task || (arrival.kind !== 'result' && arrival.kind !== 'failed' && arrival.kind !== 'lost'))
    return undefined
  const { module, function: name, params, agent, attempt, sinceMs } = arrival.task
  const reply = arrival.kind === 'result' ? arrival.value : arrival.kind === 'failed' ? arrival.error : null
  return toStep(work, {
    module,
    function: name,
    end: arrival.kind,
    request: params,
    reply,
    agent,
    attempt,
    startedMs: sinceMs,
  })
}

function toStep(work: Work, step: Omit<NewStep, 'job' | 'startedMs' | 'endedMs'> & { startedMs?: number }): NewStep {
  return { startedMs: work.nowMs, ...step, job: work.job.id, endedMs: work.nowMs }
}

/** Moves the pending call on by what arrived. */
function deliver(engine: Engine, work: Work, vm: State, arrival: Arrival): { vm: State; error?: string } {
  const { pending } = vm
  if (!pending || pending.state === null) return { vm }
  const called = findCalled(engine.plugins, pending, work.target.foundation.type)
  if (!called)
    return {
      vm,
      error: `${pending.module}.${pending.function} is no longer provided by any plugin. Start this process with it, then reset the Job.`,
    }
  try {
    const received = receive(called, pending, callSchema.parse(pending.state), arrival, work.nowMs)
    const moved = withPendingState(vm, asJson(received.call))
    return 'error' in received ? { vm: moved, error: received.error } : { vm: moved }
  } catch (error) {
    return {
      vm,
      error: `${pending.module}.${pending.function} could not take what arrived (${arrival.kind}): ${messageOf(error)}`,
    }
  }
}

function isTimerDue(vm: State, nowMs: number): boolean {
  const current = pendingCall(vm)
  return current?.wakeAt !== undefined && current.wakeAt <= nowMs
}

function pendingCall(vm: State): Call | undefined {
  return vm.pending && vm.pending.state !== null ? callSchema.parse(vm.pending.state) : undefined
}

function runScript(engine: Engine, work: Work, before: State): Transition {
  const { program, target, config, pxes, nowMs } = work
  const host = createScriptHost({ engine, target, config, pxes, nowMs })
  let vm = run(program, before, host, { steps: stepBudget })
  const heard = work.job.signalledAt !== null && vm.stop?.kind === 'waiting' && vm.pending?.module === signaling.module
  if (heard) {
    // The report may have come before the script asked for it.
    const delivered = deliver(engine, work, vm, { kind: 'signal' })
    vm = run(program, delivered.vm, host, { steps: stepBudget })
  }
  const moved = toTransition(engine, work, vm, vm.stop)
  const steps = host.undoable.map((one): NewStep => toStep(work, { ...one, end: 'done' }))
  return {
    ...moved,
    ...(heard && { job: { ...moved.job, heard } }),
    ...(steps.length && { steps }),
    ...effectsOf(work, host.effects),
  }
}

/** What is to be written of it, if anything. */
function effectsOf({ job, target }: Work, effects: Effects): Pick<Transition, 'effects'> {
  if (!hasEffects(effects)) return {}
  const { foundation, structure } = target
  return { effects: { ...effects, job: job.id, foundation: foundation.locator, ...(structure && { structure }) } }
}

function toTransition(engine: Engine, work: Work, vm: State, stop: Stop | undefined): Transition {
  const { nowMs } = work
  switch (stop?.kind) {
    case undefined:
    case 'budget':
      return running(work, vm, work.job.message, nowMs)
    case 'done':
      return completed(work)
    case 'paused':
    case 'error':
    case 'aborted':
      return stopped(work, vm, stop.kind, stop.message, stop.line)
    case 'waiting': {
      const current = pendingCall(vm)
      if (!vm.pending || !current) {
        const wakeAtMs = stop.wakeAt === undefined ? nowMs : stop.wakeAt * 1000
        return running(work, vm, stop.message ?? describe(work.program, vm, nowMs), wakeAtMs)
      }
      const message = stop.message ?? describe(work.program, vm, nowMs)
      // The function's own moment, or the end of a block's max_time.
      const wakeAtMs = stop.wakeAt === undefined ? null : stop.wakeAt * 1000
      if (current.notBefore !== undefined && current.notBefore > nowMs) {
        const next = Math.min(current.notBefore, wakeAtMs ?? current.notBefore)
        return running(work, vm, `${message} (try ${current.failures + 1} follows)`, next)
      }
      const called = findCalled(engine.plugins, vm.pending, work.target.foundation.type)
      let request: TaskRequest | undefined
      try {
        request = called && !work.hasTask ? currentRequest(called, current) : undefined
      } catch (error) {
        return stopped(
          work,
          vm,
          'error',
          `${vm.pending.module}.${vm.pending.function} could not say what it needs: ${messageOf(error)}`,
        )
      }
      const transition = running(work, vm, message, wakeAtMs)
      if (!called || !request) return transition
      const { site } = work.target.foundation
      const task = {
        site,
        module: request.module ?? called.plugin.module,
        function: request.function,
        params: request.params,
      }
      return { ...transition, task: { ...task, attempt: current.failures + 1 } }
    }
  }
}

function running(work: Work, vm: State, message: string, wakeAtMs: number | null): Transition {
  const { progress } = vm
  const moved = message !== work.job.message || Math.floor(progress) !== Math.floor(work.job.progress)
  return {
    job: { id: work.job.id, state: 'queued', outcome: null, vm: vm, message, progress, wakeAtMs },
    events: moved ? [event(work, 'job.progress', { message, progress })] : [],
    changes: [],
  }
}

function stopped(
  work: Work,
  vm: State,
  state: 'paused' | 'error' | 'aborted',
  message: string,
  line?: number,
): Transition {
  const { progress } = vm
  return {
    job: { id: work.job.id, state, outcome: null, vm: vm, message, progress, wakeAtMs: null },
    events: [event(work, `job.${state}`, { message, progress, ...(line !== undefined && { line }) })],
    changes: [],
  }
}

function completed(work: Work): Transition {
  const { id, action } = work.job
  const kind = jobKind(action)
  const target = targetRef(work.target)
  const change = kind === 'utility' ? [] : [{ to: kind === 'create' ? 'built' : 'destroyed', ...target } as StateChange]
  return {
    job: { id, state: 'done', outcome: 'completed', vm: null, message: '', progress: 100, wakeAtMs: null },
    events: [event(work, 'job.completed', { progress: 100 })],
    changes: change,
    over: target,
  }
}

function waits(work: Work, message: string, settled: boolean): Transition {
  const told = message === work.job.message
  const kept = keep(work, {
    message,
    waits: true,
    wakeAtMs: settled ? null : work.nowMs + Math.max(lookAgainMs, (work.nowMs - Number(work.job.createdAt)) / 2),
  })
  return { ...kept, events: told ? [] : [event(work, 'job.waiting', { message })] }
}

/** The Job as it is, but for what is said. */
function keep(work: Work, changes: Partial<Transition['job']>): Transition {
  const { id, state, outcome, vm, message, progress } = work.job
  return {
    job: { id, state, outcome, vm: vm ?? null, message, progress, wakeAtMs: null, ...changes },
    events: [],
    changes: [],
  }
}

function event(work: Work, type: EventType, data: NonNullable<NewEvent['data']> = {}): NewEvent {
  const { id, foundation, structure, dependency, action } = work.job
  return { type, by: 'foreman', job: id, foundation, structure, dependency, data: { action, ...data } }
}

/** What the script is at, in the words of its innermost block that has any. */
function describe(program: Program, vm: State, nowMs: number): string {
  const { blocks, line } = inspect(program, vm, nowMs / 1000)
  const described = blocks.map(block => block.description).filter(Boolean)
  return described.at(-1) ?? `Running line ${line}`
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
