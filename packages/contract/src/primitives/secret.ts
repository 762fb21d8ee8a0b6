import { z } from 'zod'
import type { Json } from './json.ts'

/**
 * Secrets. Inside the engine a secret is a text like any other, but one that holds no secret: a sealed reference, which
 * only the claim of the Task that needs it, or the machine that it is meant for, turns into what it stands for. It may
 * be kept, passed on, and joined with other texts; whoever prints it sees `***`.
 *
 * Written: a mark, the name that it was stored under (if it has one), `=`, the encrypted text, and a closing mark. The
 * marks are private-use characters, which no other text has.
 */
const open = '\uF8F0'
const close = '\uF8F1'
const reference = /\uF8F0([^\uF8F1=]*)=([^\uF8F1]*)\uF8F1/g

/** What people see instead. */
export const secretMask = '***'

export interface SealedSecret {
  /** Empty when it was not stored under one. */
  name: string
  sealed: string
}

export const writeSecret = ({ name, sealed }: SealedSecret): string => `${open}${name}=${sealed}${close}`

export const holdsSecret = (text: string): boolean => text.includes(open)

/** A text with each reference replaced. */
export function replaceSecrets(text: string, replace: (secret: SealedSecret) => string): string {
  if (!holdsSecret(text)) return text
  return text.replace(reference, (_, name: string, sealed: string) => replace({ name, sealed }))
}

export const maskText = (text: string): string =>
  replaceSecrets(text, () => secretMask).replaceAll(/[\uF8F0\uF8F1]/g, '')

/** As people may see a value: secrets in it are `***`. The value itself where it holds none. */
export const maskSecrets = <T extends Json>(value: T): T => mapTexts(value, maskText) as T

/** What is written over the present values, but where a value is given back as it was shown: that stays as it is. */
export function keepMasked(
  present: Readonly<Record<string, Json>>,
  given: Readonly<Record<string, Json>>,
): Record<string, Json> {
  const same = (key: string) =>
    Object.hasOwn(present, key) && JSON.stringify(maskSecrets(present[key] as Json)) === JSON.stringify(given[key])
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, same(key) ? (present[key] as Json) : value]),
  )
}

/** A value with each text changed; the same value, not a copy, where nothing changes. */
export function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items = value.map(item => mapTexts(item, change))
    return items.every((item, at) => item === value[at]) ? value : items
  }
  const entries = Object.entries(value).map(([key, item]): [string, Json] => [key, mapTexts(item, change)])
  return entries.every(([key, item]) => item === value[key]) ? value : Object.fromEntries(entries)
}

/**
 * Marks a text in a schema as a secret: a field of a Foundation, a parameter or a result of a Task. It is encrypted
 * where it is kept, resolved only into the Task that needs it, and `***` wherever people read. The schema checks what is
 * written in clear; inside the engine the text is a reference, which is taken as it is.
 */
export function secret(schema: z.ZodType<string, string> = z.string().min(1)): z.ZodType<string, string> {
  const checked = z.string().superRefine((text, context) => {
    if (holdsSecret(text)) return
    const parsed = schema.safeParse(text)
    // Not the issues themselves: some tell what they got.
    if (!parsed.success)
      context.addIssue({ code: 'custom', message: parsed.error.issues.map(one => one.message).join('; ') })
  })
  return checked.meta({ secret: true })
}

const isMarked = (schema: z.ZodType) => schema.meta()?.secret === true

/**
 * A value with what its schema marks as secret changed: texts in marked places, also inside of lists, maps, optional and
 * nullable values and unions. The same value where there is none.
 */
export function mapSecretPlaces(
  schema: z.ZodType,
  value: Json,
  change: (text: string, path: string) => string,
  path = '',
): Json {
  if (!hasSecretPlaces(schema)) return value
  if (isMarked(schema)) return typeof value === 'string' ? change(value, path) : value
  const def = definitionOf(schema)
  const inner = def.innerType ?? def.in
  if (inner) return mapSecretPlaces(inner, value, change, path)
  if (def.options) return def.options.reduce<Json>((kept, option) => mapSecretPlaces(option, kept, change, path), value)
  if (typeof value !== 'object' || value === null) return value
  const at = (key: string | number) => (path ? `${path}.${key}` : String(key))
  if (Array.isArray(value)) {
    const { element } = def
    return element ? value.map((item, place) => mapSecretPlaces(element, item, change, at(place))) : value
  }
  const { shape = {}, valueType } = def
  const entries = Object.entries(value).map(([key, item]): [string, Json] => {
    const schemaOf = Object.hasOwn(shape, key) ? shape[key] : valueType
    return [key, schemaOf ? mapSecretPlaces(schemaOf, item, change, at(key)) : item]
  })
  return Object.fromEntries(entries)
}

/** Asked for every answer of every agent, and nearly always the answer is no. */
const withSecrets = new WeakMap<z.ZodType, boolean>()

function hasSecretPlaces(schema: z.ZodType): boolean {
  const known = withSecrets.get(schema)
  if (known !== undefined) return known
  const found = marksSecret(schema, new Set())
  withSecrets.set(schema, found)
  return found
}

/** Whether it, or what it is made of, is marked; `seen` ends the walk through a schema that holds itself. */
function marksSecret(schema: z.ZodType, seen: Set<z.ZodType>): boolean {
  if (seen.has(schema)) return false
  seen.add(schema)
  const { innerType, in: piped, element, valueType, options = [], shape = {} } = definitionOf(schema)
  const parts = [innerType, piped, element, valueType, ...options, ...Object.values(shape)]
  return isMarked(schema) || parts.some(part => part !== undefined && marksSecret(part, seen))
}

const definitionOf = (schema: z.ZodType) => (schema as unknown as { def: SchemaDefinition }).def

/** What zod 4 says of the schemas that hold others. */
interface SchemaDefinition {
  innerType?: z.ZodType
  /** Of a pipe. */
  in?: z.ZodType
  options?: readonly z.ZodType[]
  element?: z.ZodType
  shape?: Readonly<Record<string, z.ZodType>>
  valueType?: z.ZodType
}
