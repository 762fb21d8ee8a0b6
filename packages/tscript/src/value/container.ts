import type { Json } from '../json.ts'
import { countPoints, pointAt } from './code-points.ts'
import { Fault } from './fault.ts'
import { readKey, setKey, writeKey } from './keys.ts'
import { describeKind, type JsonMap, kindOf } from './kinds.ts'

/*
 * Elements of arrays, texts and maps: reading them, and changing them inside a variable.
 *
 * Values are immutable; to change an element is to make a new container. A container that was made so in this run and that
 * only its variable holds is *owned* and is changed in place, or appending n values would copy n² of them. Ownership counts
 * only from the top down: whoever copies a container shares its elements with the copy, so they lose it; whoever takes a
 * value out of a variable takes it from that value. It lives for one run and cannot be seen in any result.
 */

export type Owned = WeakSet<object>

/** The element of an array or text at an index (from the end if negative), or of a map by key. */
export function getElement(container: Json, key: Json): Json {
  if (Array.isArray(container)) return container[checkIndex(key, container.length, 'array')] as Json
  if (typeof container === 'string') return pointAt(container, checkIndex(key, countPoints(container), 'text'))
  if (kindOf(container) !== 'map') throw new Fault(`${capital(describeKind(container))} has no elements`)
  const written = checkKey(key)
  if (!Object.hasOwn(container as JsonMap, written)) throw new Fault(`The map has no key ${quoteKey(written)}`)
  return (container as JsonMap)[written] as Json
}

export function getPath(container: Json, keys: readonly Json[]): Json {
  let value = container
  for (const key of keys) value = getElement(value, key)
  return value
}

/** The container with the element at the path replaced by what `change` makes of it (undefined: there is none yet). */
export function changePath(
  container: Json,
  keys: readonly Json[],
  owned: Owned,
  change: (old: Json | undefined) => Json,
): Json {
  if (keys.length === 0) return change(container)
  const [key, ...rest] = keys as [Json, ...Json[]]
  if (Array.isArray(container)) {
    const at = checkIndex(key, container.length, 'array')
    const copy = own(container, owned)
    copy[at] = changePath(copy[at] as Json, rest, owned, change)
    return copy
  }
  if (typeof container === 'string') throw new Fault('The characters of a text cannot be set')
  if (kindOf(container) !== 'map') throw new Fault(`${capital(describeKind(container))} has no elements`)
  const written = checkKey(key)
  const old = Object.hasOwn(container as JsonMap, written) ? (container as JsonMap)[written] : undefined
  if (old === undefined && rest.length > 0) throw new Fault(`The map has no key ${quoteKey(written)}`)
  const copy = own(container as JsonMap, owned)
  const mine = Object.hasOwn(copy, written) ? copy[written] : undefined
  setKey(copy, written, rest.length > 0 ? changePath(mine as Json, rest, owned, change) : change(mine))
  return copy
}

/** The container itself if it is owned, else an owned copy whose elements are shared with the original. */
export function own<T extends Json[] | JsonMap>(container: T, owned: Owned): T {
  if (owned.has(container)) return container
  const copy = (Array.isArray(container) ? [...container] : { ...container }) as T
  for (const item of Array.isArray(container) ? container : Object.values(container)) disown(item, owned)
  owned.add(copy)
  return copy
}

export function disown(value: Json, owned: Owned): void {
  if (typeof value === 'object' && value !== null) owned.delete(value)
}

/** The place in an array or a text, counted from its start. */
export function checkIndex(key: Json, length: number, what: 'array' | 'text'): number {
  if (typeof key !== 'number' || !Number.isInteger(key)) {
    throw new Fault(
      `The index of ${what === 'array' ? 'an array' : 'a text'} is an integer, not ${typeof key === 'number' ? key : describeKind(key)}`,
    )
  }
  if (key < length && key >= -length) return key < 0 ? key + length : key
  throw new Fault(`There is no element ${key}: the ${what} has ${length === 1 ? '1 element' : `${length} elements`}`)
}

function checkKey(key: Json): string {
  if (typeof key === 'string') return writeKey(key)
  throw new Fault(`The key of a map is a text, not ${describeKind(key)}`)
}

function quoteKey(written: string): string {
  const key = readKey(written)
  return `'${key.length > 40 ? `${key.slice(0, 40)}…` : key}'`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
