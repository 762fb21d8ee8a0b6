import { ContractorError } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executeRows } from './database.ts'
import { internalsOf } from './internals.ts'
import { migrations } from './migrations.ts'

const migrationsTable = 'migration'
const migrationsSchema = 'contractor'

/** When it was made is what tells migrations apart: that of the last one that this version knows. */
export const lastMigration = Math.max(...migrations.map(one => one.folderMillis))

/** Held while migrating, so that processes that start together do it one after the other. Any fixed number will do. */
export const migrationLock = 7_263_405_118

/** Brings a database up to date, in one transaction: as drizzle's own migrators, but for where the migrations come from. */
export async function migrate(db: Db): Promise<void> {
  const { dialect, session } = internalsOf(db)
  await dialect.migrate(migrations, session, { migrationsFolder: '', migrationsTable, migrationsSchema })
}

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
  const at = Number(last?.at ?? 0)
  if (at <= lastMigration) return at === lastMigration
  throw new ContractorError(
    'DATABASE_NEWER',
    `${database} was made by a newer version of Contractor than this one. Upgrade this program; the database was not changed.`,
    { database },
  )
}
