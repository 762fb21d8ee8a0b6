import type { Json } from '../json.ts'
import { comparePoints } from './code-points.ts'
import { Fault } from './fault.ts'
import { describeKind, isSecret, isTime, type JsonMap } from './kinds.ts'
import { ELEMENT, keysCost, type Meter } from './meter.ts'

/**
 * How many keys the right sides have, kept while one operation compares: a search for a large map among many small ones
 * would otherwise count its keys for each of them.
 */
export type KeyCounts = Map<object, number>

/** Equality by content; a boolean counts as 1 or 0. A secret is compared with None only: anything else would tell of it. */
export function areEqual(left: Json, right: Json, meter: Meter, counts?: KeyCounts): boolean {
  if (typeof left !== 'object' || typeof right !== 'object') {
    if (typeof left === 'string' && typeof right === 'string') return areSameTexts(left, right, meter)
    if ((typeof left === 'object' && left && isSecret(left)) || (typeof right === 'object' && right && isSecret(right)))
      throw secretCompared()
    if (typeof left === 'boolean') return typeof right === 'boolean' ? left === right : Number(left) === right
    return typeof right === 'boolean' ? left === Number(right) : left === right
  }
  if (left === null || right === null) return left === right
  if (isSecret(left) || isSecret(right)) throw secretCompared()
  const known = counts ?? new Map<object, number>()
  if (Array.isArray(left)) return Array.isArray(right) && areSameArrays(left, right, meter, known)
  return !Array.isArray(right) && areSameMaps(left, right, meter, known)
}

/** Texts of different lengths are told apart without reading them. */
function areSameTexts(left: string, right: string, meter: Meter): boolean {
  if (left.length !== right.length) return false
  meter.touched += left.length * 2
  return left === right
}

function areSameArrays(left: Json[], right: Json[], meter: Meter, counts: KeyCounts): boolean {
  if (left.length !== right.length) return false
  let at = 0
  while (at < left.length && areEqual(left[at] as Json, right[at] as Json, meter, counts)) at++
  meter.touched += at * ELEMENT
  return at === left.length
}

function areSameMaps(left: JsonMap, right: JsonMap, meter: Meter, counts: KeyCounts): boolean {
  const keys = Object.keys(left)
  meter.touched += keysCost(keys.length)
  return (
    keys.length === countKeys(right, meter, counts) &&
    keys.every(key => Object.hasOwn(right, key) && areEqual(left[key] as Json, right[key] as Json, meter, counts))
  )
}

function countKeys(map: JsonMap, meter: Meter, counts: KeyCounts): number {
  const known = counts.get(map)
  if (known !== undefined) return known
  const count = Object.keys(map).length
  meter.touched += keysCost(count)
  counts.set(map, count)
  return count
}

function secretCompared(): Fault {
  return new Fault('A secret can be compared with None only')
}

/** Negative, zero or positive. Order is between two numbers, two texts or two times. */
export function compareOrder(left: Json, right: Json, meter: Meter): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (typeof left === 'string' && typeof right === 'string') {
    meter.touched += (left.length + right.length) * 2
    return comparePoints(left, right)
  }
  if (isTime(left) && isTime(right)) return left.$time - right.$time
  throw new Fault(
    `Order is between two numbers, two texts or two times, not between ${describeKind(left)} and ${describeKind(right)}`,
  )
}
