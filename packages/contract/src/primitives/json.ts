import { z } from 'zod'
import { findUnstorable, mendText } from './text.ts'

/** Plain JSON: the only form in which state, arguments, parameters and results are kept and sent. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Deeper values are refused: whoever walks them would run out of stack. */
const mostLevels = 500

// One walk of our own: a schema of unions that names itself takes 20 times as long, and every step of a Job has several.
// Named, so that a document generated from schemas can refer to it.

/**
 * Plain JSON that can be kept: a text in it that cannot (see text.ts) is refused, with its path. A member that is `undefined`
 * is none, as in JSON itself: that is how authors take one away.
 */
export const json: z.ZodType<Json> = z
  .any()
  .overwrite(withoutUndefined)
  .superRefine((value: unknown, context) => {
    if (!isJson(value)) return context.addIssue({ code: 'custom', message: 'Invalid input: it is no plain JSON' })
    const path = findUnstorable(value)
    if (path) context.addIssue({ code: 'custom', path, message: 'holds NUL or half a character, which cannot be kept' })
  })
  .meta({ id: 'Json' })

/** Plain JSON as agents send it: what cannot be kept of it is mended where it is taken. */
export const reportedJson: z.ZodType<Json> = z
  .any()
  .overwrite(withoutUndefined)
  .refine(value => isJson(value), 'Invalid input: it is no plain JSON')
  .meta({ id: 'ReportedJson' })

/** A value without the members that are `undefined`; the same value, not a copy, where there are none, as nearly always. */
function withoutUndefined(value: unknown): unknown {
  if (!hasUndefined(value)) return value
  if (Array.isArray(value)) return value.map(withoutUndefined)
  const entries = Object.entries(value as object).filter(([, item]) => item !== undefined)
  // Not by assignment: a member called __proto__ is refused later, and must still be there then.
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutUndefined(item)]))
}

/** Whether a plain object within has such a member; undefined where it is too deep to be JSON, as what holds itself is. */
function hasUndefined(value: unknown, levels = mostLevels): boolean | undefined {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return undefined
  if (!Array.isArray(value) && !isPlain(value)) return false
  for (const key in value) {
    const item: unknown = value[key as never]
    const found = item === undefined ? !Array.isArray(value) : hasUndefined(item, levels - 1)
    if (found !== false) return found
  }
  return false
}

/** A value with each text and key mended; the same value, not a copy, where nothing is to mend. */
export function mendJson(value: Json): Json {
  if (typeof value === 'string') return mendText(value)
  if (!findUnstorable(value)) return value
  if (Array.isArray(value)) return value.map(mendJson)
  return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [mendText(key), mendJson(item)]))
}

function isJson(value: unknown, levels = mostLevels): value is Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object':
      if (value === null) return true
      if (levels === 0) return false
      if (Array.isArray(value)) return value.every(item => isJson(item, levels - 1))
      return isPlain(value) && Object.keys(value).every(key => key !== '__proto__' && isJson(value[key], levels - 1))
    default:
      return false
  }
}

/** Not an instance of a class, which would come back from the database as something else. */
function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

/** What is JSON by its making, for where the type alone does not show it: an optional field that is absent, say. */
export const asJson = (value: object | null): Json => value as Json
