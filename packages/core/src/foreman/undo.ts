import { z } from 'zod'
import type { Engine } from '../engine/engine.ts'
import type { Json } from '../plugin/json.ts'
import { type Arrival, type Call, call, currentRequest, findCalled, receive } from './call.ts'
import type { Effects } from './effects.ts'
import { createScriptHost } from './script-host.ts'
import type { Work } from './work.ts'

/**
 * The undoing of a whole Job: its calls that can be undone, the last first. Each is a call like any other, which begins
 * in the state that the function's `undo` gives; the script is not run any more.
 */
export const undoing = z.object({
  left: z.array(z.object({ step: z.number().int(), module: z.string(), function: z.string(), call })),
  /** The call that undoes the first of these, once it has begun. */
  current: call.optional(),
})
export type Undoing = z.output<typeof undoing>

/** Where the undoing stands after one transition. */
export interface UndoStand {
  kind: 'over' | 'waiting' | 'paused' | 'error'
  undoing: Undoing
  message: string
  /** The steps that are undone now. */
  undone: number[]
  wakeAtMs: number | null
  task?: { module: string; function: string; params: Json; attempt: number }
  effects: Effects
}

/** Goes on with the undoing: delivers what arrived, and undoes one call after the other until one has to wait. */
export function advanceUndoing(engine: Engine, work: Work, arrival?: Arrival): UndoStand {
  const { left, current: begun } = undoing.parse(work.job.undoing)
  const { nowMs, target, config, pxes } = work
  const host = createScriptHost({ engine, target, config, pxes, nowMs })
  const undone: number[] = []
  let current = begun
  let arrived = arrival
  const stand = (kind: UndoStand['kind'], message: string, more: Partial<UndoStand> = {}): UndoStand => ({
    kind,
    undoing: { left, ...(current && { current }) },
    message,
    undone,
    wakeAtMs: null,
    effects: host.effects,
    ...more,
  })

  for (let first = left[0]; first; first = left[0]) {
    const name = `${first.module}.${first.function}`
    const pending = { module: first.module, function: first.function, arguments: {}, state: null }
    const called = findCalled(engine.plugins, pending, target.foundation.type)
    const undo = called?.definition.undo
    if (!called || !undo) return stand('error', `${name} cannot be undone any more: no plugin that is loaded can`)
    try {
      current ??= begin(engine.newId(), undo(called.definition.state.parse(first.call.state)))
      const due =
        arrived ?? (current.wakeAt !== undefined && current.wakeAt <= nowMs ? { kind: 'timer' as const } : undefined)
      arrived = undefined
      if (due) {
        const received = receive(called, pending, current, due, nowMs)
        current = received.call
        if ('error' in received) return stand('error', `Undoing ${name} failed: ${received.error}`)
      }
      const reply = host.call({ ...pending, state: current as never })
      if (reply.kind === 'value') {
        undone.push(first.step)
        left.shift()
        current = undefined
        continue
      }
      if (reply.kind !== 'pending') {
        const kind = reply.kind === 'paused' ? 'paused' : 'error'
        return stand(kind, kind === 'paused' ? reply.message : `Undoing ${name} failed: ${reply.message}`)
      }
      current = call.parse(reply.state)
      const message = `Undoing ${name}`
      if (current.notBefore !== undefined && current.notBefore > nowMs)
        return stand('waiting', message, { wakeAtMs: current.notBefore })
      const request = work.hasTask ? undefined : currentRequest(called, current)
      const wakeAtMs = current.wakeAt ?? null
      if (!request) return stand('waiting', message, { wakeAtMs })
      const task = { ...request, module: request.module ?? called.plugin.module, attempt: current.failures + 1 }
      return stand('waiting', message, { wakeAtMs, task })
    } catch (error) {
      return stand('error', `Undoing ${name} failed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return stand('over', '')
}

const begin = (id: string, state: unknown): Call => call.parse({ id, state, ask: 'request', failures: 0 })

/** What a `skip`, a `reset` and a `resume` make of it. */
export function skipFirst(value: unknown): Undoing {
  return { left: undoing.parse(value).left.slice(1) }
}

export function beginAgain(value: unknown): Undoing {
  return { left: undoing.parse(value).left }
}

export function resumeUndoing(engine: Engine, value: unknown, foundationType: string): Undoing {
  const { left, current } = undoing.parse(value)
  const first = left[0]
  if (!first || !current) return { left }
  const pending = { module: first.module, function: first.function, arguments: {}, state: null }
  const called = findCalled(engine.plugins, pending, foundationType)
  if (!called) return { left, current }
  return { left, current: receive(called, pending, current, { kind: 'resumed' }, 0).call }
}
