import type { Json } from '../json.ts'
import { keysCost, type Meter } from './meter.ts'

/*
 * A value in the machine is the same JSON as in a saved state, so that stopping costs no conversion. Times, opaque values
 * and secrets are maps with one key that begins with a single `$`; no map of a program has such a key.
 *
 * Values never change once they are on the stack; see `container.ts` for how variables change all the same.
 */

export type JsonMap = { [key: string]: Json }
export type Time = { $time: number }
export type Reference = { $ref: string }
export type Secret = { $secret: string }

export type Kind = 'none' | 'boolean' | 'number' | 'text' | 'array' | 'map' | 'time' | 'opaque' | 'secret'

export function kindOf(value: Json): Kind {
  switch (typeof value) {
    case 'boolean':
      return 'boolean'
    case 'number':
      return 'number'
    case 'string':
      return 'text'
    default:
      if (value === null) return 'none'
      if (Array.isArray(value)) return 'array'
      if (Object.hasOwn(value, '$time')) return 'time'
      if (Object.hasOwn(value, '$secret')) return 'secret'
      return Object.hasOwn(value, '$ref') ? 'opaque' : 'map'
  }
}

export function isTime(value: Json): value is Time {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '$time')
}
export function isSecret(value: Json): value is Secret {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '$secret')
}

const DESCRIPTIONS: { [kind in Kind]: string } = {
  none: 'None',
  boolean: 'a boolean',
  number: 'a number',
  text: 'a text',
  array: 'an array',
  map: 'a map',
  time: 'a time',
  opaque: 'an opaque value',
  secret: 'a secret',
}

/** For messages: `a number`, `None`; never the value, which may be long or secret. */
export function describeKind(value: Json): string {
  return DESCRIPTIONS[kindOf(value)]
}

/** False are None, False, 0, '', [], {} and a zero time. An opaque value and a secret are true, whatever they hold. */
export function isTrue(value: Json, meter?: Meter): boolean {
  if (typeof value !== 'object') return value !== false && value !== 0 && value !== ''
  if (value === null) return false
  if (Array.isArray(value)) return value.length > 0
  // Nothing in JavaScript tells that a map is empty without looking at all of its keys.
  const keys = Object.keys(value)
  if (meter) meter.touched += keysCost(keys.length)
  return keys.length > 0 && (value as JsonMap).$time !== 0
}
