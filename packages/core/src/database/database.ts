import type { SQL } from 'drizzle-orm'
import type { PgDatabase, PgDialect, PgQueryResultHKT, PgSession } from 'drizzle-orm/pg-core'
import { nameStatement } from './pglite-statements.ts'

/** A database, or a transaction on one: one type for PGlite and PostgreSQL, so that a query is written once. */
export type Db = PgDatabase<PgQueryResultHKT>

/** What has to be open for the engine to run on. */
export interface Database {
  readonly db: Db
  /** `pglite` has one session: whatever is outside of an open transaction waits for it. */
  readonly kind: 'pglite' | 'postgres'
  /** How to name it in messages; never with a password. */
  readonly name: string
  /** Calls back for each NOTIFY on the channel; `reconnected` when some may have been missed. */
  listen(channel: string, heard: (payload: string) => void, reconnected: () => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

/** Runs a raw statement. The two drivers wrap their rows differently; this is the one place that knows. */
export async function executeRows<Row extends Record<string, unknown>>(db: Db, statement: SQL): Promise<Row[]> {
  const result: unknown = await db.execute(statement)
  return Array.isArray(result) ? (result as Row[]) : (result as { rows: Row[] }).rows
}

/**
 * As executeRows, but the server plans the statement once for each connection, and the driver need not ask it for the
 * types first: one round trip instead of two. For the few statements that every step of every Job runs; their text must
 * be constant, since each text stays in the server's memory.
 */
export async function executePrepared<Row extends Record<string, unknown>>(db: Db, statement: SQL): Promise<Row[]> {
  // drizzle prepares by a statement's name, and gives none to raw SQL.
  const { dialect, session } = db as unknown as { dialect: PgDialect; session: PgSession }
  const query = dialect.sqlToQuery(statement)
  const run = async (text: string, params: unknown[], name?: string): Promise<Row[]> => {
    const result: unknown = await session.prepareQuery({ sql: text, params }, undefined, name, false).execute()
    return Array.isArray(result) ? (result as Row[]) : (result as { rows: Row[] }).rows
  }
  const named = nameStatement(db, query.sql, query.params)
  if (!named) return run(query.sql, query.params, 'prepared')
  if (named.prepare) {
    await run(named.prepare.text, [])
    named.prepare.done()
  }
  return run(named.execute, [])
}

/** The SQLSTATE of a database error, however deeply a driver or drizzle has wrapped it. */
export function sqlState(thrown: unknown): string | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const code = 'code' in error ? error.code : undefined
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code
  }
  return undefined
}

/** The constraint that a database error is about, if any. */
export function violatedConstraint(thrown: unknown): string | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    for (const key of ['constraint', 'constraint_name']) {
      const name = (error as unknown as Record<string, unknown>)[key]
      if (typeof name === 'string') return name
    }
  }
  return undefined
}

const serializationFailure = '40001'
const deadlockDetected = '40P01'

/**
 * Runs in the caller's transaction, or in one of our own. Our own is run again when PostgreSQL ended it to break a
 * deadlock: it has changed nothing then. A caller's is the caller's to repeat.
 */
export async function inTransaction<T>(db: Db, tx: Db | undefined, run: (tx: Db) => Promise<T>): Promise<T> {
  if (tx) return run(tx)
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction(run)
    } catch (error) {
      const state = sqlState(error)
      if (attempt >= 5 || (state !== deadlockDetected && state !== serializationFailure)) throw error
    }
  }
}
