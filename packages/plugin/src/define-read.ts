import type { Json } from '@contractor/contract/primitives'
import type { z } from 'zod'
import type { ComplexContext, FoundationContext } from './define-function.ts'
import type { TaskDefinition } from './define-task.ts'

/** What is really there of a Foundation. */
export interface Seen {
  exists: boolean
  /** Fields as they really are: those that differ from ours have drifted. */
  fields?: Readonly<Record<string, unknown>>
  /** Whatever else is to be told of it. */
  details?: Json
}

/** How it is looked what is really there of a Foundation. It changes nothing. */
export interface ReadDefinition {
  readonly task: TaskDefinition
  // biome-ignore lint/suspicious/noExplicitAny: the fields of one type are known to that type alone
  params(foundation: FoundationContext<any, any>): unknown
  // biome-ignore lint/suspicious/noExplicitAny: the result of one Task is known to that Task alone
  seen(reply: any): Seen
}

/** For a Foundation type's `read`; the types of `params` and `seen` follow from the Task. */
export function defineRead<
  Params extends z.ZodType,
  Result extends z.ZodType,
  Foundation extends FoundationContext<unknown, unknown> = FoundationContext,
>(read: {
  task: TaskDefinition<Params, Result>
  params(foundation: Foundation): z.input<Params>
  seen(reply: z.output<Result>): Seen
}): ReadDefinition {
  return read as ReadDefinition
}

/** Something that exists, and could be a Foundation. */
export interface Discovered {
  /** What it would be called. */
  locator: string
  /** Its fields, as they would be given. */
  fields: Readonly<Record<string, unknown>>
  details?: Json
}

/** Where it is looked. */
export interface DiscoverScope<ComplexFields = Readonly<Record<string, unknown>>> {
  readonly site: string
  readonly complex?: ComplexContext<ComplexFields>
}

/** How it is looked what exists: at a Site, or of a Complex. It changes nothing. */
export interface DiscoverDefinition {
  readonly task: TaskDefinition
  /** The fields by which something found is known to be one of ours; its locator unless said. */
  readonly identity?: readonly string[]
  // biome-ignore lint/suspicious/noExplicitAny: the fields of one Complex type are known to that type alone
  params(scope: DiscoverScope<any>): unknown
  // biome-ignore lint/suspicious/noExplicitAny: the result of one Task is known to that Task alone
  found(reply: any): readonly Discovered[]
}

/** For a Foundation type's `discover`; the types of `params` and `found` follow from the Task. */
export function defineDiscover<
  Params extends z.ZodType,
  Result extends z.ZodType,
  Scope extends DiscoverScope<unknown> = DiscoverScope,
>(discover: {
  task: TaskDefinition<Params, Result>
  identity?: readonly string[]
  params(scope: Scope): z.input<Params>
  found(reply: z.output<Result>): readonly Discovered[]
}): DiscoverDefinition {
  return discover as DiscoverDefinition
}
