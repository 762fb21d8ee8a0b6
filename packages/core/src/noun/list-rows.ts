import type { Page } from '@contractor/contract'
import { and, asc, desc, eq, gt, isNull, lt, type SQL } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { Db } from '../database/database.ts'

/** What a list is asked for, once it is parsed: a page, and what it is narrowed to. */
export interface Listing {
  after?: string | undefined
  limit: number
}

interface Place {
  key: PgColumn
  newestFirst?: boolean
  where?: readonly (SQL | undefined)[]
}

/** The rows of a page in the order of their keys, and one more, by which it is known whether there is another page. */
export async function listRows<T extends PgTable>(
  db: Db,
  table: T,
  { after, limit }: Listing,
  { key, newestFirst = false, where = [] }: Place,
): Promise<T['$inferSelect'][]> {
  const behind = after === undefined ? undefined : (newestFirst ? lt : gt)(key, keyOf(key, after))
  return db
    .select()
    .from(table as PgTable)
    .where(and(behind, ...where))
    .orderBy((newestFirst ? desc : asc)(key))
    .limit(limit + 1)
}

/** A cursor is the key of the last row that was read. */
export const keyOf = (key: PgColumn, cursor: string): string | number =>
  key.dataType === 'number' ? Number(cursor) : cursor

/** Conditions of what a list is narrowed to, by the columns of the same names. What was not given narrows nothing. */
export function matching(table: PgTable, filter: Readonly<Record<string, unknown>>): SQL[] {
  const columns = table as unknown as Record<string, PgColumn>
  return Object.entries(filter).flatMap(([name, value]) => {
    const column = columns[name]
    if (value === undefined) return []
    // Left out, it would give all there is.
    if (!column) throw new Error(`There is no column '${name}' that a list could be narrowed to`)
    return [value === null ? isNull(column) : eq(column, value)]
  })
}

/** Cuts what was read with `limit + 1` into a page. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  cursor: (row: Row) => string | number,
  view: (row: Row) => Item,
): Page<Item> {
  const items = rows.slice(0, limit).map(view)
  const last = rows[limit - 1]
  return rows.length > limit && last !== undefined ? { items, next: String(cursor(last)) } : { items }
}
