import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres, { type ReservedSql, type Sql } from 'postgres'
import { ContractorError } from '../plugin/error.ts'
import type { Database } from './database.ts'
import { isUpToDate, migrationConfig, migrationLock } from './migrate.ts'

/** Connects to a PostgreSQL server. */
export async function openPostgres(url: string, migrates: boolean): Promise<Database> {
  const name = nameOf(url)
  const client = postgres(url, { max: 10, onnotice: () => undefined, connection: { application_name: 'contractor' } })
  try {
    await client`select 1`
  } catch (error) {
    await client.end({ timeout: 0 })
    const reason = error instanceof Error ? error.message || ('code' in error ? String(error.code) : '') : String(error)
    throw new ContractorError(
      'DATABASE_UNREACHABLE',
      `${name} cannot be used: ${reason}`,
      { database: name },
      { cause: error, retryable: true },
    )
  }
  return wrapPostgres(client, name, () => client.end({ timeout: 5 }), migrates)
}

/** Uses a postgres.js client that is open; `close` says what closing the Database does to it. */
export async function wrapPostgres(
  client: Sql,
  name: string,
  close: () => Promise<void>,
  migrates: boolean,
): Promise<Database> {
  try {
    const isReady = await isUpToDate(drizzle(client), name)
    if (migrates && !isReady) await migrateLocked(client, name)
  } catch (error) {
    await close()
    throw error
  }
  const db = drizzle(client)
  return {
    db,
    kind: 'postgres',
    name,
    async listen(channel, heard, reconnected) {
      let first = true
      const { unlisten } = await client.listen(channel, heard, () => {
        if (!first) reconnected()
        first = false
      })
      return unlisten
    },
    close,
  }
}

/** Migrates on one reserved connection: the advisory lock belongs to the session. */
async function migrateLocked(client: Sql, name: string): Promise<void> {
  const reserved = await client.reserve()
  try {
    await reserved`select pg_advisory_lock(${migrationLock})`
    try {
      const db = drizzle(asClient(client, reserved))
      // Another process may have done it meanwhile.
      if (!(await isUpToDate(db, name))) await migrate(db, migrationConfig)
    } finally {
      await reserved`select pg_advisory_unlock(${migrationLock})`
    }
  } finally {
    reserved.release()
  }
}

/** A reserved connection as drizzle wants a client: with its pool's options, and transactions. */
function asClient(pool: Sql, reserved: ReservedSql): Sql {
  const begin = async (run: (client: ReservedSql) => Promise<unknown>) => {
    await reserved`begin`
    try {
      const result = await run(reserved)
      await reserved`commit`
      return result
    } catch (error) {
      await reserved`rollback`
      throw error
    }
  }
  return Object.assign(reserved, { options: pool.options, begin }) as unknown as Sql
}

/** How messages name a server: without user and password. */
function nameOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `PostgreSQL at ${host}${pathname}`
}
