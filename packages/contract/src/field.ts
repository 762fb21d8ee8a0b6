import { z } from 'zod'
import { filterText, pageRequest } from './page.ts'
import { nameUnknown } from './primitives/near-name.ts'

/**
 * One field of a noun: what is given for it, what is shown of it, and what may be asked of it. From a noun's fields follow
 * the schemas of its creation, its changes, its view and its list, which therefore cannot disagree.
 */
export interface Field<
  Given extends z.ZodType = z.ZodType,
  Shown extends z.ZodType = z.ZodType,
  Role extends FieldRole = FieldRole,
  Filter extends z.ZodType | undefined = z.ZodType | undefined,
> {
  readonly role: Role
  readonly given: Given
  readonly shown: Shown
  /** What a list may be narrowed to: a value of this. */
  readonly filter: Filter
}

/** `open`: given at creation, and may change. `fixed`: given at creation, and stays. `shown`: the engine's own. */
export type FieldRole = 'open' | 'fixed' | 'shown'
export type Fields = Readonly<Record<string, Field>>

interface FieldOptions {
  /** What is shown, where that is not of the schema of what is given. */
  shown?: z.ZodType
  filter?: z.ZodType
}

/** What a schema says of a value that is there: without its default. */
type Bare<T extends z.ZodType> = T extends z.ZodDefault<infer Inner extends z.ZodType> ? Inner : T
type ShownBy<Given extends z.ZodType, Options> = Options extends { shown: infer S extends z.ZodType } ? S : Bare<Given>
type FilterBy<Options> = Options extends { filter: infer F extends z.ZodType } ? F : undefined
type Written<Given extends z.ZodType, Role extends FieldRole, Options> = Field<
  Given,
  ShownBy<Given, Options>,
  Role,
  FilterBy<Options>
>

const bare = <T extends z.ZodType>(schema: T): Bare<T> =>
  (schema instanceof z.ZodDefault ? schema.unwrap() : schema) as Bare<T>

const written =
  <Role extends FieldRole>(role: Role) =>
  <Given extends z.ZodType, const Options extends FieldOptions = Record<never, never>>(
    given: Given,
    options?: Options,
  ): Written<Given, Role, Options> =>
    // What the conditional types say is what stands here.
    ({ role, given, shown: options?.shown ?? bare(given), filter: options?.filter }) as unknown as Written<
      Given,
      Role,
      Options
    >

/** Given at creation, as its schema says: required unless that has a default. May change. */
export const field = written('open')
/** Given at creation; another value makes another object. */
export const fixed = written('fixed')
/** What only the engine says. */
export const shown = written('shown')

type InputShape<F extends Fields> = {
  -readonly [K in keyof F as F[K]['role'] extends 'shown' ? never : K]: F[K]['given']
}
type ChangesShape<F extends Fields> = {
  -readonly [K in keyof F as F[K]['role'] extends 'open' ? K : never]: z.ZodOptional<Bare<F[K]['given']>>
}
type ViewShape<F extends Fields> = { -readonly [K in keyof F]: F[K]['shown'] }
type FilterShape<F extends Fields> = {
  -readonly [K in keyof F as F[K]['filter'] extends z.ZodType ? K : never]: F[K]['filter'] extends z.ZodType
    ? z.ZodOptional<F[K]['filter']>
    : never
}

/** The schemas that follow from fields. */
export interface FieldSchemas<F extends Fields> {
  readonly fields: F
  readonly input: z.ZodObject<InputShape<F>, z.core.$strict>
  /** What is not given stays as it is; maps are laid over the present ones, and null takes a value away (RFC 7396). */
  readonly changes: z.ZodObject<ChangesShape<F>, z.core.$strict>
  readonly view: z.ZodObject<ViewShape<F>>
  /** Without what a page is. */
  readonly filter: z.ZodObject<FilterShape<F>, z.core.$strict>
}

const pick = (fields: Fields, wanted: (field: Field) => z.ZodType | undefined): Record<string, z.ZodType> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, one]) => {
      const schema = wanted(one)
      return schema ? [[name, schema]] : []
    }),
  )

/** `id` names the view in documents that are generated from it. */
export function defineFields<const F extends Fields>(id: string, fields: F): FieldSchemas<F> {
  const schemas = {
    fields,
    input: z.strictObject(pick(fields, one => (one.role === 'shown' ? undefined : one.given))),
    changes: z.strictObject(pick(fields, one => (one.role === 'open' ? bare(one.given).optional() : undefined))),
    view: z.object(pick(fields, one => one.shown)).meta({ id }),
    filter: z.strictObject(
      pick(fields, one => one.filter?.optional()),
      { error: nameUnknown },
    ),
  }
  // What the mapped types say is what was picked.
  return schemas as unknown as FieldSchemas<F>
}

/** What a list takes: a page, narrowed by these. */
export const listQuery = <Filter extends z.ZodRawShape, Base extends typeof pageRequest = typeof pageRequest>(
  filter: z.ZodObject<Filter, z.core.$strict>,
  page: Base = pageRequest as Base,
) => page.extend(filter.shape)

/** The same for a list that may be asked in the language of filters as well. */
export const askableQuery = <Filter extends z.ZodRawShape, Base extends typeof pageRequest = typeof pageRequest>(
  filter: z.ZodObject<Filter, z.core.$strict>,
  page: Base = pageRequest as Base,
) => listQuery(filter, page).extend({ filter: filterText.optional() })

/** When something came to be, when it last changed, and how often: the version is its ETag. */
export const stamps = {
  version: shown(z.number().int().positive()),
  createdAt: shown(z.iso.datetime()),
  updatedAt: shown(z.iso.datetime()),
}
