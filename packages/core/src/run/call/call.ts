import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type Json, json, type WireError } from '@contractor/contract'
import {
  type AnyFunction,
  type FunctionPlugin,
  type Reply,
  type RetryPolicy,
  retryPolicy,
  type TaskDefinition,
  type TaskRequest,
} from '@contractor/plugin'
import type { PendingCall, State } from '@contractor/tscript'
import { z } from 'zod'
import { type Call, call } from '../../database/stored-call.ts'
import type { PluginRegistry } from '../../engine/plugin-registry.ts'

/** What an agent was asked. */
export interface AskedTask {
  /** The request that the Task carried out. */
  request: string
  /** Its id. */
  task: number
  module: string
  function: string
  params: Json
  agent: string
  attempt: number
  /** Milliseconds since the epoch. */
  sinceMs: number
}

/** What reaches a call from outside; with the Task that it answers, where there is one. */
export type Arrival = { task?: AskedTask } & (
  | { kind: 'result'; value: Json }
  | { kind: 'failed'; error: WireError }
  /** The agent that had the Task is not heard of any more, gave it back after it had begun, or took too long. */
  | { kind: 'lost'; agent: string; reason?: string }
  /** It could not even be handed out. */
  | { kind: 'refused'; reason: string }
  | { kind: 'timer' }
  | { kind: 'signal' }
  | { kind: 'resumed'; answer?: string }
)

/** How a Task is tried again that declares nothing of it. */
const usualRetry = retryPolicy.parse({})

/** How long to wait before the next try, in milliseconds. Of one call it is always the same: whoever asks twice is told the same. */
function backoffMs({ backoffMs: first, factor, mostMs, jitter }: RetryPolicy, { id, asked }: Call, failures: number) {
  const whole = Math.min(first * factor ** (failures - 1), mostMs)
  return Math.round(whole * (1 - jitter * chanceOf(`${id}/${asked}/${failures}`)))
}

/** From 0 to 1, by chance, and the same for the same text. */
const chanceOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32

/** After an arrival: the call goes on, or it cannot and an operator has to say what now. */
export type Received = { call: Call } | { call: Call; error: string }

export interface CalledFunction {
  plugin: FunctionPlugin
  definition: AnyFunction
  /** What it may ask of agents. */
  findTask: PluginRegistry['findTask']
}

export function findCalled(
  plugins: PluginRegistry,
  pending: PendingCall,
  foundationType: string,
): CalledFunction | undefined {
  const found = plugins.findFunction(pending.module, pending.function, foundationType)
  return found && { ...found, findTask: plugins.findTask }
}

/** The call that a script's state waits in. */
export function callOf(vm: Pick<State, 'pending'> | null): Call | undefined {
  const pending = vm?.pending
  return pending && pending.state !== null ? call.parse(pending.state) : undefined
}

/** Whether an answer to this request is what the call waits for. Requests of earlier versions have no identity. */
export const isAwaited = (call: Call | undefined, request: string): boolean =>
  call !== undefined && request === (call.awaits ?? '')

/** Takes the identity of the next request. */
export function nextRequest(call: Call): Call & { awaits: string } {
  const asked = call.asked + 1
  return { ...call, asked, awaits: `${call.id}/${asked}` }
}

/** The call whose request it is; empty for requests of earlier versions. */
export const callIdOf = (request: string): string => request.slice(0, Math.max(0, request.lastIndexOf('/')))

/** Whether two requests ask for the same. */
export function isSameRequest(one: TaskRequest | undefined, other: TaskRequest | undefined): boolean {
  if (!one || !other) return one === other
  // As JSON has them: one of the two may have been in the database.
  return isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)))
}

/** What to ask of an agent now, if anything. */
export function currentRequest({ definition }: CalledFunction, { state, ask }: Call): TaskRequest | undefined {
  const parsed: unknown = definition.state.parse(state)
  return ask === 'observe' ? definition.observe?.(parsed) : definition.request?.(parsed)
}

/** The Task that a request is for, where a plugin declares it. */
const taskOf = ({ plugin, findTask }: CalledFunction, asked: TaskRequest | undefined): TaskDefinition | undefined =>
  asked && findTask(asked.module ?? plugin.module, asked.function)

