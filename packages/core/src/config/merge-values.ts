import { isDeepStrictEqual } from 'node:util'
import { ContractorError, type Json } from '@contractor/contract'
import type { Values } from '../database/columns.ts'

/**
 * Merging of config values, one source after the other. A name may begin with an operator:
 * none replaces, `<` prepends, `>` appends, `-` removes, `~` deletes the whole value; and may end with `:Class`, which
 * makes it apply only where the Foundation's class list has that class. Within one source the operators apply in the
 * order below, and for each of them the plain name before one with a class, so that the more specific one wins.
 */
const order = ['-', '', '<', '>', '~'] as const
type Operator = (typeof order)[number]

interface Name {
  /** As it stands in the source. */
  written: string
  operator: Operator
  name: string
  forClass: string | undefined
  /** When it is applied: below 0 before the plain names, above 0 after them. */
  rank: number
}

interface Change {
  name: Name
  value: Json
}

const plainRank = order.indexOf('') * 2

/** One source: where it is from, for messages, and its values as written. */
export interface Layer {
  source: string
  values: Values
}

/** One thing that a source did to a value. */
export interface MergeStep {
  source: string
  /** The name as it is written there, with its operator and class. */
  written: string
  /** What is written there. */
  value: Json
  /** The merged value afterwards; absent when it is deleted. */
  result?: Json
}

/** Told of each change as it is made. */
export type Trace = (name: string, step: MergeStep) => void

/** By name. */
export type Merged = ReadonlyMap<string, Json>

/** The merged values, in the order of the layers: later ones win. */
export function mergeLayers(layers: readonly Layer[], classes: readonly string[], trace?: Trace): Merged {
  const merged = new Map<string, Json>()
  for (const layer of layers) applyLayer(merged, layer, classes, trace)
  return merged
}

function applyLayer(
  merged: Map<string, Json>,
  { source, values }: Layer,
  classes: readonly string[],
  trace?: Trace,
): void {
  for (const change of changesOf(values)) {
    const { value } = change
    const { operator, name, forClass, written } = change.name
    if (forClass !== undefined && !classes.includes(forClass)) continue
    if (operator === '') merged.set(name, value)
    else applyOperator(merged, change, source)
    if (!trace) continue
    const result = merged.get(name)
    trace(name, { source, written, value, ...(result !== undefined && { result }) })
  }
}

function applyOperator(merged: Map<string, Json>, change: Change, source: string): void {
  const { value } = change
  const { operator, name } = change.name
  const present = merged.get(name)
  if (operator === '~') merged.delete(name)
  else if (operator === '-') {
    if (present !== undefined) merged.set(name, without(present, value))
  } else merged.set(name, present === undefined ? value : joined(change, present, source))
}

/** A BluePrint's values are parsed once, however many targets inherit them. */
const parsed = new WeakMap<Values, readonly Change[]>()

function changesOf(values: Values): readonly Change[] {
  const known = parsed.get(values)
  if (known) return known
  const changes = Object.entries(values).map(([written, value]) => ({ name: parseName(written), value }))
  if (changes.some(({ name }) => name.rank)) changes.sort((a, b) => a.name.rank - b.name.rank)
  parsed.set(values, changes)
  return changes
}

/** Names come again with every config that is asked for: most are parsed once. */
const names = new Map<string, Name>()
const mostNames = 10_000

function parseName(written: string): Name {
  const known = names.get(written)
  if (known) return known
  const [, operator = '', name = written, forClass] = /^([<>~-]?)([^:]+)(?::(.+))?$/.exec(written) ?? []
  const rank = order.indexOf(operator as Operator) * 2 + Number(forClass !== undefined) - plainRank
  const parsed = { written, operator: operator as Operator, name, forClass, rank }
  if (names.size >= mostNames) names.clear()
  names.set(written, parsed)
  return parsed
}

function joined({ name: { operator, name }, value }: Change, present: Json, source: string): Json {
  const result = operator === '<' ? join(value, present, present) : join(present, value, value)
  if (result !== undefined) return result
  throw new ContractorError(
    'CONFIG_INVALID',
    `Config value '${operator}${name}' of ${source} cannot be joined: it is ${kindOf(value)}, and what is there is ${kindOf(present)}`,
    { target: source, key: name },
  )
}

/** Both together, in this order; for maps, `winner` is the one whose values stay where both have a key. */
function join(first: Json, second: Json, winner: Json): Json | undefined {
  if (Array.isArray(first) || Array.isArray(second)) {
    return [...(Array.isArray(first) ? first : [first]), ...(Array.isArray(second) ? second : [second])]
  }
  if (typeof first === 'string' && typeof second === 'string') return first + second
  if (isMap(first) && isMap(second)) return winner === second ? { ...first, ...second } : { ...second, ...first }
  return undefined
}

/** List items, parts of a text, or keys of a map taken out. */
function without(present: Json, removed: Json): Json {
  const unwanted = Array.isArray(removed) ? removed : isMap(removed) ? Object.keys(removed) : [removed]
  if (Array.isArray(present)) return present.filter(item => !unwanted.some(one => isDeepStrictEqual(one, item)))
  if (typeof present === 'string') {
    return unwanted.reduce<string>(
      (text, part) => (typeof part === 'string' && part ? text.replaceAll(part, '') : text),
      present,
    )
  }
  if (isMap(present)) return Object.fromEntries(Object.entries(present).filter(([key]) => !unwanted.includes(key)))
  return present
}

function isMap(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a map' : typeof value === 'string' ? 'a text' : `a ${typeof value}`
}
