import { asJson, type Json } from '@contractor/contract'
import {
  createState,
  inspect,
  type Program,
  parseState,
  progressAfterCall,
  run,
  type State,
  type Stop,
  withPendingState,
} from '@contractor/tscript'
import { type Call, call as callSchema } from '../../database/stored-call.ts'
import type { Engine } from '../../engine/engine.ts'
import { jobKind } from '../../graph/rules.ts'
import { targetRef } from '../../graph/target.ts'
import type { StateChange } from '../../graph/target-state.ts'
import { type Arrival, callOf, findCalled, isAwaited, receive } from '../call/call.ts'
import type { NewStep } from '../history/step.ts'
import { signaling } from '../module/signaling.ts'
import { hasReport } from '../signal/place-report.ts'
import type { NewTask } from '../task/add-tasks.ts'
import { createScriptHost, type WantedRequest } from './script-host.ts'
import {
  effectsOf,
  ended,
  eventOf,
  keep,
  masked,
  running,
  settleOut,
  stillStopped,
  stopped,
  type Transition,
  toStep,
  toTask,
  waits,
} from './transition.ts'
import { advanceUndoing } from './undo.ts'
import type { Work } from './work.ts'

/** How much work a script may do in one transaction before others get their turn. */
const stepBudget = 100_000

/**
 * One transition of one Job, as a pure function of what was read: deliver what arrived, run the script to its next stop, and
 * say what is to be written. An answer is delivered to the call that waits for just that one, and to no other.
 */
export function advance(engine: Engine, work: Work, arrival?: Arrival): Transition {
  const heeded = arrival && isHeeded(work, arrival) ? arrival : undefined
  const moved = work.job.undoing === null ? advanceScript(engine, work, heeded) : undo(engine, work, heeded)
  const transition = settleOut(work, moved)
  const answered = answeredStep(work, arrival, heeded === undefined)
  return masked(answered ? { ...transition, steps: [answered, ...(transition.steps ?? [])] } : transition)
}

function isHeeded({ job }: Work, arrival: Arrival): boolean {
  const current = job.undoing === null ? callOf(job.vm) : job.undoing.current
  return !arrival.task || isAwaited(current, arrival.task.request)
}

function advanceScript(engine: Engine, work: Work, arrival?: Arrival): Transition {
  const { job, nowMs } = work
  if (job.state === 'waiting') {
    if (!work.wait || work.wait.for !== undefined) return waits(work, work.wait?.for ?? job.message)
    const started = eventOf(work, 'job.started')
    const transition = runScript(engine, work, createState(work.program))
    const located: StateChange[] = work.wait.locates
      ? [{ to: 'located', foundation: work.target.foundation.locator }]
      : []
    return { ...transition, events: [started, ...transition.events], changes: [...located, ...transition.changes] }
  }
  let vm = parseState(job.vm, work.program)
  if (arrival || isTimerDue(vm, nowMs)) {
    const delivered = deliver(engine, work, vm, arrival ?? { kind: 'timer' })
    if (delivered.error !== undefined) {
      return job.state === 'queued' || job.state === 'paused'
        ? stopped(work, delivered.vm, 'error', delivered.error)
        : stillStopped(work, delivered.vm, delivered.error)
    }
    vm = delivered.vm
  }
  // What arrives for a paused Job is kept, and looked at when the operator resumes it.
  if (job.state !== 'queued') return keep(work, { vm })
  return runScript(engine, work, vm)
}

/** Goes on with the undoing of the Job's steps. */
function undo(engine: Engine, work: Work, arrival?: Arrival): Transition {
  const { id, vm, progress, state } = work.job
  const isStanding = state !== 'queued'
  if (isStanding && !arrival) return keep(work, {})
  const { kind, message, undone, wakeAtMs, wanted, undoing, effects } = advanceUndoing(engine, work, arrival)
  if (isStanding) {
    const kept =
      kind !== 'error'
        ? keep(work, {})
        : state === 'paused'
          ? stopped(work, vm, 'error', message)
          : stillStopped(work, vm, message)
    return { ...kept, job: { ...kept.job, undoing } }
  }
  const changed = effectsOf(work, effects)
  if (kind === 'over') {
    const over = { id, state: 'done', outcome: 'undone', vm: null, message: '', reason: null } as const
    return {
      job: { ...over, progress, wakeAtMs: null, undoing: null },
      events: [eventOf(work, 'job.undone')],
      changes: [],
      undone,
      over: ended(work),
      ...changed,
    }
  }
  const moved = kind === 'waiting' ? running(work, vm, message, wakeAtMs) : stopped(work, vm, kind, message)
  return {
    ...moved,
    job: { ...moved.job, undoing },
    undone,
    ...(wanted && { task: toTask(work, wanted) }),
    ...changed,
  }
}

/** What an agent did, or did not answer, for the history: also when nobody waits for it any more. */
function answeredStep(work: Work, arrival: Arrival | undefined, isLate: boolean): NewStep | undefined {
  if (!arrival?.task || (arrival.kind !== 'result' && arrival.kind !== 'failed' && arrival.kind !== 'lost'))
    return undefined
  const { task, module, function: name, params, agent, attempt, sinceMs } = arrival.task
  const reply = replyOf(arrival)
  const end = isLate && arrival.kind !== 'lost' ? 'late' : arrival.kind
  return toStep(work, { module, function: name, end, request: params, reply, agent, attempt, task, startedMs: sinceMs })
}

