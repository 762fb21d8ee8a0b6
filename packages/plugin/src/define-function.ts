import type { Json, WireError } from '@contractor/contract/primitives'
import type { z } from 'zod'
import type { TaskRequest } from './define-task.ts'

/** What a function may know of where it runs. Plain data, read when the call starts. */
export interface FunctionContext<
  Fields = Readonly<Record<string, unknown>>,
  ComplexFields = Readonly<Record<string, unknown>>,
> {
  /** Milliseconds since the epoch, by the engine's clock. */
  readonly now: number
  /** One id a call: the same for every attempt of it. What a handler uses to recognise its own earlier work. */
  readonly callId: string
  readonly foundation: FoundationContext<Fields, ComplexFields>
  /** Present when the job's target is a Structure. */
  readonly structure?: {
    readonly id: number
    readonly hostname: string
    readonly site: string
    readonly configUuid: string
  }
  /**
   * A value of the target's config, rendered, attributes (`_foundation_interface_list`) among them; undefined where there is
   * none. For functions that say `readsConfig`; throws for others, since it is not read for them.
   */
  config(name: string): Json | undefined
}

export interface FoundationContext<
  Fields = Readonly<Record<string, unknown>>,
  ComplexFields = Readonly<Record<string, unknown>>,
> {
  readonly locator: string
  readonly type: string
  readonly site: string
  readonly state: 'planned' | 'located' | 'built'
  readonly fields: Fields
  /** What provides it, where something does; always there for a type that declares its `complex`. */
  readonly complex?: ComplexContext<ComplexFields>
}

export interface ComplexContext<Fields = Readonly<Record<string, unknown>>> {
  readonly name: string
  readonly type: string
  readonly site: string
  readonly fields: Fields
}

/**
 * What may move a function on, with the moment at which it does, in milliseconds since the epoch. It is given what it waits
 * for and nothing else: an answer that comes late or twice, a timer that it did not ask for, a resumed pause where there is
 * none do not reach it.
 */
export type Reply = { readonly now: number } & (
  | /** The handler's answer, checked against the Task's result schema. */
  { kind: 'result'; value: Json }
  /** The handler failed, and the engine does not try it again. */
  | { kind: 'failed'; error: WireError }
  /** What `observe` found out after the answer to a request was lost. */
  | { kind: 'observed'; value: Json }
  /** The moment that `outcome` named with `wakeAt` has come. */
  | { kind: 'timer' }
  /** The machine that is being built has reported that it is done. */
  | { kind: 'signal' }
  /** The operator resumed the pause that `outcome` asked for, and may have said something with that. */
  | { kind: 'resumed'; answer?: string }
)

/** Where a call stands. */
export type Outcome<Result = unknown> =
  /**
   * Done: the call's value; what it changes in the Foundation's fields, in the config values of the Structure itself (by
   * name, or by a path into one: `disks.0.size`), in what its interfaces boot (a PXE by the interface's name), in the MACs
   * of its real interfaces (by name or physical location, with `readsConfig`), and in the Addresses of the Structure that stands
   * on it: the one on each named interface moves to this IP address, within the AddressBlocks that there are.
   */
  | {
      kind: 'done'
      value: Result
      fields?: Readonly<Record<string, unknown>>
      config?: Readonly<Record<string, Json>>
      pxe?: Readonly<Record<string, string>>
      macs?: Readonly<Record<string, string>>
      addresses?: Readonly<Record<string, string>>
    }
  /** It was taken back, by `rollback` or `undo`: nothing is left of it, and there is no value. */
  | { kind: 'undone'; fields?: Readonly<Record<string, unknown>> }
  /** Not yet: a request is out, or `wakeAt` (milliseconds since the epoch) is awaited. */
  | { kind: 'pending'; wakeAt?: number }
  /** An operator is needed; resuming sends the reply `resumed`. */
  | { kind: 'paused'; message: string }
  /** Failed; an operator may reset it, which starts the call anew. */
  | { kind: 'error'; message: string }
  /** Failed for good. */
  | { kind: 'aborted'; message: string }

/**
 * A function that scripts call, as a machine whose state is JSON. `request` and `outcome` are pure and may be asked any
 * number of times; only `receive` moves on. Attempts count replies or time, never requests: how often a request is tried
 * is its Task's `retry`.
 */
export interface FunctionDefinition<
  Args extends z.ZodObject = z.ZodObject,
  State extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Context extends FunctionContext<unknown, unknown> = FunctionContext,
> {
  description?: string
  /** Named parameters, in the names that scripts write. */
  args: Args
  /** Whether `start` asks for the target's config, or its end sets MACs: it is read only then. */
  readsConfig?: boolean
  state: State
  result: Result
  /** The state in which a call begins. */
  start(args: z.output<Args>, context: Context): z.input<State>
  /** What to ask of an agent in this state; nothing when nothing is to be asked. */
  request?(state: z.output<State>): TaskRequest | undefined
  receive?(state: z.output<State>, reply: Reply): z.input<State>
  outcome(state: z.output<State>): Outcome<z.input<Result>>
  /** What the operator is told while the call is pending. */
  message?(state: z.output<State>): string
  /** The state in which a call that has failed begins to take itself back; that ends with `outcome` done. */
  rollback?(state: z.output<State>): z.input<State>
  /** The state in which the undoing of this call begins after it was done; what it does then ends with `outcome` done. */
  undo?(state: z.output<State>): z.input<State>
  /** What to ask of the real world when the answer to a request was lost. Its answer arrives as reply `observed`. */
  observe?(state: z.output<State>): TaskRequest
  /** Whether a request may be issued again without looking: doing it twice is the same as once. */
  idempotent?: boolean
}

/** A FunctionDefinition whose own types are forgotten: what the engine holds. */
// biome-ignore lint/suspicious/noExplicitAny: the types of one function's state are known to that function alone
export type AnyFunction = FunctionDefinition<z.ZodObject, any, any, any>

/** Declares a function; the types of `start`, `receive` and the others follow from the three schemas. */
export function defineFunction<
  Args extends z.ZodObject,
  State extends z.ZodType,
  Result extends z.ZodType,
  Context extends FunctionContext<unknown, unknown> = FunctionContext,
>(definition: FunctionDefinition<Args, State, Result, Context>): FunctionDefinition<Args, State, Result, Context> {
  return definition
}
