import { sql } from 'drizzle-orm'
import { type Db, executeRows } from './database.ts'

/** Whoever holds rows: a session with an open transaction, or a transaction that was prepared and forgotten. */
export interface LockHolder extends Record<string, unknown> {
  /** Of the session; absent for a prepared transaction. */
  pid: number | null
  /** The name that the session gave itself, or that of the prepared transaction. */
  application: string
  /** When its transaction began. */
  since: string
  /** As pg_stat_activity has it: `idle in transaction` is one that was forgotten. */
  state: string
}

export interface LockableRows {
  jobs?: readonly number[]
  foundations?: readonly string[]
  structures?: readonly number[]
  dependencies?: readonly number[]
}

/**
 * Who has these rows in hand at this moment. A row's xmax names the transaction that changed or locked it last, or a group
 * of several (a multixact); every transaction that runs holds the lock on its own id, by which its session is found.
 * Waits for nobody.
 */
export async function findLockHolders(db: Db, rows: LockableRows): Promise<LockHolder[]> {
  // As arrays, which are looked up in an index: PostgreSQL takes a set for large, and reads the whole table for it.
  const texts = (values: readonly string[] = []) =>
    sql`any(array(select value from jsonb_array_elements_text(${JSON.stringify(values)}::jsonb) as value))`
  const numbers = (values: readonly number[] = []) =>
    sql`any(array(select value::bigint from jsonb_array_elements_text(${JSON.stringify(values)}::jsonb) as value))`
  const marks = await executeRows<{ xmax: string }>(
    db,
    sql`select distinct xmax::text as xmax from (
          select xmax from contractor.job where id = ${numbers(rows.jobs)}
          union all select xmax from contractor.foundation where locator = ${texts(rows.foundations)}
          union all select xmax from contractor.structure where id = ${numbers(rows.structures)}
          union all select xmax from contractor.dependency where id = ${numbers(rows.dependencies)}
        ) as row where xmax::text <> '0'`,
  )
  if (!marks.length) return []
  const ids = new Set(marks.map(row => row.xmax))
  // A number is a transaction's or a group's, and the row does not say which; one that is no group is an error.
  for (const { xmax } of marks) for (const member of await membersOf(db, xmax)) ids.add(member)
  return executeRows<LockHolder>(
    db,
    sql`select distinct activity.pid, coalesce(nullif(activity.application_name, ''), activity.usename::text, '') as application,
          to_json(activity.xact_start) #>> '{}' as since, coalesce(activity.state, '') as state
        from pg_locks held join pg_stat_activity activity on activity.pid = held.pid
        where held.locktype = 'transactionid' and held.granted and held.mode = 'ExclusiveLock'
          and held.transactionid::text = ${texts([...ids])} and held.pid <> pg_backend_pid()
        union all
        select null, gid, to_json(prepared) #>> '{}', 'prepared transaction' from pg_prepared_xacts
        where transaction::text = ${texts([...ids])}`,
  )
}

async function membersOf(db: Db, xmax: string): Promise<string[]> {
  const statement = sql`select xid::text as xid from pg_get_multixact_members(${xmax}::xid)`
  // A savepoint, so that the error ends no transaction of the caller's.
  const rows = await db.transaction(inner => executeRows<{ xid: string }>(inner, statement)).catch(() => [])
  return rows.map(row => row.xid)
}

/** Whoever has written something, and has had a transaction open for so long: one of them is who was waited for. */
export function findLongTransactions(db: Db, ms: number): Promise<LockHolder[]> {
  return executeRows<LockHolder>(
    db,
    sql`select pid, coalesce(nullif(application_name, ''), usename::text, '') as application,
          to_json(xact_start) #>> '{}' as since, coalesce(state, '') as state
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and xact_start < clock_timestamp() - ${ms}::float8 * interval '1 millisecond'
          and (backend_xid is not null or pid in (select pid from pg_locks where mode in ('RowShareLock', 'RowExclusiveLock', 'AccessExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock') and locktype = 'relation'))
        union all
        select null, gid, to_json(prepared) #>> '{}', 'prepared transaction' from pg_prepared_xacts where database = current_database()`,
  )
}

/** As messages name it. */
export function describeHolder({ pid, application, since, state }: LockHolder): string {
  const who = pid === null ? `the prepared transaction '${application}'` : `session ${pid} ('${application}', ${state})`
  return `${who}, whose transaction began at ${since}`
}
