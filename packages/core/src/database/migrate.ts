import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { sql } from 'drizzle-orm'
import { ContractorError } from '../plugin/error.ts'
import { type Db, executeRows } from './database.ts'

const migrationsTable = 'migration'
const migrationsSchema = 'contractor'

// Through the package's own name, so that sources and built files find the same folder.
const migrationsFolder = join(
  dirname(createRequire(import.meta.url).resolve('@contractor/core/package.json')),
  'migrations',
)

export const migrationConfig = { migrationsFolder, migrationsTable, migrationsSchema }

/** Held while migrating, so that processes that start together do it one after the other. Any fixed number will do. */
export const migrationLock = 7_263_405_118

/**
 * Whether a database has all migrations that this version knows. Refuses one that a newer version has migrated: this
 * version does not know what its tables mean.
 */
export async function isUpToDate(db: Db, database: string): Promise<boolean> {
  const [table] = await executeRows<{ found: string | null }>(
    db,
    sql`select to_regclass(${`${migrationsSchema}.${migrationsTable}`})::text as found`,
  )
  if (!table?.found) return false
  const [last] = await executeRows<{ at: string | null }>(
    db,
    sql`select max(created_at)::text as at from ${sql.identifier(migrationsSchema)}.${sql.identifier(migrationsTable)}`,
  )
  const [at, known] = [Number(last?.at ?? 0), newestMigration()]
  if (at <= known) return at === known
  throw new ContractorError(
    'DATABASE_NEWER',
    `${database} was made by a newer version of Contractor than this one. Upgrade this program; the database was not changed.`,
    { database },
  )
}

/** When it was made: what tells migrations apart. */
function newestMigration(): number {
  const journal = JSON.parse(readFileSync(join(migrationsFolder, 'meta', '_journal.json'), 'utf8')) as {
    entries: { when: number }[]
  }
  return Math.max(...journal.entries.map(entry => entry.when))
}
