import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContractor } from '@contractor/core'
import { PGlite } from '@electric-sql/pglite'
import postgres from 'postgres'
import type { TestProject } from 'vitest/node'
import { buildIfStale } from './built.ts'
import { type PostgresServer, startPostgres } from './embedded-postgres.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A dump of a migrated PGlite. */
    pglite: string
    /** A PostgreSQL server with a migrated database to copy. */
    postgres: { url: string; template: string }
  }
}

const template = 'contractor_template'

/** Migrates each kind of database once; every test then gets a copy of its own, which is much faster. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'contractor-test-'))
  const dump = join(directory, 'pglite.tar')
  buildIfStale()
  const [server] = await Promise.all([preparePostgres(), preparePglite(dump)])
  project.provide('pglite', dump)
  project.provide('postgres', { url: server.url, template })
  return async () => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

async function preparePglite(dump: string): Promise<void> {
  const client = await PGlite.create()
  const contractor = await createContractor({ database: client, foreman: false })
  await contractor.close()
  await writeFile(dump, Buffer.from(await (await client.dumpDataDir('none')).arrayBuffer()))
  await client.close()
}

async function preparePostgres(): Promise<PostgresServer> {
  const server = await startPostgres()
  const admin = postgres(server.url, { max: 1, onnotice: () => undefined })
  await admin.unsafe(`create database ${template}`)
  await admin.end()
  const contractor = await createContractor({ database: databaseUrl(server.url, template), foreman: false })
  await contractor.close()
  return server
}

function databaseUrl(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}
