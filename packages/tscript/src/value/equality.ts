import type { Json } from '../json.ts'
import { comparePoints } from './code-points.ts'
import { Fault } from './fault.ts'
import { describeKind, isSecret, isTime, type JsonMap } from './kinds.ts'

/** Equality by content; a boolean counts as 1 or 0. A secret is compared with None only: anything else would tell of it. */
export function areEqual(left: Json, right: Json): boolean {
  if (typeof left !== 'object' || typeof right !== 'object') {
    if ((typeof left === 'object' && left && isSecret(left)) || (typeof right === 'object' && right && isSecret(right)))
      throw secretCompared()
    if (typeof left === 'boolean') return typeof right === 'boolean' ? left === right : Number(left) === right
    return typeof right === 'boolean' ? left === Number(right) : left === right
  }
  if (left === null || right === null) return left === right
  if (isSecret(left) || isSecret(right)) throw secretCompared()
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, at) => areEqual(item, right[at] as Json))
    )
  }
  if (Array.isArray(right)) return false
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every(key => Object.hasOwn(right, key) && areEqual(left[key] as Json, (right as JsonMap)[key] as Json))
  )
}

function secretCompared(): Fault {
  return new Fault('A secret can be compared with None only')
}

/** Negative, zero or positive. Order is between two numbers, two texts or two times. */
export function compareOrder(left: Json, right: Json): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (typeof left === 'string' && typeof right === 'string') return comparePoints(left, right)
  if (isTime(left) && isTime(right)) return left.$time - right.$time
  throw new Fault(
    `Order is between two numbers, two texts or two times, not between ${describeKind(left)} and ${describeKind(right)}`,
  )
}
