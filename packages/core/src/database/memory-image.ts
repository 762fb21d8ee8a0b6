import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import type { PGlite } from '@electric-sql/pglite'
import { importPglite } from './drivers.ts'
import { lastMigration, migrate } from './migrate.ts'

/**
 * An image is the data directory of an embedded database that has all tables and no rows. To open `memory:` takes a new
 * process 6.6 s of processor time without one, of which initdb has most, and 1.6 s with one (medians of five on a busy
 * machine; `npm run bench -- core/open`). So the build puts one into the package: as a module, since programs that are
 * bundled have no files of their packages. It costs 1.7 MB.
 *
 * An image belongs to a major version of PostgreSQL, and PGlite is the host's. One that does not fit is refused by it
 * before anything is written; then a database is made as ever.
 */
export async function openMemory(): Promise<PGlite> {
  const { PGlite } = await importPglite()
  const image = await readBuiltImage()
  if (!image) return PGlite.create()
  return PGlite.create({ loadDataDir: image }).catch(() => PGlite.create())
}

/** Undefined where there is none, as in the sources, or where it is of other migrations than these. */
export async function readBuiltImage(): Promise<Blob | undefined> {
  const { builtImage } = await import('#built-image')
  if (builtImage?.migration !== lastMigration) return undefined
  return new Blob([await promisify(brotliDecompress)(Buffer.from(builtImage.data, 'base64'))])
}

/**
 * Makes an image that is quick to begin with: without the two databases that are there to be copied, 1 MB of write-ahead log
 * instead of 16, no checksums of pages that no disk holds, buffers of 32 MB instead of 128 (all of which is cleared at
 * the start), and no log to replay.
 */
export async function makeImage(): Promise<Blob> {
  const { PGlite, drizzle } = await importPglite()
  const client = await PGlite.create({ initDbStartParams: ['--wal-segsize=1', '--no-data-checksums'] })
  try {
    await migrate(drizzle(client))
    for (const statement of finish) await client.exec(statement)
    return await client.dumpDataDir('none')
  } finally {
    await client.close()
  }
}

const finish = [
  'update pg_database set datistemplate = false',
  'drop database template0',
  'drop database template1',
  "alter system set shared_buffers = '32MB'",
  'vacuum (analyze, freeze)',
  'select pg_switch_wal()',
  'checkpoint',
  // Removes the log of before the first one.
  'checkpoint',
]
