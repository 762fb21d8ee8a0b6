import { randomUUID } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import type { DatabaseOption } from '@contractor/core'
import { PGlite } from '@electric-sql/pglite'
import postgres from 'postgres'
import { inject } from 'vitest'

/** A migrated database that one test has for itself. */
export interface TestDatabase {
  readonly option: DatabaseOption
  drop(): Promise<void>
}

export interface DatabaseKind {
  readonly kind: 'pglite' | 'postgres'
  create(): Promise<TestDatabase>
}

export const pgliteKind: DatabaseKind = { kind: 'pglite', create: createPglite }
export const postgresKind: DatabaseKind = { kind: 'postgres', create: createPostgresDatabase }

/** Every kind of database that the engine runs on: what must hold on each is tested on each. */
export const databaseKinds: readonly DatabaseKind[] = [pgliteKind, postgresKind]

export async function createPglite(): Promise<TestDatabase> {
  const client = await PGlite.create({ loadDataDir: await openAsBlob(inject('pglite')) })
  return { option: client, drop: () => client.close() }
}

/** A database of its own on the shared server; its `option` is a URL, so several engines may open it. */
export async function createPostgresDatabase(): Promise<TestDatabase & { option: string }> {
  const { url, template } = inject('postgres')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const admin = postgres(url, { max: 1, onnotice: () => undefined })
  await admin.unsafe(`create database ${name} template ${template}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return {
    option: own.href,
    async drop() {
      await admin.unsafe(`drop database ${name} with (force)`)
      await admin.end()
    },
  }
}
