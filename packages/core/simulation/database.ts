import { existsSync } from 'node:fs'
import postgres, { type Sql } from 'postgres'

/** The one database that all seeds of a run use, one after the other. */
export interface SimulationDatabase {
  readonly client: Sql
  /** By when PostgreSQL has looked for a deadlock, in milliseconds, with time to spare. */
  readonly deadlockMs: number
  countBlocked(): Promise<number>
  /** Removes what a run left behind: rows and counters, so that each run finds the same. */
  clean(): Promise<void>
  close(): Promise<void>
}

/** Not worth making anew for each run: for these, `prepareTargets` made what all runs use. */
const kept = ['migration', 'site', 'blueprint', 'blueprint_script', 'script', 'program', 'foundation', 'structure']

const deadlockTimeoutMs = 5

/** Through a socket in the file system, where there is one, a statement takes half the time. */
function nearest(url: string): { host?: string } {
  return existsSync(`/tmp/.s.PGSQL.${new URL(url).port}`) ? { host: '/tmp' } : {}
}

/** Opens a database whose tables are there already. */
export async function openSimulationDatabase(url: string): Promise<SimulationDatabase> {
  const near = { ...nearest(url), onnotice: () => undefined }
  const client = postgres(url, {
    ...near,
    max: 8,
    connection: { deadlock_timeout: `${deadlockTimeoutMs}ms` } as object,
  })
  const own = postgres(url, { ...near, max: 1 })
  const tables = await own.unsafe<{ name: string }[]>(
    `select tablename as name from pg_tables where schemaname = 'contractor' and tablename not in (${kept.map(name => `'${name}'`).join(', ')})`,
  )
  const names = tables.map(({ name }) => `contractor."${name}"`)
  const swept = [...names, 'contractor.foundation', 'contractor.structure', 'contractor.script']
  const sequences = await own.unsafe<{ name: string }[]>(
    `select pg_get_serial_sequence(format('contractor.%I', table_name), column_name) as name from information_schema.columns
     where table_schema = 'contractor' and is_identity = 'YES' and table_name not in (${kept.map(name => `'${name}'`).join(', ')})`,
  )
  // Whether a vacuum ran is no choice of the seed's.
  for (const name of names) await own.unsafe(`alter table ${name} set (autovacuum_enabled = false)`)
  let cleaned = 0
  return {
    client,
    deadlockMs: deadlockTimeoutMs * 3,
    async countBlocked() {
      const [row] = await own.unsafe<{ count: number }[]>(
        `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return row?.count ?? 0
    },
    async clean() {
      await own.unsafe(
        [
          'set session_replication_role = replica',
          ...names.map(name => `delete from ${name}`),
          'set session_replication_role = origin',
          `select setval(sequence, 1, false) from unnest(array[${sequences.map(({ name }) => `'${name}'`).join(', ')}]::regclass[]) as sequence`,
        ].join(';'),
      )
      // Deleting a few rows is ten times faster than truncating; but what is deleted has to be swept at times.
      if (cleaned++ % 100 === 99) await own.unsafe(`vacuum ${swept.join(', ')}`)
    },
    async close() {
      await client.end({ timeout: 1 })
      await own.end({ timeout: 1 })
    },
  }
}
