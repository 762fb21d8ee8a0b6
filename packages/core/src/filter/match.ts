import { isDeepStrictEqual } from 'node:util'
import type { Json } from '@contractor/contract'
import {
  type Condition,
  type Filter,
  type Literal,
  type NamedSets,
  type Operator,
  type ReadValue,
  setKey,
} from './filter.ts'
import type { Filterable } from './filterable.ts'

/**
 * Whether a filter holds for something, by its values. The same question is asked of the database as SQL: both say the same, which a
 * property test holds. What is not there is none: it is equal to none alone, differs from everything else, and is in no order.
 */
export function matches(filter: Filter, read: ReadValue, sets: NamedSets, filterable: Filterable): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every(part => matches(part, read, sets, filterable))
    case 'or':
      return filter.parts.some(part => matches(part, read, sets, filterable))
    case 'not':
      return !matches(filter.part, read, sets, filterable)
    default:
      if (filterable.fields[filter.field]?.type !== 'time') return holds(filter, read(filter.field) ?? null, sets)
      return holds(asMoments(filter), toMoment(read(filter.field) ?? null), sets)
  }
}

/** Times are compared as moments: people write them in many ways. */
function asMoments(condition: Condition): Condition {
  if (condition.kind === 'compare') return { ...condition, value: toMoment(condition.value) as Literal }
  if (condition.kind !== 'oneOf') return condition
  return { ...condition, values: condition.values.map(value => toMoment(value) as Literal) }
}

const toMoment = (value: Json): Json => (typeof value === 'string' ? Date.parse(value) : value)

function holds(condition: Condition, value: Json, sets: NamedSets): boolean {
  switch (condition.kind) {
    case 'exists':
      return value !== null
    case 'oneOf':
      return condition.values.some(one => isDeepStrictEqual(one, value))
    case 'within':
    case 'isa':
      return typeof value === 'string' && (sets.get(setKey(condition))?.has(value) ?? false)
    case 'compare':
      return compare(condition.operator, value, condition.value)
  }
}

function compare(operator: Operator, value: Json, wanted: Literal): boolean {
  switch (operator) {
    case '==':
      return isDeepStrictEqual(value, wanted)
    case '!=':
      return !isDeepStrictEqual(value, wanted)
    case 'contains':
      return contains(value, wanted)
    case 'like':
      return typeof value === 'string' && typeof wanted === 'string' && toPattern(wanted).test(value)
    default:
      return isOrdered(operator, value, wanted)
  }
}

/** A list that has it, a map that has such a key, or a text with it somewhere. */
function contains(value: Json, wanted: Literal): boolean {
  if (typeof value === 'string') return typeof wanted === 'string' && value.includes(wanted)
  if (Array.isArray(value)) return value.some(one => isDeepStrictEqual(one, wanted))
  return typeof value === 'object' && value !== null && typeof wanted === 'string' && Object.hasOwn(value, wanted)
}

/** `*` is any letters, and `?` one of them. */
export function toPattern(like: string): RegExp {
  const escaped = like
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[\\s\\S]*')
    .replaceAll('?', '[\\s\\S]')
  return new RegExp(`^${escaped}$`, 'u')
}

/** Numbers with numbers, and texts with texts, by their code points as the database has them in the collation "C". */
function isOrdered(operator: Operator, value: Json, wanted: Literal): boolean {
  let order: number
  if (typeof value === 'number' && typeof wanted === 'number') order = value - wanted
  else if (typeof value === 'string' && typeof wanted === 'string') order = byCodePoint(value, wanted)
  else return false
  return { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator as '<'] ?? false
}

const byCodePoint = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other))
