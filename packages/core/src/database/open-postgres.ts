import { ContractorError } from '@contractor/contract'
import type { ReservedSql, Sql } from 'postgres'
import { isError } from './causes.ts'
import { type Database, sqlState } from './database.ts'
import { importPostgres } from './drivers.ts'
import { isUpToDate, migrate, migrationLock } from './migrate.ts'
import { outliveLoss } from './outlive-loss.ts'

/** How long a call of the SDK waits for a lock that somebody else holds, in milliseconds; then it says who that is. */
export const callWaitMs = 5_000

/**
 * What our sessions rely on, whatever the defaults of the server, the database or the role are: moments as texts that
 * JavaScript can read, statements that see what was committed before them, and no waiting for ever.
 */
const sessionSettings = {
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  DateStyle: 'ISO, MDY',
  lock_timeout: String(callWaitMs),
}

/** Of the driver, for all connections of ours. */
const driverOptions = {
  onnotice: () => undefined,
  // The driver's own question for array types: nobody hears of its failure but the process, by an unhandled rejection.
  // drizzle reads and writes arrays as texts.
  fetch_types: false,
  // A server that is back is used at once: the driver's own pauses, in seconds, grow to twenty.
  backoff: (failures: number) => (0.5 + Math.random() / 2) * Math.min(2 ** failures / 50, 1),
}

type Options = Record<string, unknown>

/** Connects to a PostgreSQL server. */
export async function openPostgres(url: string, migrates: boolean): Promise<Database> {
  const { postgres } = await importPostgres()
  const name = nameOf(url)
  const connect = (settings: Options) =>
    postgres(url, {
      max: 10,
      ...driverOptions,
      connection: { application_name: 'contractor', ...settings },
    })
  const client = await firstThatConnects(connect, name)
  return wrapPostgres(client, name, () => client.end({ timeout: 5 }), migrates)
}

/**
 * Connections of our own, with the settings of a host's client: its parsers and transforms are for its own queries, and ours
 * are not for them.
 */
export async function openBeside(host: Sql, migrates: boolean): Promise<Database> {
  const { postgres } = await importPostgres()
  const name = "the host's own PostgreSQL"
  const own = host.options as unknown as Options
  const connect = (settings: Options) =>
    postgres({
      ...own,
      // Made anew: the rest is taken as it was given.
      ...{ shared: undefined, parsers: undefined, serializers: undefined, types: undefined, transform: undefined },
      ...{ onnotify: undefined, onparameter: undefined, onclose: undefined },
      ...driverOptions,
      connection: { ...(own.connection as Options), ...settings },
    } as never)
  const client = await firstThatConnects(connect, name)
  return wrapPostgres(client, name, () => client.end({ timeout: 5 }), migrates)
}

/** A pooler in between may know no settings but its own: then it has to do without them. */
async function firstThatConnects(connect: (settings: Options) => Sql, name: string): Promise<Sql> {
  let refused: unknown
  for (const settings of [sessionSettings, {}]) {
    const client = connect(settings)
    try {
      await client`select 1`
      return client
    } catch (error) {
      refused = error
      await client.end({ timeout: 0 })
      if (sqlState(error) !== protocolViolation) break
    }
  }
  const error = refused
  const reason = isError(error) ? error.message || ('code' in error ? String(error.code) : '') : String(error)
  throw new ContractorError(
    'DATABASE_UNREACHABLE',
    `${name} cannot be used: ${reason}`,
    { database: name },
    { cause: error, retryable: true },
  )
}

/** How a pooler refuses a setting (PostgreSQL 18, appendix A). */
const protocolViolation = '08P01'

/** Uses a postgres.js client that is open; `close` says what closing the Database does to it. */
export async function wrapPostgres(
  client: Sql,
  name: string,
  close: () => Promise<void>,
  migrates: boolean,
): Promise<Database> {
  const { drizzle } = await importPostgres()
  try {
    const isReady = await isUpToDate(drizzle(client), name)
    if (migrates && !isReady) await migrateLocked(client, name)
  } catch (error) {
    await close()
    throw error
  }
  return {
    db: drizzle(outliveLoss(client)),
    kind: 'postgres',
    name,
    waitsForCaller: () => false,
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
  const { drizzle } = await importPostgres()
  const reserved = await client.reserve()
  try {
    // Another process may be at it, for as long as that takes.
    await reserved`set lock_timeout = 0`
    await reserved`select pg_advisory_lock(${migrationLock})`
    try {
      const db = drizzle(asClient(client, reserved))
      // Another process may have done it meanwhile.
      if (!(await isUpToDate(db, name))) await migrate(db)
    } finally {
      await reserved`select pg_advisory_unlock(${migrationLock})`
      await reserved`reset lock_timeout`
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
