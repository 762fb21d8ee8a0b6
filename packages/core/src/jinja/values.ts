import { holdsSecret, type Json } from '@contractor/contract'
import { fail } from './failure.ts'
import type { Limits } from './limits.ts'

/**
 * The values of a template, with Python's distinctions: `int` is bigint, `float` is number, None is null. JSON does not
 * tell 1.0 from 1: a whole number is an int. Lists and maps are objects of our own, so that no template reaches a
 * prototype or a constructor of JavaScript, and so that changes of them never reach the context.
 */
export type Value = null | boolean | bigint | number | string | Thing

export abstract class Thing {
  /** Python's name of its type, for messages. */
  abstract readonly type: string
}

/** What is not there. */
export class Undefined extends Thing {
  readonly type = 'Undefined'
  readonly hint: string
  /** Whether it may only be asked for. */
  readonly isStrict: boolean

  constructor(hint: string, isStrict: boolean) {
    super()
    this.hint = hint
    this.isStrict = isStrict
  }
}

/** A text that is marked as escaped, or as not to be escaped. */
export class Markup extends Thing {
  readonly type = 'Markup'
  readonly text: string

  constructor(text: string) {
    super()
    this.text = text
  }
}

export class Tuple extends Thing {
  readonly type: string = 'tuple'
  readonly items: readonly Value[]

  constructor(items: readonly Value[]) {
    super()
    this.items = items
  }
}

/** What `groupby` gives: a pair whose parts have names. */
export class Group extends Tuple {
  override readonly type = '_GroupTuple'
}

/** What comes from the context is taken over level by level, as it is asked for. */
export class List extends Thing {
  readonly type = 'list'
  #items: Value[] | undefined
  #source: readonly Json[] | undefined

  constructor(items: Value[] | undefined, source?: readonly Json[]) {
    super()
    this.#items = items
    this.#source = source
  }

  get items(): Value[] {
    this.#items ??= (this.#source ?? []).map(fromJson)
    return this.#items
  }
}

export class Dict extends Thing {
  readonly type = 'dict'
  #entries: Map<Key, [Value, Value]> | undefined
  #source: { readonly [key: string]: Json } | undefined

  constructor(entries: Map<Key, [Value, Value]> | undefined, source?: { readonly [key: string]: Json }) {
    super()
    this.#entries = entries
    this.#source = source
  }

  static of(pairs: Iterable<readonly [string, Value]>): Dict {
    return new Dict(new Map([...pairs].map(([key, value]) => [key, [key, value]])))
  }

  /** By the keys' hashes; with the keys themselves. */
  get entries(): Map<Key, [Value, Value]> {
    this.#entries ??= new Map(Object.entries(this.#source ?? {}).map(([key, value]) => [key, [key, fromJson(value)]]))
    return this.#entries
  }

  /** What is under a key's hash. A scalar is read where it came from: most templates want one value of a large map. */
  get(key: Key): Value | undefined {
    if (!this.#entries && typeof key === 'string') {
      const given = this.#source && Object.hasOwn(this.#source, key) ? this.#source[key] : undefined
      if (given === undefined) return undefined
      if (typeof given !== 'object' || given === null) return fromJson(given)
    }
    return this.entries.get(key)?.[1]
  }
}

/** Equal for equal values: `1`, `1.0` and `True` are one key. */
export type Key = string | number | bigint | null | Thing

export class Range extends Thing {
  readonly type = 'range'
  readonly start: bigint
  readonly stop: bigint
  readonly stride: bigint

  constructor(start: bigint, stop: bigint, stride: bigint) {
    super()
    this.start = start
    this.stop = stop
    this.stride = stride
  }

  get length(): number {
    const span = this.stride > 0n ? this.stop - this.start : this.start - this.stop
    const stride = this.stride > 0n ? this.stride : -this.stride
    return span > 0n ? Number((span + stride - 1n) / stride) : 0
  }
}

/** `keys()`, `values()` and `items()` of a map: they show what it holds when they are read. */
export class View extends Thing {
  readonly type: string
  readonly of: Dict
  readonly part: 'keys' | 'values' | 'items'

  constructor(of: Dict, part: View['part']) {
    super()
    this.of = of
    this.part = part
    this.type = `dict_${part}`
  }
}

/** What can be read once, such as the result of `map`. */
export class Stream extends Thing {
  readonly type = 'generator'
  readonly iterator: Iterator<Value>

  constructor(iterator: Iterator<Value>) {
    super()
    this.iterator = iterator
  }
}

