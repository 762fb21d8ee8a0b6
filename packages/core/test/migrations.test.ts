import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { expect, it } from 'vitest'
import { migrations } from '../src/database/migrations.ts'

it('the migrations that are built in are those of the folder: `npm run embed:migrations` writes them', () => {
  expect(migrations).toEqual(readMigrationFiles({ migrationsFolder: join(import.meta.dirname, '../migrations') }))
})
