import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'

/**
 * Writes the migrations as a module, so that the engine reads no file of its own when it runs: a program that bundles it has
 * them. Run by `npm run migrations`; a test holds the module against the files.
 */
const core = join(import.meta.dirname, '../packages/core')
const migrations = readMigrationFiles({ migrationsFolder: join(core, 'migrations') })
await writeFile(
  join(core, 'src/database/migrations.ts'),
  `import type { MigrationMeta } from 'drizzle-orm/migrator'

// Written by scripts/embed-migrations.ts.
export const migrations: MigrationMeta[] = ${JSON.stringify(migrations, null, 2)}
`,
)
