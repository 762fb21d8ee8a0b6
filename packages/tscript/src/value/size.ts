import type { Json } from '../json.ts'
import { Fault } from './fault.ts'
import { ELEMENT, keysCost, type Meter } from './meter.ts'

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

/**
 * Throws a Fault where a value that is to stand so many levels deep is too large. What it holds is charged as if it were
 * written out, so that no run can gather much more than its budget.
 */
export function checkSize(value: Json, meter: Meter, levels = 0): void {
  if (typeof value === 'object' || typeof value === 'string') measure(value, meter, levels, MAX_SIZE)
}

/** Charges what a value holds: the host is handed all of it. */
export function weigh(value: Json, meter: Meter): void {
  measure(value, meter, 0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
}

export function isWithin(values: readonly Json[], limit: number): boolean {
  let left = limit
  const meter = { touched: 0 }
  try {
    for (const value of values) left = measure(value, meter, 0, left)
  } catch (error) {
    if (error instanceof Fault) return false
    throw error
  }
  return true
}

/** What is left of a limit behind a value. */
function measure(value: Json, meter: Meter, depth: number, limit: number, deepest = MAX_DEPTH): number {
  let left = limit - 1
  if (typeof value === 'string') {
    left -= value.length
    meter.touched += value.length
  } else if (typeof value === 'object' && value !== null) {
    if (depth >= deepest) throw new Fault(`The value is nested more than ${MAX_DEPTH} deep`)
    if (Array.isArray(value)) {
      meter.touched += value.length * ELEMENT
      for (const item of value) left = measure(item, meter, depth + 1, left, deepest)
    } else {
      const keys = Object.keys(value)
      meter.touched += keysCost(keys.length)
      for (const key of keys) left = measure(value[key] as Json, meter, depth + 1, left - key.length, deepest)
    }
  }
  if (left < 0) throw new Fault(`The value is too large: it has more than ${MAX_SIZE} elements and characters`)
  return left
}
