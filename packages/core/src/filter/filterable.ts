import { getTableColumns } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { z } from 'zod'

/** What may be asked of a noun, and what each field is. It follows from its view and its table. */
export interface Filterable {
  /** As messages call one. */
  readonly noun: string
  readonly fields: Readonly<Record<string, FilterField>>
  /** Whether its config may be asked, as `config.NAME`. */
  readonly hasConfig: boolean
}

export type FieldType = 'text' | 'number' | 'boolean' | 'time'

export interface FilterField {
  readonly type: FieldType
  /** The values that there are, where it has only some. */
  readonly values?: readonly string[]
  /** Whether it may be none. */
  readonly isNullable: boolean
  readonly column: PgColumn
  /** What it names, where that stands in a tree: then `in subtree( … )`, or `isa`. */
  readonly tree?: 'site' | 'plot' | 'blueprint'
}

const trees: Readonly<Record<string, FilterField['tree']>> = { site: 'site', plot: 'plot', blueprint: 'blueprint' }

/** Of a view's fields those that are columns of their own, and no secrets, maps or lists. */
export function defineFilterable(
  noun: string,
  view: z.ZodObject,
  table: PgTable,
  { hasConfig = false }: { hasConfig?: boolean } = {},
): Filterable {
  const columns = getTableColumns(table) as Record<string, PgColumn>
  const fields = Object.entries(view.shape).flatMap(([name, schema]) => {
    const column = columns[name]
    const kind = column && kindOf(schema as z.ZodType)
    if (!kind) return []
    const tree = trees[name]
    return [[name, { ...kind, column, ...(tree && { tree }) }] as const]
  })
  return { noun, fields: Object.fromEntries(fields), hasConfig }
}

function kindOf(schema: z.ZodType): Pick<FilterField, 'type' | 'values' | 'isNullable'> | undefined {
  let inner: z.ZodType = schema
  let isNullable = false
  while (inner instanceof z.ZodNullable || inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) {
    isNullable ||= inner instanceof z.ZodNullable || inner instanceof z.ZodOptional
    inner = inner.unwrap() as z.ZodType
  }
  if (inner instanceof z.ZodEnum) return { type: 'text', values: inner.options.map(String), isNullable }
  if (inner instanceof z.ZodISODateTime) return { type: 'time', isNullable }
  if (inner instanceof z.ZodString || inner instanceof z.ZodUUID) return { type: 'text', isNullable }
  if (inner instanceof z.ZodNumber) return { type: 'number', isNullable }
  if (inner instanceof z.ZodBoolean) return { type: 'boolean', isNullable }
  return undefined
}
