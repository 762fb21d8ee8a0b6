import { type SQL, sql } from 'drizzle-orm'

/**
 * `any(…)` of a list, for the right side of `=`. One parameter, so that the statement's text is the same for any number of
 * them; and an array, which is looked up in an index: PostgreSQL takes a set for large, and reads the whole table for it.
 */
export function anyOf(type: 'text' | 'bigint' | 'uuid' | 'macaddr' | 'inet', values: Iterable<string | number>): SQL {
  const list = JSON.stringify([...values])
  return sql`any(array(select value::${sql.raw(type)} from jsonb_array_elements_text(${list}::jsonb) as value))`
}

export const anyText = (values: Iterable<string>): SQL => anyOf('text', values)
export const anyNumber = (values: Iterable<number>): SQL => anyOf('bigint', values)
