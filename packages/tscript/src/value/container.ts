import type { Json } from '../json.ts'
import { Fault } from './fault.ts'
import { readKey, setKey, writeKey } from './keys.ts'
import { describeKind, type JsonMap, kindOf } from './kinds.ts'
import { COPY, ELEMENT, keysCost, type Meter } from './meter.ts'
import type { Owned } from './owned.ts'
import type { Scratch } from './scratch.ts'
import { cutText } from './storable.ts'

/*
 * Elements of arrays, texts and maps: reading them, and changing them inside a variable.
 *
 * Values are immutable; to change an element is to make a new container. A container that was made so in this run and that
 * only its variable holds is *owned* and is changed in place, or appending n values would copy n² of them. Ownership counts
 * only from the top down: whoever copies a container shares its elements with the copy, so they lose it; whoever takes a
 * value out of a variable takes it from that value. It lives for one run and cannot be seen in any result.
 */

/** The element of an array or text at an index (from the end if negative), or of a map by key. */
export function getElement(container: Json, key: Json, scratch: Scratch): Json {
  if (Array.isArray(container)) return container[checkIndex(key, container.length, 'array')] as Json
  if (typeof container === 'string') {
    const at = checkIndex(key, scratch.places.count(container, scratch), 'text')
    return scratch.places.slice(container, at, at + 1, scratch)
  }
  if (kindOf(container) !== 'map') throw new Fault(`${capital(describeKind(container))} has no elements`)
  const written = checkKey(key, scratch)
  if (!Object.hasOwn(container as JsonMap, written)) throw new Fault(`The map has no key ${quoteKey(written)}`)
  return (container as JsonMap)[written] as Json
}

export function getPath(container: Json, keys: readonly Json[], scratch: Scratch): Json {
  let value = container
  for (const key of keys) value = getElement(value, key, scratch)
  return value
}

/** The container with the element at the path replaced by what `change` makes of it (undefined: there is none yet). */
export function changePath(
  container: Json,
  keys: readonly Json[],
  scratch: Scratch,
  change: (old: Json | undefined) => Json,
): Json {
  if (keys.length === 0) return change(container)
  const [key, ...rest] = keys as [Json, ...Json[]]
  if (Array.isArray(container)) {
    const at = checkIndex(key, container.length, 'array')
    const copy = own(container, scratch)
    copy[at] = changePath(copy[at] as Json, rest, scratch, change)
    return copy
  }
  if (typeof container === 'string') throw new Fault('The characters of a text cannot be set')
  if (kindOf(container) !== 'map') throw new Fault(`${capital(describeKind(container))} has no elements`)
  const written = checkKey(key, scratch)
  const old = Object.hasOwn(container as JsonMap, written) ? (container as JsonMap)[written] : undefined
  if (old === undefined && rest.length > 0) throw new Fault(`The map has no key ${quoteKey(written)}`)
  const copy = own(container as JsonMap, scratch)
  const mine = Object.hasOwn(copy, written) ? copy[written] : undefined
  setKey(copy, written, rest.length > 0 ? changePath(mine as Json, rest, scratch, change) : change(mine))
  return copy
}

/** The container itself if it is owned, else an owned copy whose elements are shared with the original. */
export function own<T extends Json[] | JsonMap>(container: T, scratch: Scratch): T {
  const { owned } = scratch
  if (owned.has(container)) return container
  const copy = (Array.isArray(container) ? [...container] : { ...container }) as T
  const items = Array.isArray(container) ? container : Object.values(container)
  scratch.touched += COPY + (Array.isArray(container) ? items.length * ELEMENT : keysCost(items.length) * 4)
  for (const item of items) disown(item, owned)
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

function checkKey(key: Json, meter: Meter): string {
  if (typeof key === 'string') {
    meter.touched += key.length
    return writeKey(key)
  }
  throw new Fault(`The key of a map is a text, not ${describeKind(key)}`)
}

function quoteKey(written: string): string {
  return `'${cutText(readKey(written), 40)}'`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
