import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ContractorError } from '@contractor/contract'
import { lockDirectory } from '@contractor/plugin/directory-lock'
import type { PGlite } from '@electric-sql/pglite'
import { isInTransaction, watchTransactions } from './caller-transaction.ts'
import type { Database } from './database.ts'
import { importPglite } from './drivers.ts'
import { openMemory } from './memory-image.ts'
import { isUpToDate, migrate } from './migrate.ts'
import { shareStatements } from './pglite-statements.ts'

/** Opens (and makes, if need be) an embedded database: in a directory that is locked meanwhile, or in memory. */
export async function openPglite(directory: string | undefined, migrates: boolean): Promise<Database> {
  if (directory === undefined) return wrapPglite(await openMemory(), 'memory', client => client.close(), migrates)
  const { PGlite } = await importPglite()
  const path = resolve(directory)
  await mkdir(path, { recursive: true })
  const lock = await lockDirectory(path, holder => inUse(path, holder))
  try {
    // PGlite does not fsync: what was committed survives the death of the process, not a loss of power.
    const client = await PGlite.create({ dataDir: path })
    const close = async () => {
      await client.close()
      await lock.release()
    }
    return await wrapPglite(client, path, close, migrates)
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** PGlite opens a directory without asking whether another process has it, and two of them destroy it. */
function inUse(database: string, holder: string): ContractorError<'DATABASE_IN_USE'> {
  const message = `The database in ${database} is in use by ${holder}. Stop it, or use another directory.`
  return new ContractorError('DATABASE_IN_USE', message, { database })
}

/** Uses a PGlite that is open; `close` says what closing the Database does to it. */
export async function wrapPglite(
  client: PGlite,
  name: string,
  close: (client: PGlite) => Promise<void>,
  migrates: boolean,
): Promise<Database> {
  const { drizzle } = await importPglite()
  await client.waitReady
  watchTransactions(client)
  const db = drizzle(client)
  shareStatements(client, db)
  try {
    const isReady = await isUpToDate(db, `The database in ${name}`)
    if (migrates && !isReady) await migrate(db)
  } catch (error) {
    await close(client)
    throw error
  }
  return {
    db,
    kind: 'pglite',
    name,
    waitsForCaller: () => isInTransaction(client),
    listen: (channel, heard) => client.listen(channel, heard),
    close: () => close(client),
  }
}
