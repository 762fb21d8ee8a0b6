import { ContractorError } from '@contractor/contract'

/**
 * What only one kind of database needs, imported on first use: whoever keeps everything in PostgreSQL need not install
 * PGlite, which is large, nor the other way round. Both are optional peers.
 */
export function importPglite() {
  return needing('@electric-sql/pglite', async () => {
    const [{ PGlite }, { drizzle }] = await Promise.all([import('@electric-sql/pglite'), import('drizzle-orm/pglite')])
    return { PGlite, drizzle }
  })
}

/** As importPglite, for PostgreSQL servers. */
export function importPostgres() {
  return needing('postgres', async () => {
    const [{ default: postgres }, { drizzle }] = await Promise.all([
      import('postgres'),
      import('drizzle-orm/postgres-js'),
    ])
    return { postgres, drizzle }
  })
}

async function needing<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error, name)) throw error
    const message = `This database needs the package ${name}, which is not installed here: run npm install ${name}`
    const issues = [{ path: 'database', message: `needs the package ${name}` }]
    throw new ContractorError('VALIDATION_FAILED', message, { issues }, { cause: error })
  }
}

/** Node's word for a package that it does not find; drizzle's driver looks for it too, and may be the first. */
const isMissing = (error: unknown, name: string): boolean =>
  /MODULE_NOT_FOUND$/.test(String((error as { code?: unknown }).code)) && (error as Error).message.includes(`'${name}'`)