function replyOf(arrival: Arrival): Json {
  if (arrival.kind === 'result') return arrival.value
  if (arrival.kind === 'failed') return asJson(arrival.error)
  return arrival.kind === 'lost' ? (arrival.reason ?? null) : null
}

/** Moves the pending call on by what arrived. */
function deliver(engine: Engine, work: Work, vm: State, arrival: Arrival): { vm: State; error?: string } {
  const { pending } = vm
  if (!pending || pending.state === null) return { vm }
  const name = `${pending.module}.${pending.function}`
  const called = findCalled(engine.plugins, pending, work.target.foundation.type)
  if (!called)
    return {
      vm,
      error: `${name} is no longer provided by any plugin. Start this process with it, then reset the Job.`,
    }
  try {
    const received = receive(called, pending, callSchema.parse(pending.state), arrival, work.nowMs)
    const moved = withPendingState(vm, asJson(received.call))
    return 'error' in received ? { vm: moved, error: received.error } : { vm: moved }
  } catch (error) {
    return { vm, error: `${name} could not take what arrived (${arrival.kind}): ${messageOf(error)}` }
  }
}

function isTimerDue(vm: State, nowMs: number): boolean {
  const current = callOf(vm)
  return current?.wakeAt !== undefined && current.wakeAt <= nowMs
}

function runScript(engine: Engine, work: Work, before: State): Transition {
  const { program, target, config, structureConfig, pxes, nowMs, out } = work
  const host = createScriptHost({ engine, target, config, structureConfig, pxes, nowMs, out })
  let vm = run(program, before, host, { steps: stepBudget })
  let heard = 0
  const isWaiting = () => vm.stop?.kind === 'waiting' && vm.pending?.module === signaling.module
  // A report may have come before the script asked for it; each is for one wait.
  for (; isWaiting() && hasReport(work.job, work.job.waitsAnswered + heard + 1); heard += 1) {
    const delivered = deliver(engine, work, vm, { kind: 'signal' })
    vm = run(program, delivered.vm, host, { steps: stepBudget })
  }
  const moved = toTransition(work, vm, vm.stop, host.wanted)
  const steps = host.undoable.map((one): NewStep => toStep(work, { ...one, end: 'done' }))
  return {
    ...moved,
    ...(heard > 0 && { job: { ...moved.job, heard } }),
    ...(steps.length && { steps }),
    ...effectsOf(work, host.effects),
  }
}

function toTransition(work: Work, vm: State, stop: Stop | undefined, wanted: WantedRequest | undefined): Transition {
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
      const current = callOf(vm)
      const message = stop.message ?? describe(work.program, vm, nowMs)
      if (!current) return running(work, vm, message, stop.wakeAt === undefined ? nowMs : stop.wakeAt * 1000)
      return waiting(work, vm, { message, current, wanted, wakeAt: stop.wakeAt })
    }
  }
}

interface Waiting {
  message: string
  current: Call
  wanted: WantedRequest | undefined
  wakeAt: number | undefined
}

/** A call that waits: for a moment, for its next attempt, or for an agent. */
function waiting(work: Work, vm: State, { message, current, wanted, wakeAt }: Waiting): Transition {
  // The function's own moment, or the end of a block's max_time.
  const wakeAtMs = wakeAt === undefined ? null : wakeAt * 1000
  if (current.notBefore !== undefined && current.notBefore > work.nowMs) {
    const next = Math.min(current.notBefore, wakeAtMs ?? current.notBefore)
    return running(work, vm, `${message} (try ${current.failures + 1} follows)`, next)
  }
  const transition = running(work, vm, message, wakeAtMs)
  return wanted ? { ...transition, task: { ...toTask(work, wanted), ...spanOf(work, vm) } } : transition
}

/** Between which bounds the progress of a Task moves that of its Job. */
function spanOf({ program, nowMs }: Work, vm: State): Pick<NewTask, 'progressFrom' | 'progressTo'> {
  return { progressFrom: vm.progress, progressTo: progressAfterCall(program, vm, nowMs / 1000) }
}

function completed(work: Work): Transition {
  const { id, action } = work.job
  const kind = jobKind(action)
  const target = targetRef(work.target)
  const change = kind === 'utility' ? [] : [{ to: kind === 'create' ? 'built' : 'destroyed', ...target } as StateChange]
  return {
    job: {
      id,
      state: 'done',
      outcome: 'completed',
      vm: null,
      message: '',
      reason: null,
      progress: 100,
      wakeAtMs: null,
    },
    events: [eventOf(work, 'job.completed', { progress: 100 })],
    changes: change,
    over: target,
  }
}

/** What the script is at, in the words of its innermost block that has any. */
function describe(program: Program, vm: State, nowMs: number): string {
  const { blocks, line } = inspect(program, vm, nowMs / 1000)
  const described = blocks.map(block => block.description).filter(Boolean)
  return described.at(-1) ?? `Running line ${line}`
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
