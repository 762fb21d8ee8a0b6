import { ContractorError } from '@contractor/contract'
import type { PGlite } from '@electric-sql/pglite'
import type { Sql } from 'postgres'
import type { Database } from './database.ts'
import {
  isNodePostgres,
  isPgliteClient,
  isPostgresClient,
  type PgliteClient,
  type PostgresClient,
} from './host-client.ts'
import { openPglite, wrapPglite } from './open-pglite.ts'
import { openBeside, openPostgres } from './open-postgres.ts'

/**
 * Where the engine keeps its data:
 * - `memory:` an embedded database that is gone at the end;
 * - `pglite:DIRECTORY` an embedded database in a directory, used by one process at a time;
 * - `postgres://…` a PostgreSQL server;
 * - a PGlite, a postgres.js client, or a drizzle database over one of them: the host's own, which stays open at close. Of a
 *   postgres.js client the settings are taken, for connections of our own beside it: the host's is not changed;
 * - a Database, opened by whoever passes it, who also closes it.
 */
export type DatabaseOption =
  | string
  | PgliteClient
  | PostgresClient
  | { $client: PgliteClient | PostgresClient }
  | Database

const keepOpen = async () => undefined

export interface OpenSettings {
  /** Whether its tables are brought up to date; true unless said. */
  migrate?: boolean
}

/** Opens the database and brings its tables up to date. */
export async function openDatabase(option: DatabaseOption, settings: OpenSettings = {}): Promise<Database> {
  const { migrate = true } = settings
  if (typeof option === 'string') return openNamed(option, migrate)
  if (!isObject(option)) throw unknownDatabase(`The value ${String(option)}`)
  if ('waitsForCaller' in option) return option
  const client = '$client' in option ? option.$client : option
  if (isPgliteClient(client)) return wrapPglite(client as unknown as PGlite, "the host's own PGlite", keepOpen, migrate)
  if (isPostgresClient(client)) return openBeside(client as Sql, migrate)
  if (isNodePostgres(client)) throw nodePostgres()
  throw unknownDatabase('The value given')
}

/** Also of what types forbid: a program in JavaScript has none. */
const isObject = (value: unknown): boolean =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

async function openNamed(name: string, migrate: boolean): Promise<Database> {
  if (name === 'memory:') return openPglite(undefined, migrate)
  if (name.startsWith('pglite:') && name.length > 'pglite:'.length)
    return openPglite(name.slice('pglite:'.length), migrate)
  if (/^postgres(ql)?:\/\//.test(name) && URL.canParse(name)) return openPostgres(name, migrate)
  throw unknownDatabase(`'${name.replace(/\/\/.*@/, '//***@')}'`)
}

/** Its pool gives a session for one statement at a time, and has no LISTEN that outlives the loss of a connection. */
function nodePostgres(): ContractorError {
  return new ContractorError(
    'VALIDATION_FAILED',
    'The engine does not run on a client of pg (node-postgres): pass its connection string as `database`, or a client of postgres.js (the package postgres). The engine opens connections of its own in either case.',
    { issues: [{ path: 'database', message: 'a connection string, or a client of postgres.js, is needed' }] },
  )
}

function unknownDatabase(what: string): ContractorError {
  return new ContractorError(
    'VALIDATION_FAILED',
    `${what} names no database: use memory:, pglite:DIRECTORY or postgres://USER@HOST/NAME, or pass a PGlite, a postgres.js client or a drizzle database over one of them`,
    { issues: [{ path: 'database', message: 'memory:, pglite:DIRECTORY or postgres://… is needed' }] },
  )
}
