import { z } from 'zod'
import { findSizeBytes, size } from '../value/size.ts'

/**
 * What a template may ask of one value: the value itself, a list of those that will do, a range, or, of text, a
 * pattern. A pattern is found anywhere in the text unless `^` and `$` hold it; it runs in an engine whose time is linear
 * in the text (RE2), so that no pattern, however clumsy, holds up the server.
 */
const plainText = z.string().min(1, 'must not be empty').max(255, 'must be 255 characters at the most')

/** Whether it is one that can be used, its engine says, where it is saved. */
const pattern = z.string().min(1, 'must not be empty').max(500, 'must be 500 characters at the most')

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
