import { is, type SQL, sql, TransactionRollbackError } from 'drizzle-orm'
import { anyNumber, anyText } from './any-of.ts'
import { type Db, executeRows } from './database.ts'

/** Whoever holds rows or tables: a session with an open transaction, or a transaction that was prepared and forgotten. */
export interface LockHolder extends Record<string, unknown> {
  /** Of the session; absent for a prepared transaction. */
  pid: number | null
  /** The name that the session gave itself, or that of the prepared transaction. */
  application: string
  /** When its transaction began. */
  since: string
  /** As pg_stat_activity has it: `idle in transaction` is one that was forgotten. */
  state: string
  /** How long its transaction is open, in milliseconds. */
  age: number
  /** It has the same name as the session that asks: one of ours, or as good as one. */
  own: boolean
}

/** Longer than that no transaction of ours has a Job in hand, in milliseconds. */
const passingMs = 1_000

/** Not one of our own that will be over before anybody has read of it. */
export const isHolding = ({ own, age }: LockHolder): boolean => !own || age > passingMs

/** Held for so long that somebody should hear of it. */
export const isLasting = ({ age }: LockHolder): boolean => age > passingMs

/** What the transitions of Jobs write: the Jobs with their Tasks, and what these stand on. */
export interface LockableRows {
  jobs: readonly number[]
  foundations: readonly string[]
  structures: readonly number[]
  dependencies: readonly number[]
  sites: readonly string[]
}

/** The strength of the locks is that with which transitions lock, so that who only refers to a row holds up nobody. */
const lockables = [
  {
    kind: 'job',
    rows: ({ jobs }: LockableRows) => sql`contractor.job as row where row.id = ${anyNumber(jobs)}`,
    key: sql`row.id::text`,
    lock: sql`for update`,
  },
  {
    kind: 'task',
    rows: ({ jobs }: LockableRows) => sql`contractor.task as row where row.job = ${anyNumber(jobs)}`,
    key: sql`row.id::text`,
    lock: sql`for update`,
  },
  {
    kind: 'site',
    rows: ({ sites }: LockableRows) => sql`contractor.site as row where row.name = ${anyText(sites)}`,
    key: sql`row.name`,
    lock: sql`for key share`,
  },
  {
    kind: 'foundation',
    rows: (rows: LockableRows) => sql`contractor.foundation as row where row.locator = ${anyText(rows.foundations)}`,
    key: sql`row.locator`,
    lock: sql`for no key update`,
  },
  {
    kind: 'structure',
    rows: (rows: LockableRows) => sql`contractor.structure as row where row.id = ${anyNumber(rows.structures)}`,
    key: sql`row.id::text`,
    lock: sql`for no key update`,
  },
  {
    kind: 'dependency',
    rows: (rows: LockableRows) => sql`contractor.dependency as row where row.id = ${anyNumber(rows.dependencies)}`,
    key: sql`row.id::text`,
    lock: sql`for no key update`,
  },
]

/**
 * Who of those that `matters` has these rows in hand at this moment, so that the Jobs cannot go on. Who locks a row holds a
 * lock on its table until the end as well: where nobody does, nothing more is asked. Else it is tried which rows can be
 * locked. The xmax of the others names the transaction that changed or locked them last, or a group of several (a
 * multixact); every transaction that runs holds the lock on its own id, by which its session is found. Waits for nobody.
 */
export async function findLockHolders(
  db: Db,
  rows: LockableRows,
  matters: (holder: LockHolder) => boolean,
): Promise<LockHolder[]> {
  const tables = (await findTableHolders(db)).filter(matters)
  if (tables.length) return tables
  if (!(await lockersOf(db, rowLocks)).some(matters)) return []
  const free = await findLockable(db, rows)
  const marks = await executeRows<{ kind: string; key: string; xmax: string }>(
    db,
    sql.join(
      lockables.map(
        ({ kind, rows: from, key }) =>
          sql`select ${sql.raw(`'${kind}'`)} as kind, ${key} as key, row.xmax::text as xmax from ${from(rows)} and row.xmax::text <> '0'`,
      ),
      sql` union all `,
    ),
  )
  const ids = new Set(marks.filter(({ kind, key }) => !free?.has(`${kind} ${key}`)).map(mark => mark.xmax))
  // A number is a transaction's or a group's, and the row does not say which; one that is no group is an error.
  for (const xmax of [...ids]) for (const member of await membersOf(db, xmax)) ids.add(member)
  return ids.size ? (await sessionsOf(db, [...ids])).filter(matters) : []
}

