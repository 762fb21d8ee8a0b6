import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { configPath } from './check-filter.ts'
import { type Condition, type Filter, isCondition, type NamedSets, setKey } from './filter.ts'
import type { Filterable, FilterField } from './filterable.ts'

/**
 * A filter as SQL, with all that people wrote as parameters. Of what the database cannot be asked, as a rendered config value, nothing is
 * demanded: then it finds too many, and never too few, and `isExact` is false.
 */
export function compileFilter(
  filter: Filter,
  filterable: Filterable,
  sets: NamedSets,
): { where: SQL; isExact: boolean } {
  let isExact = true
  const leaf = (condition: Condition, isNegated: boolean): SQL => {
    const field = configPath(condition.field) === undefined ? filterable.fields[condition.field] : undefined
    if (!field) {
      isExact = false
      return sql`true`
    }
    const found = toSql(condition, field, sets)
    // What is none makes a comparison neither true nor false.
    return isNegated ? sql`not coalesce(${found}, false)` : found
  }
  // `not` is carried to the conditions: so what is demanded of none of them stays too many.
  const walk = (part: Filter, isNegated: boolean): SQL => {
    if (isCondition(part)) return leaf(part, isNegated)
    if (part.kind === 'not') return walk(part.part, !isNegated)
    const isAll = (part.kind === 'and') !== isNegated
    const inner = part.parts.map(one => walk(one, isNegated))
    return sql`(${sql.join(inner, isAll ? sql` and ` : sql` or `)})`
  }
  const where = walk(filter, false)
  return { where, isExact }
}

/** Of what is none, this may be null: that is not true. */
function toSql(condition: Condition, { type, column }: FilterField, sets: NamedSets): SQL {
  const given = (value: unknown): SQL => {
    if (type === 'number') return sql`${value}::numeric`
    if (type === 'boolean') return sql`${value}::boolean`
    return type === 'time' ? sql`${value}::timestamptz` : sql`${value}`
  }
  // As it is, so that an index can be used; an address or a UUID is compared as the text that is shown.
  const same = type === 'text' && !isText(column) ? sql`${column}::text` : sql`${column}`
  // In bytes, as in every other place where texts are in an order.
  const ordered = type === 'text' ? sql`${column}::text collate "C"` : sql`${column}`
  switch (condition.kind) {
    case 'exists':
      return sql`${column} is not null`
    case 'within':
    case 'isa':
      return sql`${same} = any(${textArray([...(sets.get(setKey(condition)) ?? [])])})`
    case 'oneOf': {
      if (!condition.values.length) return sql`false`
      const parts = condition.values.map(value =>
        value === null ? sql`${column} is null` : sql`${same} = ${given(value)}`,
      )
      return sql`(${sql.join(parts, sql` or `)})`
    }
    case 'compare': {
      const { operator, value } = condition
      if (value === null && operator === '==') return sql`${column} is null`
      if (value === null) return operator === '!=' ? sql`${column} is not null` : sql`false`
      if (operator === '==') return sql`${same} = ${given(value)}`
      if (operator === '!=') return sql`${same} is distinct from ${given(value)}`
      if (operator === 'contains') return sql`strpos(${column}::text, ${value}::text) > 0`
      if (operator === 'like') return sql`${ordered} like ${toLike(String(value))}::text escape '!'`
      return sql`${ordered} ${sql.raw(operator)} ${type === 'text' ? sql`${value}::text` : given(value)}`
    }
  }
}

/** Whose values are compared with texts as they are. */
const isText = ({ columnType }: PgColumn): boolean => /^Pg(Text|Varchar|EnumColumn|EnumObjectColumn)$/.test(columnType)

const textArray = (names: readonly string[]): SQL =>
  sql`array(select jsonb_array_elements_text(${JSON.stringify(names)}::jsonb))`

const toLike = (text: string): string => text.replace(/[!%_]/g, '!$&').replaceAll('*', '%').replaceAll('?', '_')
