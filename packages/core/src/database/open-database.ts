import { ContractorError } from '@contractor/plugin'
import type { PGlite } from '@electric-sql/pglite'
import type { Sql } from 'postgres'
import type { Database } from './database.ts'
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
export type DatabaseOption = string | PGlite | Sql | { $client: PGlite | Sql } | Database

const keepOpen = async () => undefined

export interface OpenSettings {
  /** Whether its tables are brought up to date; true unless said. */
  migrate?: boolean
}

/** Opens the database and brings its tables up to date. */
export async function openDatabase(option: DatabaseOption, settings: OpenSettings = {}): Promise<Database> {
  const { migrate = true } = settings
  if (typeof option === 'string') return openNamed(option, migrate)
  if ('waitsForCaller' in option) return option
  const client = '$client' in option ? option.$client : option
  if (isPglite(client)) return wrapPglite(client, "the host's own PGlite", keepOpen, migrate)
  if (typeof client === 'function' && 'reserve' in client) return openBeside(client, migrate)
  throw unknownDatabase('the value given')
}

/** By its shape: the host's may be of another copy of the package, or of its CommonJS half. */
function isPglite(value: object): value is PGlite {
  return ['query', 'exec', 'transaction', 'listen'].every(
    name => typeof (value as Record<string, unknown>)[name] === 'function',
  )
}

async function openNamed(name: string, migrate: boolean): Promise<Database> {
  if (name === 'memory:') return openPglite(undefined, migrate)
  if (name.startsWith('pglite:') && name.length > 'pglite:'.length)
    return openPglite(name.slice('pglite:'.length), migrate)
  if (/^postgres(ql)?:\/\//.test(name) && URL.canParse(name)) return openPostgres(name, migrate)
  throw unknownDatabase(`'${name.replace(/\/\/.*@/, '//***@')}'`)
}

function unknownDatabase(what: string): ContractorError {
  return new ContractorError(
    'VALIDATION_FAILED',
    `${what} names no database: use memory:, pglite:DIRECTORY or postgres://USER@HOST/NAME`,
    { issues: [{ path: 'database', message: 'memory:, pglite:DIRECTORY or postgres://… is needed' }] },
  )
}
