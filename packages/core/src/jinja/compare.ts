import { fail } from './failure.ts'
import type { Limits } from './limits.ts'
import { isSecret, refuseSecret } from './secrets.ts'
import {
  Dict,
  hasSurrogates,
  isText,
  iterate,
  type Key,
  List,
  Range,
  refuseUndefined,
  Tuple,
  textOf,
  toArray,
  typeOf,
  Undefined,
  type Value,
  View,
} from './values.ts'

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in'

export function compareWith(limits: Limits, operator: Comparison, left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
      return equals(limits, left, right)
    case '!=':
      return !equals(limits, left, right)
    case 'in':
      return contains(limits, right, left)
    case 'not in':
      return !contains(limits, right, left)
    default: {
      const order = compare(limits, left, right, operator)
      if (Number.isNaN(order)) return false
      if (operator === '<') return order < 0
      if (operator === '<=') return order <= 0
      return operator === '>' ? order > 0 : order >= 0
    }
  }
}

const deepest = 100

export function equals(limits: Limits, left: Value, right: Value, depth = 0): boolean {
  limits.step()
  if (depth > deepest) fail('compared values are nested too deep')
  refuseSecret(left, 'a comparison')
  refuseSecret(right, 'a comparison')
  for (const side of [left, right]) if (side instanceof Undefined && side.isStrict) refuseUndefined(side, 'compared')
  if (isText(left)) {
    if (!isText(right)) return refuseInside(limits, right)
    limits.read(Math.min(textOf(left).length, textOf(right).length))
    return textOf(left) === textOf(right)
  }
  if (left instanceof Undefined) return right instanceof Undefined
  if (isNumber(left)) return isNumber(right) ? sameNumber(numberOf(left), numberOf(right)) : refuseInside(limits, right)
  if (left instanceof Tuple) return right instanceof Tuple && sameItems(limits, left.items, right.items, depth)
  if (left instanceof List)
    return right instanceof List ? sameItems(limits, left.items, right.items, depth) : refuseInside(limits, left)
  if (left instanceof Dict)
    return right instanceof Dict ? sameMaps(limits, left, right, depth) : refuseInside(limits, left)
  if (left instanceof Range)
    return right instanceof Range && sameItems(limits, toArray(limits, left), toArray(limits, right), depth)
  return left === right
}

/** Values of different types are not equal, but whoever compares a list with a secret in it shall know. */
function refuseInside(limits: Limits, value: Value, depth = 0): false {
  if (depth > deepest) return false
  if (value instanceof List || value instanceof Dict)
    for (const item of value instanceof List ? value.items : [...value.entries.values()].map(entry => entry[1])) {
      limits.step()
      if (isSecret(item)) refuseSecret(item, 'a comparison')
      refuseInside(limits, item, depth + 1)
    }
  return false
}

function sameItems(limits: Limits, left: readonly Value[], right: readonly Value[], depth: number): boolean {
  return left.length === right.length && left.every((item, at) => equals(limits, item, right[at] as Value, depth + 1))
}

function sameMaps(limits: Limits, left: Dict, right: Dict, depth: number): boolean {
  if (left.entries.size !== right.entries.size) return false
  for (const [key, [, value]] of left.entries) {
    const other = right.entries.get(key)
    if (!other || !equals(limits, value, other[1], depth + 1)) return false
  }
  return true
}

/** Below, at or above 0; NaN where neither is. */
export function compare(limits: Limits, left: Value, right: Value, operator = '<', depth = 0): number {
  limits.step()
  if (depth > deepest) fail('compared values are nested too deep')
  refuseSecret(left, 'a comparison')
  refuseSecret(right, 'a comparison')
  for (const side of [left, right]) if (side instanceof Undefined) refuseUndefined(side, 'compared')
  if (isNumber(left) && isNumber(right)) {
    const [a, b] = [numberOf(left), numberOf(right)]
    return a < b ? -1 : a > b ? 1 : sameNumber(a, b) ? 0 : Number.NaN
  }
  if (isText(left) && isText(right)) {
    limits.read(Math.min(textOf(left).length, textOf(right).length))
    return compareTexts(textOf(left), textOf(right))
  }
  if ((left instanceof List && right instanceof List) || (left instanceof Tuple && right instanceof Tuple)) {
    for (const [at, item] of left.items.entries()) {
      const other = right.items[at]
      if (other === undefined) return 1
      if (!equals(limits, item, other, depth + 1)) return compare(limits, item, other, operator, depth + 1)
    }
    return left.items.length - right.items.length
  }
  return fail(`'${operator}' not supported between instances of '${typeOf(left)}' and '${typeOf(right)}'`)
}

/** By code points. */
export function compareTexts(left: string, right: string): number {
  if (left === right) return 0
  if (!hasSurrogates(left) && !hasSurrogates(right)) return left < right ? -1 : 1
  const [a, b] = [[...left], [...right]]
  for (const [at, character] of a.entries()) {
    const other = b[at]
    if (other === undefined) return 1
    if (character !== other) return (character.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0)
  }
  return -1
}

export function contains(limits: Limits, container: Value, item: Value): boolean {
  refuseSecret(item, 'a comparison')
  refuseSecret(container, 'a comparison')
  if (isText(container)) {
    if (!isText(item)) {
      if (item instanceof Undefined) refuseUndefined(item)
      return fail(`'in <string>' requires string as left operand, not ${typeOf(item)}`)
    }
    return findText(limits, textOf(container), textOf(item)) >= 0
  }
  const map =
    container instanceof Dict
      ? container
      : container instanceof View && container.part === 'keys'
        ? container.of
        : undefined
  if (map) return map.entries.has(hash(limits, item))
  for (const one of iterate(limits, container)) if (one === item || equals(limits, one, item)) return true
  return false
}

/** As `indexOf`, whose worst case is the product of both lengths. */
export function findText(limits: Limits, text: string, wanted: string, from = 0): number {
  if (wanted.length <= text.length) limits.read(text.length, 2 * wanted.length + 2)
  return text.indexOf(wanted, from)
}

export function hash(limits: Limits, value: Value, depth = 0): Key {
  limits.step()
  refuseSecret(value, 'a comparison')
  if (isText(value)) return textOf(value)
  if (value === null) return null
  if (isNumber(value)) {
    const number = numberOf(value)
    return typeof number === 'bigint' && BigInt(Number(number)) !== number ? number : Number(number)
  }
  if (value instanceof Undefined) return value.isStrict ? refuseUndefined(value) : value
  if (value instanceof Tuple) {
    if (depth > deepest) fail('a key is nested too deep')
    const parts = value.items.map(item => hash(limits, item, depth + 1))
    const written = parts.map(part =>
      part instanceof Object ? fail('such a key is not possible') : `${typeof part}:${String(part).length}:${part}`,
    )
    const text = `\u0000(${written.join(',')})`
    limits.text(text.length)
    return text
  }
  if (value instanceof List || value instanceof Dict) return fail(`unhashable type: '${value.type}'`)
  return value
}

export const isNumber = (value: Value): value is boolean | bigint | number =>
  typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean'

const sameNumber = (a: bigint | number, b: bigint | number) => a <= b && a >= b

/** `True` is 1. */
export const numberOf = (value: boolean | bigint | number): bigint | number =>
  typeof value === 'boolean' ? BigInt(value) : value
