import { type SQL, sql } from 'drizzle-orm'

/**
 * Up to where history is settled: every transaction of this database with a smaller id has ended, so nothing can appear
 * before it any more. That is the oldest transaction of the statement's snapshot that still runs, or the snapshot's end.
 *
 * Transaction ids are the whole server's, but those that run in other databases cannot write here: without leaving them
 * out, a night's import elsewhere would hold up every event. They are known by their lock on their own id. One that
 * ended since the snapshot was taken is not found there, and counts as ours: too early is safe, too late is not.
 */
export const settledUpTo: SQL = sql`(
  select coalesce(min(running), pg_snapshot_xmax(pg_current_snapshot()))
  from pg_snapshot_xip(pg_current_snapshot()) as running
  where not exists (
    select 1 from pg_locks held join pg_stat_activity elsewhere on elsewhere.pid = held.pid
    where held.locktype = 'transactionid' and held.mode = 'ExclusiveLock' and held.transactionid = running::xid
      and elsewhere.datname <> current_database()))`
