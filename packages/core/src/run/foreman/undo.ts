import { type Call, call, type Undoing, undoing } from '../../database/stored-call.ts'
import type { Engine } from '../../engine/engine.ts'
import { type Arrival, type CalledFunction, callOf, findCalled, receive } from '../call/call.ts'
import type { Undoable } from '../history/step.ts'
import type { Effects } from './effects.ts'
import { createScriptHost, type WantedRequest } from './script-host.ts'
import type { Work } from './work.ts'

/** Where the undoing stands after one transition. */
export interface UndoStand {
  kind: 'over' | 'waiting' | 'paused' | 'error'
  undoing: Undoing
  message: string
  /** The steps that are undone now. */
  undone: number[]
  wakeAtMs: number | null
  wanted?: WantedRequest | undefined
  effects: Effects
}

/** Goes on with the undoing: delivers what arrived, and undoes one call after the other until one has to wait. */
export function advanceUndoing(engine: Engine, work: Work, arrival?: Arrival): UndoStand {
  const isStanding = work.job.state !== 'queued'
  const kept = undoing.parse(work.job.undoing)
  const { nowMs, target, config, structureConfig, pxes, out } = work
  const host = createScriptHost({ engine, target, config, structureConfig, pxes, nowMs, out })
  const undone: number[] = []
  let { first, current } = kept
  let arrived = arrival
  const stand = (kind: UndoStand['kind'], message: string, more: Partial<UndoStand> = {}): UndoStand => ({
    kind,
    undoing: { ...(first && { first }), ...(current && { current }) },
    message,
    undone,
    wakeAtMs: null,
    effects: host.effects,
    ...more,
  })

  const steps = [...work.undoable]
  for (let next: Undoable | undefined = first ?? steps.shift(); next; next = steps.shift()) {
    const name = `${next.module}.${next.function}`
    const pending = { module: next.module, function: next.function, arguments: {}, state: null }
    const called = findCalled(engine.plugins, pending, target.foundation.type)
    if (!called) return stand('error', `${name} cannot be undone any more: no plugin that is loaded can`)
    try {
      current ??= beginUndo(engine.newId(), called, next.call)
      if (!current)
        return stand('error', `${name} cannot be undone: ${next.call.failed ?? 'its function knows no way'}`)
      const isDue = current.wakeAt !== undefined && current.wakeAt <= nowMs
      const due: Arrival | undefined = arrived ?? (isDue ? { kind: 'timer' } : undefined)
      arrived = undefined
      if (due) {
        const received = receive(called, pending, current, due, nowMs)
        current = received.call
        if ('error' in received) return stand('error', `Undoing ${name} failed: ${received.error}`)
      }
      // What arrives for a Job that stands still is kept, and looked at when it goes on.
      if (isStanding) return stand('waiting', work.job.message)
      const reply = host.call({ ...pending, state: current as never })
      if (reply.kind === 'value') {
        if (next.step === undefined) first = undefined
        else undone.push(next.step)
        current = undefined
        continue
      }
      if (reply.kind !== 'pending') {
        const kind = reply.kind === 'paused' ? 'paused' : 'error'
        return stand(kind, kind === 'paused' ? reply.message : `Undoing ${name} failed: ${reply.message}`)
      }
      current = call.parse(reply.state)
      const isEarly = current.notBefore !== undefined && current.notBefore > nowMs
      const wakeAtMs = (isEarly ? current.notBefore : current.wakeAt) ?? null
      return stand('waiting', `Undoing ${name}`, { wakeAtMs, wanted: host.wanted })
    } catch (error) {
      return stand('error', `Undoing ${name} failed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  // Not all were read: the rest follows at once.
  return work.hasMoreUndoable ? stand('waiting', 'Undoing', { wakeAtMs: nowMs }) : stand('over', '')
}

/** The call that undoes another one: by its `undo` where that was done, by its `rollback` where it failed half-way. */
function beginUndo(id: string, { definition }: CalledFunction, done: Call): Call | undefined {
  const state: unknown = definition.state.parse(done.state)
  const back = definition.outcome(state).kind === 'done' ? definition.undo : definition.rollback
  return back && call.parse({ id, state: back(state), ask: 'request', failures: 0 })
}

/**
 * Where an undoing begins: with the call that is under way, if something of it may have been done. One that was done, and
 * whose value the script has not had yet, is undone like a step; of one that failed or is unknown, its function knows how
 * to take it back, or the undoing stops there and says what is unknown.
 */
export function beginUndoing(engine: Engine, vm: unknown, foundationType: string): Undoing {
  const state = vm as Parameters<typeof callOf>[0]
  const pending = state?.pending
  const current = callOf(state)
  if (!pending || !current) return {}
  const called = findCalled(engine.plugins, pending, foundationType)
  if (!called) return {}
  const { definition } = called
  const { kind } = definition.outcome(definition.state.parse(current.state))
  const isDone = kind === 'done'
  // It has been taken back already.
  if (kind === 'undone' || (isDone && current.takesBack !== undefined)) return {}
  const isUnknown = current.failed !== undefined || current.ask === 'observe'
  const counts = isDone ? definition.undo !== undefined : isUnknown || (definition.rollback && current.asked > 0)
  return counts ? { first: { module: pending.module, function: pending.function, call: current } } : {}
}

/** What a `reset` makes of one that has failed. */
export function beginAgain(value: unknown): Undoing {
  const { first } = undoing.parse(value)
  return first ? { first } : {}
}

/** Whether the call that undoes has failed, so that trying again is to begin it anew. */
export function hasUndoFailed(engine: Engine, value: unknown, latest: Undoable | undefined, type: string): boolean {
  const { first, current } = undoing.parse(value)
  const undone = first ?? latest
  if (!undone || !current) return true
  const pending = { module: undone.module, function: undone.function, arguments: {}, state: null }
  const definition = findCalled(engine.plugins, pending, type)?.definition
  if (!definition || current.failed !== undefined) return true
  return definition.outcome(definition.state.parse(current.state)).kind === 'error'
}

export function resumeUndoing(
  engine: Engine,
  value: unknown,
  latest: Undoable | undefined,
  type: string,
  nowMs: number,
  resumed: Arrival & { kind: 'resumed' },
): Undoing {
  const kept = undoing.parse(value)
  const { first, current } = kept
  const undone = first ?? latest
  if (!undone || !current) return beginAgain(value)
  const pending = { module: undone.module, function: undone.function, arguments: {}, state: null }
  const called = findCalled(engine.plugins, pending, type)
  return called ? { ...kept, current: receive(called, pending, current, resumed, nowMs).call } : kept
}
