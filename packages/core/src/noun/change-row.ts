import { eq } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { Db } from '../database/database.ts'
import { type Lock, takingLock } from '../database/lock-order.ts'
import type { CallOptions } from '../engine/engine.ts'
import { checkVersion, notFound } from './refuse.ts'

/** Where the objects of a noun are kept. */
export interface Kept<T extends PgTable = PgTable> {
  /** As messages name one. */
  readonly kind: string
  readonly table: T
  readonly key: PgColumn
  readonly lock: Lock
}

/** The row of an object; NOT_FOUND when there is none. */
export async function readRow<T extends PgTable>(
  db: Db,
  { kind, table, key }: Kept<T>,
  id: string | number,
): Promise<T['$inferSelect']> {
  const [row] = await db
    .select()
    .from(table as PgTable)
    .where(eq(key, id))
  if (!row) throw notFound(kind, id)
  return row
}

/**
 * The row of an object that is about to be changed or deleted, locked until the transaction ends: NOT_FOUND when there is
 * none, VERSION_MISMATCH when it is not as the caller has read it. `against`: whether references to it wait as well, as they must
 * where it is to go.
 */
export async function lockRow<T extends PgTable>(
  tx: Db,
  { kind, table, key, lock }: Kept<T>,
  id: string | number,
  { ifVersion }: CallOptions = {},
  against: 'changes' | 'references' = 'changes',
): Promise<T['$inferSelect']> {
  takingLock(tx, lock)
  const [row] = (await tx
    .select()
    .from(table as PgTable)
    .where(eq(key, id))
    .for(against === 'changes' ? 'no key update' : 'update')) as { version: number }[]
  if (!row) throw notFound(kind, id)
  checkVersion(kind, id, row.version, ifVersion)
  return row
}
