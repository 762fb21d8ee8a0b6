import type { Json } from '../json.ts'
import { Fault } from './fault.ts'

/*
 * Values share their parts in memory, but a saved state writes each of them out: `a = [ a, a ]` thirty times over would be
 * a state of many gigabytes, and nested a million deep it would overflow the stack of every reader. So whatever builds a
 * value measures it.
 */

/** How deep arrays and maps nest. */
export const MAX_DEPTH = 100
/** Elements and characters of one value. */
export const MAX_SIZE = 4_000_000
/** Elements and characters of all variables together, where a program stops. */
export const MAX_TOTAL = 16_000_000

/** Throws a Fault where a value that is to stand so many levels deep is too large. */
export function checkSize(value: Json, levels = 0): void {
  if (typeof value === 'object' || typeof value === 'string') measure(value, levels, MAX_SIZE)
}

export function isWithin(values: readonly Json[], limit: number): boolean {
  let left = limit
  try {
    for (const value of values) left = measure(value, 0, left)
  } catch (error) {
    if (error instanceof Fault) return false
    throw error
  }
  return true
}

/** What is left of a limit behind a value. */
function measure(value: Json, depth: number, limit: number): number {
  let left = limit - 1
  if (typeof value === 'string') left -= value.length
  else if (typeof value === 'object' && value !== null) {
    if (depth >= MAX_DEPTH) throw new Fault(`The value is nested more than ${MAX_DEPTH} deep`)
    if (Array.isArray(value)) for (const item of value) left = measure(item, depth + 1, left)
    else {
      for (const key of Object.keys(value)) left = measure(value[key] as Json, depth + 1, left - key.length)
    }
  }
  if (left < 0) throw new Fault(`The value is too large: it has more than ${MAX_SIZE} elements and characters`)
  return left
}
