import { randomBytes } from 'node:crypto'
import type { PGlite } from '@electric-sql/pglite'
import { type Contractor, type ContractorOptions, createContractor } from '../contractor.ts'
import { importPglite } from '../database/drivers.ts'
import { makeImage, readBuiltImage } from '../database/memory-image.ts'
import { wrapPglite } from '../database/open-pglite.ts'
import type { Plugins } from '../engine/plugin-types.ts'

/** What every database of a process is copied from: read or made once, by the first that asks. It is never written to. */
let template: Promise<Blob> | undefined

/**
 * An embedded database with all tables and no rows, for one test: well under a second each. Whoever asks for it closes it. Put
 * your own tables into it, and pass it, or a drizzle database over it, as `database`.
 */
export async function createTestDatabase(): Promise<PGlite> {
  template ??= readBuiltImage().then(image => image ?? makeImage())
  const { PGlite } = await importPglite()
  return PGlite.create({ loadDataDir: await template })
}

/** A Contractor on a database of its own, as `createTestDatabase` makes them, which is gone when it is closed. */
export async function createTestContractor<const P extends Plugins = Plugins>(
  options: Omit<ContractorOptions<P>, 'database'> = {},
): Promise<Contractor<P>> {
  const client = await createTestDatabase()
  const database = await wrapPglite(client, 'memory', () => client.close(), true)
  return createContractor({ secretKey: randomBytes(32).toString('base64'), ...options, database })
}
