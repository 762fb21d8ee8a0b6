import { ContractorError } from '@contractor/contract'
import { z } from 'zod'

/** How a field of a schema is written on a command line. */
export interface Form {
  readonly field: string
  /** Without the two dashes. */
  readonly flag: string
  /** As commander names it. */
  readonly option: string
  readonly kind: 'text' | 'number' | 'truth' | 'texts' | 'json'
  readonly nullable: boolean
  readonly placeholder: string
  readonly description: string
  readonly choices?: string[]
}

/** The fields of a map; of one of several, those of all of them. */
export function shapeOf(schema: z.ZodType): Record<string, z.ZodType> {
  const inner = bare(schema).schema
  if (inner instanceof z.ZodObject) return inner.shape as Record<string, z.ZodType>
  if (inner instanceof z.ZodUnion) return Object.assign({}, ...inner.options.map(one => shapeOf(one as z.ZodType)))
  return {}
}

export function formOf(field: string, type: z.ZodType): Form {
  const { schema, nullable } = bare(type)
  const kind = kindOf(schema)
  const flag = field.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
  const choices = schema instanceof z.ZodEnum ? schema.options.map(String) : undefined
  const none = nullable ? '; null for none' : ''
  return {
    ...{ field, flag, kind, nullable },
    // Commander makes camel case of a flag, which is the field again.
    option: field,
    placeholder: { text: 'text', number: 'number', truth: 'true|false', texts: 'text', json: 'json' }[kind],
    description: `${{ text: '', number: '', truth: '', texts: 'may be given several times', json: 'as JSON' }[kind]}${none}`,
    ...(choices && !nullable && { choices }),
  }
}

/** What a schema is about, without what may be absent, null, or is made of it. */
function bare(schema: z.ZodType, nullable = false): { schema: z.ZodType; nullable: boolean } {
  if (schema instanceof z.ZodNullable) return bare(schema.unwrap() as z.ZodType, true)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return bare(schema.unwrap() as z.ZodType, nullable)
  if (schema instanceof z.ZodPipe) {
    const { in: before, out: after } = schema.def as unknown as { in: z.ZodType; out: z.ZodType }
    return bare(before instanceof z.ZodTransform ? after : before, nullable)
  }
  return { schema, nullable }
}

function kindOf(schema: z.ZodType): Form['kind'] {
  if (schema instanceof z.ZodNumber) return 'number'
  if (schema instanceof z.ZodBoolean) return 'truth'
  if (schema instanceof z.ZodArray)
    return kindOf(bare(schema.element as z.ZodType).schema) === 'text' ? 'texts' : 'json'
  const isText = schema instanceof z.ZodString || schema instanceof z.ZodStringFormat
  return isText || schema instanceof z.ZodEnum || schema instanceof z.ZodLiteral ? 'text' : 'json'
}

/** What was written, as the API takes it. Throws VALIDATION_FAILED for what is none of its kind. */
export function readValue({ flag, kind, nullable }: Form, written: string | string[]): unknown {
  if (Array.isArray(written)) return written
  if (nullable && written === 'null') return null
  if (kind === 'text') return written
  const refuse = (what: string) =>
    new ContractorError('VALIDATION_FAILED', `--${flag} must be ${what}, not '${written}'`, {
      issues: [{ path: flag, message: `must be ${what}` }],
    })
  if (kind === 'number') {
    if (!/^-?\d+$/.test(written)) throw refuse('a whole number')
    return Number(written)
  }
  if (kind === 'truth') {
    if (written !== 'true' && written !== 'false') throw refuse('true or false')
    return written === 'true'
  }
  try {
    return JSON.parse(written)
  } catch {
    throw refuse('JSON')
  }
}