/** Who keeps everybody from writing to a table, as an index that is being made does. */
export const findTableHolders = (db: Db): Promise<LockHolder[]> => lockersOf(db, tableLocks)

const rowLocks = sql`('RowShareLock', 'RowExclusiveLock')`
const tableLocks = sql`('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`

/** Who has locks of such a mode on a table of ours. */
function lockersOf(db: Db, modes: SQL): Promise<LockHolder[]> {
  const locks = sql`pg_locks held join pg_class on pg_class.oid = held.relation and pg_class.relnamespace = to_regnamespace('contractor')
    where held.locktype = 'relation' and held.granted and held.database = (select oid from pg_database where datname = current_database())
      and held.mode in ${modes}`
  return executeRows<LockHolder>(
    db,
    sql`${sessions} where pid <> pg_backend_pid() and pid in (select held.pid from ${locks})
        union all ${preparedOnes} and transaction::text in (
          select own.transactionid::text from pg_locks own where own.locktype = 'transactionid' and own.pid is null
            and own.virtualtransaction in (select held.virtualtransaction from ${locks} and held.pid is null))`,
  )
}

/** Whoever has written something, and has had a transaction open for so long: one of them is who was waited for. */
export function findLongTransactions(db: Db, ms: number): Promise<LockHolder[]> {
  return executeRows<LockHolder>(
    db,
    sql`${sessions}
        where datname = current_database() and pid <> pg_backend_pid() and xact_start < clock_timestamp() - ${ms}::float8 * interval '1 millisecond'
          and (backend_xid is not null or pid in (select pid from pg_locks where mode in ('RowShareLock', 'RowExclusiveLock', 'AccessExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock') and locktype = 'relation'))
        union all ${preparedOnes}`,
  )
}

/** As messages name it. */
export function describeHolder({ pid, application, since, state }: LockHolder): string {
  const who = pid === null ? `the prepared transaction '${application}'` : `session ${pid} ('${application}', ${state})`
  return `${who}, whose transaction began at ${since}`
}

const ageOf = (began: SQL): SQL => sql`(extract(epoch from clock_timestamp() - ${began}) * 1000)::float8`

const sessions = sql`select pid, coalesce(nullif(application_name, ''), usename::text, '') as application,
    to_json(xact_start) #>> '{}' as since, coalesce(state, '') as state, coalesce(${ageOf(sql`xact_start`)}, 0) as age,
    application_name = current_setting('application_name') as own
  from pg_stat_activity`

const preparedOnes = sql`select null, gid, to_json(prepared) #>> '{}', 'prepared transaction', ${ageOf(sql`prepared`)}, false
  from pg_prepared_xacts where database = current_database()`

function sessionsOf(db: Db, ids: readonly string[]): Promise<LockHolder[]> {
  return executeRows<LockHolder>(
    db,
    sql`${sessions} where pid <> pg_backend_pid() and pid in (
          select held.pid from pg_locks held
          where held.locktype = 'transactionid' and held.granted and held.mode = 'ExclusiveLock'
            and held.transactionid::text = ${anyText(ids)})
        union all ${preparedOnes} and transaction::text = ${anyText(ids)}`,
  )
}

async function membersOf(db: Db, xmax: string): Promise<string[]> {
  const statement = sql`select xid::text as xid from pg_get_multixact_members(${xmax}::xid)`
  // A savepoint, so that the error ends no transaction of the caller's.
  const rows = await db.transaction(inner => executeRows<{ xid: string }>(inner, statement)).catch(() => [])
  return rows.map(row => row.xid)
}

/** Which rows can be locked; lets go of them at once. Undefined where this transaction may not try. */
async function findLockable(db: Db, rows: LockableRows): Promise<Set<string> | undefined> {
  const free = new Set<string>()
  try {
    await db.transaction(async inner => {
      for (const { kind, rows: from, key, lock } of lockables) {
        const found = await executeRows<{ key: string }>(
          inner,
          sql`select ${key} as key from ${from(rows)} ${lock} of row skip locked`,
        )
        for (const row of found) free.add(`${kind} ${row.key}`)
      }
      inner.rollback()
    })
  } catch (error) {
    if (!is(error, TransactionRollbackError)) return undefined
  }
  return free
}
