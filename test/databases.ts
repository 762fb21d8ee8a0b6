import { randomUUID } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import type { DatabaseOption } from '@contractor/core'
import { PGlite } from '@electric-sql/pglite'
import postgres, { type Sql } from 'postgres'
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

/**
 * A database is emptied after its test and given to the next one of this worker, which is ten times faster than making one
 * from the template. Those that are left go with the server.
 */
const free: { pglite: PGlite[]; postgres: string[] } = { pglite: [], postgres: [] }
let administration: Sql | undefined

/** Empties all tables but that of the migrations, and begins all counters anew; fails when the schema is not as it was. */
const emptying = `
  do $$
  declare
    one record;
  begin
    set local session_replication_role = replica;
    for one in select tablename from pg_tables where schemaname = 'contractor' and tablename <> 'migration' loop
      execute format('delete from contractor.%I', one.tablename);
    end loop;
    for one in select sequencename from pg_sequences where schemaname = 'contractor' and sequencename <> 'migration_id_seq' loop
      perform setval(format('contractor.%I', one.sequencename), 1, false);
    end loop;
    for one in select tablename from pg_tables where schemaname = 'public' loop
      execute format('drop table public.%I cascade', one.tablename);
    end loop;
  end $$`

export async function createPglite(): Promise<TestDatabase> {
  const client = free.pglite.pop() ?? (await PGlite.create({ loadDataDir: await openAsBlob(inject('pglite')) }))
  return {
    option: client,
    async drop() {
      if (client.closed) return
      await client.exec(emptying)
      free.pglite.push(client)
    },
  }
}

/** A database of its own on the shared server; its `option` is a URL, so several engines may open it. */
export async function createPostgresDatabase(): Promise<TestDatabase & { option: string }> {
  const { url, template } = inject('postgres')
  administration ??= postgres(url, { max: 1, onnotice: () => undefined })
  const admin = administration
  let name = free.postgres.pop()
  if (name === undefined) {
    name = `test_${randomUUID().replaceAll('-', '')}`
    await admin.unsafe(`create database ${name} template ${template}`)
  }
  const own = name
  const address = new URL(url)
  address.pathname = `/${own}`
  return {
    option: address.href,
    async drop() {
      // What a test has left open has no part in the next one.
      await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${own}`
      if (await emptied(address.href)) free.postgres.push(own)
      else await admin.unsafe(`drop database ${own} with (force)`)
    },
  }
}

/** Whether the database is as good as new: a test may have changed its schema. */
async function emptied(url: string): Promise<boolean> {
  const client = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    const [version] =
      await client`select max(created_at)::bigint < ${Date.UTC(2900, 0)} as known from contractor.migration`
    if (!version?.known) return false
    await client.unsafe(emptying)
    return true
  } finally {
    await client.end()
  }
}
