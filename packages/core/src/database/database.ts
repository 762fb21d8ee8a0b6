import { type SQL, sql } from 'drizzle-orm'
import { causesOf } from './causes.ts'
import type { Db } from './db.ts'
import { internalsOf } from './internals.ts'
import { nameStatement, statementName } from './pglite-statements.ts'

export type { Db } from './db.ts'

/** What has to be open for the engine to run on. */
export interface Database {
  readonly db: Db
  /** `pglite` has one session: whatever is outside of an open transaction waits for it. */
  readonly kind: 'pglite' | 'postgres'
  /** How to name it in messages; never with a password. */
  readonly name: string
  /** How long a lock is waited for by whoever must not be held up, in milliseconds; 250 unless said. */
  readonly waitMs?: number
  /** Whether a call from here, outside of a transaction, would wait for its own caller's transaction for ever. */
  waitsForCaller(): boolean
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
  // drizzle prepares by a statement's name, and gives none to raw SQL; pg refuses one name for two statements.
  const { dialect, session } = internalsOf(db)
  const query = dialect.sqlToQuery(statement)
  const run = async (text: string, params: unknown[], name?: string): Promise<Row[]> => {
    const result: unknown = await session.prepareQuery({ sql: text, params }, undefined, name, false).execute()
    return Array.isArray(result) ? (result as Row[]) : (result as { rows: Row[] }).rows
  }
  const named = nameStatement(db, query.sql, query.params)
  if (!named) return run(query.sql, query.params, statementName(query.sql))
  if (named.prepare) {
    await run(named.prepare.text, [])
    named.prepare.done()
  }
  return run(named.execute, [])
}

/** The SQLSTATE of a database error, however deeply a driver or drizzle has wrapped it. */
export function sqlState(thrown: unknown): string | undefined {
  for (const error of causesOf(thrown)) {
    const code = 'code' in error ? error.code : undefined
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code
  }
  return undefined
}

/** The constraint that a database error is about, if any. */
export function violatedConstraint(thrown: unknown): string | undefined {
  for (const error of causesOf(thrown)) {
    for (const key of ['constraint', 'constraint_name']) {
      const name = (error as unknown as Record<string, unknown>)[key]
      if (typeof name === 'string') return name
    }
  }
  return undefined
}

const serializationFailure = '40001'
const deadlockDetected = '40P01'
const lockNotAvailable = '55P03'
const queryCanceled = '57014'

/** Whether two transactions could not both be; behind a pooler, whose default isolation is not ours, a single statement's too. */
export const isSerializationFailure = (thrown: unknown): boolean => sqlState(thrown) === serializationFailure

/** Whether somebody else held what was needed for longer than it may be waited for, by our limit or the server's own. */
export function isLockTimeout(thrown: unknown): boolean {
  const state = sqlState(thrown)
  return state === lockNotAvailable || state === queryCanceled
}

/**
 * Runs in the caller's transaction, or in one of our own, which is READ COMMITTED whatever the database's default is: all
 * that is decided here is decided by rows that were locked first and read after that. Our own is run again when PostgreSQL
 * ended it to break a deadlock: it has changed nothing then. A caller's is the caller's to repeat.
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

const inFailedTransaction = '25P02'

/**
 * Waits for statements that were sent together. Where one fails, those behind it fail too, only since it has; and which of
 * these errors is heard of first is by chance. The one that says why is thrown.
 */
export async function together<T extends readonly unknown[]>(
  statements: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  const ends = await Promise.allSettled(statements)
  const errors = ends.flatMap(end => (end.status === 'rejected' ? [end.reason as unknown] : []))
  if (errors.length) throw errors.find(error => sqlState(error) !== inFailedTransaction) ?? errors[0]
  return ends.map(end => (end as PromiseFulfilledResult<unknown>).value) as unknown as T
}

/** How long a transaction of the Foreman or of an agent's request waits for one lock, in milliseconds. */
const shortWaitMs = 250

/**
 * As inTransaction, for what must not be held up: a lock that is not to be had within a moment ends it with a lock timeout
 * (see isLockTimeout). Whoever calls puts aside what is locked, and goes on with the rest.
 */
export async function inShortTransaction<T>(
  { db, kind, waitMs = shortWaitMs }: Database,
  run: (tx: Db) => Promise<T>,
): Promise<T> {
  if (kind === 'pglite') return inTransaction(db, undefined, run)
  return inTransaction(db, undefined, async tx => {
    // Sent together with the first statement, and carried out before it.
    const limited = tx.execute(sql.raw(`set local lock_timeout = ${waitMs}`)).execute()
    const [result] = await together([run(tx), limited])
    return result
  })
}