export interface Given {
  readonly positional: readonly Value[]
  readonly named: ReadonlyMap<string, Value>
}

/** Has attributes of its own, or can be called. */
export abstract class Native extends Thing {
  attribute(_name: string): Value | undefined {
    return undefined
  }
  /** As it is printed; undefined when there is nothing to print. */
  shown(): string | undefined {
    return undefined
  }
}

export class Callable extends Native {
  readonly type = 'function'
  readonly name: string
  readonly call: (given: Given) => Value

  constructor(name: string, call: (given: Given) => Value) {
    super()
    this.name = name
    this.call = call
  }
}

export function fromJson(value: Json): Value {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? new List(undefined, value) : new Dict(undefined, value)
}

export function typeOf(value: Value): string {
  if (value === null) return 'NoneType'
  if (typeof value === 'object') return value.type
  return { string: 'str', bigint: 'int', number: 'float', boolean: 'bool' }[typeof value as 'string']
}

export const isText = (value: Value): value is string | Markup => typeof value === 'string' || value instanceof Markup
export const textOf = (value: string | Markup): string => (typeof value === 'string' ? value : value.text)

export function isTrue(value: Value): boolean {
  if (typeof value !== 'object' || value === null) return Boolean(value)
  if (value instanceof Undefined) return false
  if (value instanceof Markup) return value.text !== ''
  if (value instanceof List || value instanceof Tuple) return value.items.length > 0
  if (value instanceof Dict) return value.entries.size > 0
  if (value instanceof Range) return value.length > 0
  return value instanceof View ? value.of.entries.size > 0 : true
}

/** An Undefined that is used for anything but being asked for. */
export function refuseUndefined(value: Undefined, what = 'used'): never {
  return fail(`a value that is not there would be ${what}${value.hint && `; ${value.hint}`}`)
}

/** The items that a `for` goes through; live, so that it sees what is added meanwhile. */
export function* iterate(limits: Limits, value: Value): Generator<Value> {
  for (const item of itemsOf(value)) {
    limits.step()
    yield item
  }
}

function itemsOf(value: Value): Iterable<Value> {
  if (value instanceof List || value instanceof Tuple) return value.items
  if (isText(value))
    return holdsSecret(textOf(value)) ? fail('a secret cannot go through a loop over its letters') : textOf(value)
  if (value instanceof Dict) return readEntries(value, 'keys')
  if (value instanceof View) return readEntries(value.of, value.part)
  if (value instanceof Range) return readRange(value)
  if (value instanceof Stream) return { [Symbol.iterator]: () => value.iterator }
  if (value instanceof Undefined) return value.isStrict ? refuseUndefined(value) : []
  return fail(`'${typeOf(value)}' object is not iterable`)
}

function* readRange({ start, stop, stride }: Range): Generator<Value> {
  for (let at = start; stride > 0n ? at < stop : at > stop; at += stride) yield at
}

function* readEntries({ entries }: Dict, part: View['part']): Generator<Value> {
  const size = entries.size
  for (const entry of entries.values()) {
    if (entries.size !== size) fail('dictionary changed size during iteration')
    yield part === 'items' ? new Tuple(entry) : entry[part === 'keys' ? 0 : 1]
  }
}

export function toArray(limits: Limits, value: Value): Value[] {
  if (value instanceof Range) limits.items(value.length)
  const items: Value[] = []
  for (const item of iterate(limits, value)) {
    limits.items(1)
    items.push(item)
  }
  return items
}

/** Undefined when it has none. */
export function lengthOf(value: Value): number | undefined {
  if (isText(value)) return pointCount(textOf(value))
  if (value instanceof List || value instanceof Tuple) return value.items.length
  if (value instanceof Dict) return value.entries.size
  if (value instanceof View) return value.of.entries.size
  if (value instanceof Range) return value.length
  return value instanceof Undefined && !value.isStrict ? 0 : undefined
}

/** Python counts code points, JavaScript UTF-16 units: apart only where there are surrogates. */
export const hasSurrogates = (text: string) => /[\ud800-\udfff]/.test(text)
export const pointCount = (text: string) => (hasSurrogates(text) ? [...text].length : text.length)
/** Its characters, to index and to cut. */
export const points = (text: string): readonly string[] | string => (hasSurrogates(text) ? [...text] : text)
export const cut = (text: string, from: number, to?: number) =>
  hasSurrogates(text) ? [...text].slice(from, to).join('') : text.slice(from, to)
