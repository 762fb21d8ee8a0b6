import { RE2JS } from 're2js'
import { z } from 'zod'
import { findSizeBytes, size } from './size.ts'

/**
 * What a template may ask of one value: the value itself, a list of those that will do, a range, or, of text, a
 * pattern. A pattern is found anywhere in the text unless `^` and `$` hold it; it runs in an engine whose time is linear
 * in the text (RE2), so that no pattern, however clumsy, holds up the server.
 */
const plainText = z.string().min(1, 'must not be empty').max(255, 'must be 255 characters at the most')

const pattern = z
  .string()
  .min(1, 'must not be empty')
  .max(500, 'must be 500 characters at the most')
  .superRefine((written, context) => {
    try {
      RE2JS.compile(written)
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error)
      context.addIssue({ code: 'custom', message: `is no pattern: ${reason}` })
    }
  })

const wholeNumber = z.number().int('must be a whole number').min(0, 'must not be negative')

/** Both ends belong to it. */
const range = <T extends z.ZodType<string | number>>(end: T, order: (written: z.output<T>) => number) =>
  z
    .strictObject({ min: end.optional(), max: end.optional() })
    .refine(({ min, max }) => min !== undefined || max !== undefined, 'must have min, max or both')
    .refine(
      ({ min, max }) => min === undefined || max === undefined || !(order(min) > order(max)),
      'has a min above its max',
    )

/** One of several forms. A mistake is told of the form that was meant; of a union, only that nothing fits. */
const oneOf = <T extends z.ZodType, Form extends z.ZodType>(value: T, form: Form, forms: string) => {
  const list = z.array(value).min(1, 'must name one value at least').max(100, 'must name 100 values at the most')
  return z.union([value, list, form], {
    error: ({ input, errors }) => {
      const meant = Array.isArray(input) ? 1 : typeof input === 'object' && input !== null ? 2 : undefined
      const told = meant === undefined ? undefined : (errors as z.core.$ZodIssue[][] | undefined)?.[meant]
      if (!told?.length) return `must be ${forms}`
      return told.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ')
    },
  })
}

export const textRequirement = oneOf(
  plainText,
  z.strictObject({ pattern }),
  'a text, a list of texts, or { pattern }',
).meta({ id: 'TextRequirement' })
export const numberRequirement = oneOf(
  wholeNumber,
  range(wholeNumber, Number),
  'a whole number, a list of such, or { min, max }',
).meta({ id: 'NumberRequirement' })
export const sizeRequirement = oneOf(
  size,
  range(size, written => findSizeBytes(written) ?? Number.NaN),
  "a size such as '64GiB' or '1TB', a list of such, or { min, max }",
).meta({ id: 'SizeRequirement' })

export type TextRequirement = z.output<typeof textRequirement>
export type NumberRequirement = z.output<typeof numberRequirement>
export type SizeRequirement = z.output<typeof sizeRequirement>
export type Requirement = TextRequirement | NumberRequirement | SizeRequirement | boolean

/** A disk sold as 1TB has a few bytes more: within one percent, a size is the one that was named. */
const sizeTolerance = 0.01

export function meetsText(wanted: TextRequirement, found: string | undefined): boolean {
  if (found === undefined) return false
  if (typeof wanted === 'string') return wanted === found
  return Array.isArray(wanted) ? wanted.includes(found) : RE2JS.compile(wanted.pattern).matcher(found).find()
}

export function meetsNumber(wanted: NumberRequirement, found: number | undefined): boolean {
  if (found === undefined) return false
  if (typeof wanted === 'number') return wanted === found
  if (Array.isArray(wanted)) return wanted.includes(found)
  return found >= (wanted.min ?? 0) && found <= (wanted.max ?? Number.POSITIVE_INFINITY)
}

/** A range is met to the byte. */
export function meetsSize(wanted: SizeRequirement, foundBytes: number | undefined): boolean {
  if (foundBytes === undefined) return false
  const bytes = (written: string | number) => findSizeBytes(written) ?? Number.NaN
  const isNear = (written: string | number) =>
    Math.abs(foundBytes - bytes(written)) <= (typeof written === 'number' ? 0 : bytes(written) * sizeTolerance)
  if (typeof wanted !== 'object') return isNear(wanted)
  if (Array.isArray(wanted)) return wanted.some(isNear)
  const { min, max } = wanted
  return !(min !== undefined && foundBytes < bytes(min)) && !(max !== undefined && foundBytes > bytes(max))
}

/** As a message says it: `2`, `2 or 4`, `2 at least`, `2 to 4`, `like /^Xeon/`. */
export function describeRequirement(wanted: Requirement): string {
  if (typeof wanted !== 'object') return JSON.stringify(wanted).replaceAll('"', "'")
  if (Array.isArray(wanted)) return wanted.map(one => describeRequirement(one)).join(' or ')
  if ('pattern' in wanted) return `like /${wanted.pattern}/`
  const { min, max } = wanted
  if (max === undefined) return `${min} at least`
  return min === undefined ? `${max} at the most` : `${min} to ${max}`
}
