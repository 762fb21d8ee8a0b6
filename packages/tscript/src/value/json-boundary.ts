import type { Json } from '../json.ts'
import { Fault } from './fault.ts'
import { setKey, writeKey } from './keys.ts'
import { keysCost, type Meter, WRITTEN } from './meter.ts'
import { MAX_DEPTH } from './size.ts'
import { cutText, findUnstorable, mendText } from './storable.ts'

/**
 * Takes over a value from the host: a copy, which the host can no longer change, and which is known to be JSON that every
 * database can keep. Throws a Fault that names the source for anything else.
 */
export function acceptJson(value: unknown, source: string, meter: Meter, depth = 0): Json {
  switch (typeof value) {
    case 'boolean':
      return value
    case 'string':
      return acceptText(value, source, meter)
    case 'number':
      if (Number.isFinite(value)) return value + 0
      throw new Fault(`${source} is not a finite number`)
    case 'object':
      if (value === null) return null
      if (depth > MAX_DEPTH) throw new Fault(`${source} is nested too deep`)
      if (Array.isArray(value)) {
        meter.touched += value.length * WRITTEN
        return value.map(item => acceptJson(item, source, meter, depth + 1))
      }
      return acceptMap(value, source, meter, depth)
    default:
      throw new Fault(`${source} is not a JSON value: it holds something of the type ${typeof value}`)
  }
}

function acceptText(text: string, source: string, meter: Meter, part = 'a text'): string {
  meter.touched += text.length
  const what = findUnstorable(text)
  if (what === undefined) return text
  const shown = cutText(mendText(text), 40)
  throw new Fault(`${source} cannot be kept: it holds ${part} with ${what}: '${shown}'`)
}

function acceptMap(value: object, source: string, meter: Meter, depth: number): Json {
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new Fault(`${source} is not a JSON value: it holds an object of a class`)
  const map: { [key: string]: Json } = {}
  const entries = Object.entries(value)
  meter.touched += keysCost(entries.length) + entries.length * WRITTEN
  for (const [key, item] of entries) {
    acceptText(key, source, meter, 'a key')
    if (key.startsWith('$') && !key.startsWith('$$')) {
      if (entries.length !== 1 || !isSpecial(key, item))
        throw new Fault(`${source} has the key ${key}, which must be escaped as $${key}`)
    }
    if (item !== undefined) setKey(map, key, acceptJson(item, source, meter, depth + 1))
  }
  return map
}

function isSpecial(key: string, item: unknown): boolean {
  if (key === '$time') return typeof item === 'number' && Number.isFinite(item)
  return (key === '$ref' || key === '$secret') && typeof item === 'string'
}

/** Escapes the keys of plain data, so that a host can hand it to a program: `{ $x: 1 }` becomes `{ $$x: 1 }`. */
export function encodeJson(plain: Json): Json {
  if (typeof plain !== 'object' || plain === null) return plain
  if (Array.isArray(plain)) return plain.map(encodeJson)
  const map: { [key: string]: Json } = {}
  for (const [key, item] of Object.entries(plain)) setKey(map, writeKey(key), encodeJson(item))
  return map
}
