import type { Page } from '@contractor/contract'
import { and, asc, count, desc, eq, getTableColumns, gt, isNull, lt, type SQL } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { Db } from '../database/database.ts'
import type { Filterable } from '../filter/filterable.ts'
import { prepareQuestion, type ReadConfig } from '../filter/question.ts'

/** What a list is asked for, once it is parsed: a page, and what it is narrowed to. */
export interface Listing {
  after?: string | undefined
  limit: number
  /** In the language of filters. */
  filter?: string | undefined
}

interface Place {
  key: PgColumn
  newestFirst?: boolean
  where?: readonly (SQL | undefined)[]
  /** What its filters may ask. */
  asked?: Asked
}

/** What can be asked of the rows of a table; and their configs, where these can be asked too. */
export interface Asked {
  readonly filterable: Filterable
  // biome-ignore lint/suspicious/noExplicitAny: the rows of one table are known to its list alone
  configs?(db: Db, rows: readonly any[]): Promise<(row: any) => ReadConfig>
}

/** How many rows are read at once that have to be looked at one by one. */
const chunk = 500

/** The rows of a page in the order of their keys, and one more, by which it is known whether there is another page. */
export async function listRows<T extends PgTable>(
  db: Db,
  table: T,
  { after, limit, filter }: Listing,
  { key, newestFirst = false, where = [], asked }: Place,
): Promise<T['$inferSelect'][]> {
  type Row = T['$inferSelect']
  const read = async (cursor: string | undefined, most: number, condition?: SQL): Promise<Row[]> => {
    const behind = cursor === undefined ? undefined : (newestFirst ? lt : gt)(key, keyOf(key, cursor))
    return db
      .select()
      .from(table as PgTable)
      .where(and(behind, condition, ...where))
      .orderBy((newestFirst ? desc : asc)(key))
      .limit(most)
  }
  if (filter === undefined) return read(after, limit + 1)
  if (!asked) throw new Error('This list can be asked nothing')
  const question = await prepareQuestion(db, filter, asked.filterable)
  if (question.isExact) return read(after, limit + 1, question.where)
  const keyName = Object.entries(getTableColumns(table as PgTable)).find(([, column]) => column === key)?.[0] ?? ''
  const found: Row[] = []
  for (let cursor = after; ; ) {
    const rows = await read(cursor, chunk, question.where)
    const configs = await asked.configs?.(db, rows)
    found.push(...rows.filter(row => question.holds(row as Record<string, unknown>, configs?.(row))))
    if (found.length > limit || rows.length < chunk) return found.slice(0, limit + 1)
    cursor = String((rows.at(-1) as Record<string, unknown>)[keyName])
  }
}

/** How many there are, of those that a list would give. */
export async function countRows<T extends PgTable>(
  db: Db,
  table: T,
  filter: string | undefined,
  place: Place & { asked: Asked },
): Promise<number> {
  const { where = [], asked } = place
  const question = filter === undefined ? undefined : await prepareQuestion(db, filter, asked.filterable)
  if (question && !question.isExact)
    return (await listRows(db, table, { limit: Number.MAX_SAFE_INTEGER - 1, filter }, place)).length
  const [row] = await db
    .select({ count: count() })
    .from(table as PgTable)
    .where(and(question?.where, ...where))
  return row?.count ?? 0
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
