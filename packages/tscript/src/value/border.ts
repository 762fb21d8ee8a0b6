import type { Json } from '../json.ts'
import { Fault } from './fault.ts'
import { setKey, writeKey } from './keys.ts'
import { MAX_DEPTH } from './size.ts'

/**
 * Takes over a value from the host: a copy, which the host can no longer change, and which is known to be JSON.
 * Throws a Fault that names the source for anything else.
 */
export function acceptJson(value: unknown, source: string, depth = 0): Json {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value
    case 'number':
      if (Number.isFinite(value)) return value + 0
      throw new Fault(`${source} is not a finite number`)
    case 'object':
      if (value === null) return null
      if (depth > MAX_DEPTH) throw new Fault(`${source} is nested too deep`)
      if (Array.isArray(value)) return value.map(item => acceptJson(item, source, depth + 1))
      return acceptMap(value, source, depth)
    default:
      throw new Fault(`${source} is not a JSON value: it holds something of the type ${typeof value}`)
  }
}

function acceptMap(value: object, source: string, depth: number): Json {
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new Fault(`${source} is not a JSON value: it holds an object of a class`)
  const map: { [key: string]: Json } = {}
  const entries = Object.entries(value)
  for (const [key, item] of entries) {
    if (key.startsWith('$') && !key.startsWith('$$')) {
      if (entries.length !== 1 || !isSpecial(key, item))
        throw new Fault(`${source} has the key ${key}, which must be escaped as $${key}`)
    }
    if (item !== undefined) setKey(map, key, acceptJson(item, source, depth + 1))
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