/** Moves a call on by what arrived. Pure: the same arrival on the same call gives the same. */
export function receive(
  called: CalledFunction,
  pending: PendingCall,
  current: Call,
  arrival: Arrival,
  nowMs: number,
): Received {
  const { definition } = called
  const name = `${pending.module}.${pending.function}`
  const { id, asked, takesBack } = current
  const own = { id, asked, ...(takesBack !== undefined && { takesBack }) }
  const moveOn = (reply: Reply): Call => {
    const before: unknown = definition.state.parse(current.state)
    const state = definition.receive
      ? json.parse(definition.state.parse(definition.receive(before, reply)))
      : current.state
    if (reply.kind === 'result' || reply.kind === 'failed') return { ...own, state, ask: 'request', failures: 0 }
    // An observation is no success: what is then asked again, and lost again, comes to its limit.
    if (reply.kind === 'observed') return { ...own, state, ask: 'request', failures: current.failures }
    // A timer, a signal and a resumed pause answer no request: what was asked is awaited, or looked for, until the function
    // asks for something else.
    const { wakeAt: _, ...open } = current
    const wants = (value: unknown) => definition.request?.(definition.state.parse(value))
    return isSameRequest(wants(before), wants(state))
      ? { ...open, state }
      : { ...own, state, ask: 'request', failures: 0 }
  }
  const answered = { ...own, state: current.state, ask: current.ask, failures: current.failures }
  const stop = (call: Call, error: string): Received => ({ call: { ...call, failed: error }, error })
  // What is tried again is what was to be done, also where it is only looked for.
  const declared = taskOf(called, currentRequest(called, { ...current, ask: 'request' }))?.retry
  const policy = declared ?? usualRetry
  const failures = current.failures + 1
  const retry = (ask: Call['ask'], why: string, afterMs = backoffMs(policy, current, failures)): Received => {
    const { attempts } = policy
    if (failures < attempts) return { call: { ...answered, ask, failures, attempts, notBefore: nowMs + afterMs } }
    return stop({ ...answered, ask }, `${name} was tried ${failures} times: ${why}`)
  }

  switch (arrival.kind) {
    case 'result': {
      const checked = checkResult(called, current, arrival.value)
      if ('error' in checked) return { call: moveOn({ now: nowMs, kind: 'failed', error: checked.error }) }
      const kind = current.ask === 'observe' ? 'observed' : 'result'
      return { call: moveOn({ now: nowMs, kind, value: checked.value }) }
    }
    case 'failed': {
      const { message, retryable, retryAfterMs } = arrival.error
      if (current.ask === 'observe')
        return retry('observe', `looking whether it was done failed: ${message}`, retryAfterMs)
      if (retryable && failures < policy.attempts) {
        if (definition.idempotent || declared) return retry('request', message, retryAfterMs)
        // It is said that later may do; whether something was left behind, is looked at first.
        if (definition.observe) return retry('observe', message, retryAfterMs)
      }
      return { call: moveOn({ now: nowMs, kind: 'failed', error: arrival.error }) }
    }
    case 'lost': {
      const lost = arrival.reason ?? `the agent ${arrival.agent} did not answer`
      if (current.ask === 'observe' || definition.observe) return retry('observe', lost)
      if (definition.idempotent) return retry('request', lost)
      return stop(
        answered,
        `${name} may or may not have been done: ${lost}, and there is no way to look. See what is there, then reset the Job to do it again, or cancel it.`,
      )
    }
    case 'refused':
      return stop(answered, `${name} could not be handed to an agent: ${arrival.reason}`)
    case 'timer':
    case 'signal':
      return { call: moveOn({ now: nowMs, kind: arrival.kind }) }
    case 'resumed':
      return { call: moveOn({ now: nowMs, ...arrival }) }
  }
}

/** An answer checked against the schema of what was asked: an agent of another version may answer otherwise. */
function checkResult(called: CalledFunction, current: Call, value: Json): { value: Json } | { error: WireError } {
  const asked = currentRequest(called, current)
  const task = taskOf(called, asked)
  if (!task) return { value }
  const parsed = task.result.safeParse(value)
  if (parsed.success) return { value: json.parse(parsed.data) }
  const message = `The agent's answer to ${asked?.module ?? called.plugin.module}.${task.name} is not what was asked for: ${z.prettifyError(parsed.error)}`
  return { error: { code: 'TASK_FAILED', message, retryable: false } }
}
