import { z } from 'zod'
import type { FieldSchemas, Fields } from './field.ts'
import { pageOf } from './page.ts'
import type { Permission } from './permission.ts'

/**
 * What can be done with a noun: the SDK's function of that name, its route, its function of the client and its command are
 * one thing, of which this says everything. All of them are called alike: the object's key, where it is about one; what
 * else the path has; what is given; options.
 */
export interface Method {
  /** Whether it is about one object, whose key comes first, or about none that is there already. */
  readonly on: 'one' | 'all'
  readonly verb: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** Behind the noun's path, or behind the object's: '', `/config`, `/jobs/{name}`. */
  readonly path: string
  /** What the path has besides the key. */
  readonly params?: z.core.$ZodLooseShape
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /** Whether it may be called without a body. */
  readonly bodyOptional?: boolean
  /** How the SDK is given the body: as it is; as a part of its options; with what the path has; or these fields of it. */
  readonly gives: 'input' | 'options' | 'whole' | readonly string[]
  /** Nothing, for what ends with 204. */
  readonly output?: z.ZodType
  /** Where in the reply that stands which the SDK gives: it is the whole reply unless said. */
  readonly under?: string
  readonly status: 200 | 201 | 204
  readonly summary: string
  readonly allow: Permission
  /** Takes `ifVersion`: refused when the object has changed since. */
  readonly ifVersion: boolean
}

export type Methods = Readonly<Record<string, Method>>

const usual = { verb: 'get', gives: 'input', status: 200, allow: 'admin', ifVersion: false } as const
type Usual = typeof usual

/** A question, unless it says otherwise: `get`, answered with 200, for operators. */
export const method = <const M extends Partial<Method> & Pick<Method, 'on' | 'path' | 'summary'>>(
  declared: M,
): Omit<Usual, keyof M> & M => ({ ...usual, ...declared })

/** How summaries call a noun: `a Site`, `Sites`. */
export interface Called {
  readonly one: string
  readonly many: string
}

export const creates = <Input extends z.ZodType, View extends z.ZodType>(body: Input, output: View, { one }: Called) =>
  method({ on: 'all', verb: 'post', path: '', body, output, status: 201, summary: `Make ${one}` })

export const createsMany = <Input extends z.ZodType, Item extends z.ZodType>(
  input: Input,
  item: Item,
  { many }: Called,
) =>
  method({
    ...({ on: 'all', verb: 'post', path: '/many', gives: ['items'], under: 'items', status: 201 } as const),
    body: z.strictObject({ items: z.array(input).min(1).max(10_000) }),
    output: itemsOf(item),
    summary: `Make many ${many}, all or none, in their order`,
  })

/** A reply that is a list, whole: the SDK gives the list itself. */
export const itemsOf = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item) })

export const gets = <View extends z.ZodType>(output: View, { one }: Called) =>
  method({ on: 'one', path: '', output, summary: `Read ${one}` })

export const lists = <Query extends z.ZodObject, View extends z.ZodType>(query: Query, view: View, { many }: Called) =>
  method({ on: 'all', path: '', query, output: pageOf(view), summary: `List ${many}` })

export const updates = <Changes extends z.ZodType, View extends z.ZodType>(
  body: Changes,
  output: View,
  { one }: Called,
) =>
  method({
    ...({ on: 'one', verb: 'patch', path: '', body, output, ifVersion: true } as const),
    summary: `Change ${one}: what is not given stays, and null takes a value of a map away`,
  })

export const deletes = ({ one }: Called) =>
  method({ on: 'one', verb: 'delete', path: '', status: 204, ifVersion: true, summary: `Delete ${one}` })

/** What nearly every noun has. */
export function crud<F extends Fields, Query extends z.ZodObject>(
  { input, changes, view }: FieldSchemas<F>,
  query: Query,
  called: Called,
) {
  return {
    create: creates(input, view, called),
    get: gets(view, called),
    list: lists(query, view, called),
    update: updates(changes, view, called),
    delete: deletes(called),
  }
}

/** Saves what is called so, in place of what there is. */
export const puts = <const Key extends z.core.$ZodLooseShape, Input extends z.ZodType, Output extends z.ZodType>(
  params: Key,
  body: Input,
  output: Output,
  { one }: Called,
) =>
  method({
    ...({ on: 'all', verb: 'put', gives: 'whole', ifVersion: true, params, body, output } as const),
    path: `/{${Object.keys(params)[0]}}`,
    summary: `Save ${one}, in place of the one of that name`,
  })
