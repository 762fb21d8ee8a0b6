import { createContractor } from '@contractor/core'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { afterEach, describe, expect, it } from 'vitest'
import { createPglite, createPostgresDatabase } from '../../../test/databases.ts'
import { temporaryFolder } from '../../../test/temporary-folder.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

describe('a database directory', () => {
  it('is used by one engine at a time, and keeps what was written', async () => {
    const folder = await temporaryFolder()
    const first = await createContractor({ database: `pglite:${folder}` })
    await first.sites.create({ name: 'lab' })
    await expect(createContractor({ database: `pglite:${folder}` })).rejects.toMatchObject({
      code: 'DATABASE_IN_USE',
      message: `The database in ${folder} is in use by process ${process.pid}. Stop it, or use another directory.`,
    })
    await first.close()
    const second = await createContractor({ database: `pglite:${folder}` })
    expect((await second.sites.list()).items.map(site => site.name)).toEqual(['lab'])
    await second.close()
  })
})

describe('a database', () => {
  it('of a newer version is refused, and left as it is', async () => {
    const database = await createPostgresDatabase()
    cleanups.push(() => database.drop())
    const client = postgres(database.option, { max: 1 })
    cleanups.push(() => client.end())
    await client`insert into contractor.migration (hash, created_at) values ('newer', ${Date.UTC(2999, 0)})`
    await expect(createContractor({ database: database.option })).rejects.toMatchObject({
      code: 'DATABASE_NEWER',
      message: expect.stringContaining('was made by a newer version of Contractor than this one'),
    })
  })

  it.each([
    ['sqlite:x', 'VALIDATION_FAILED', "'sqlite:x' names no database: use memory:, pglite:DIRECTORY or postgres://"],
    ['postgres://me:secret@127.0.0.1:1/none', 'DATABASE_UNREACHABLE', 'PostgreSQL at 127.0.0.1:1/none cannot be used'],
  ])('named %s is refused without showing a password', async (database, code, message) => {
    const refused = await createContractor({ database }).catch(error => error)
    expect(refused).toMatchObject({ code, message: expect.stringContaining(message) })
    expect(refused.message).not.toContain('secret')
  })

  it('is migrated once by engines that start at the same time', async () => {
    const database = await createPostgresDatabase()
    cleanups.push(() => database.drop())
    const client = postgres(database.option, { max: 1, onnotice: () => undefined })
    cleanups.push(() => client.end())
    await client`drop schema contractor cascade`
    const engines = await Promise.all([1, 2, 3].map(() => createContractor({ database: database.option })))
    const done = (await client`select hash from contractor.migration`).map(row => row.hash)
    expect(new Set(done).size).toBe(done.length)
    for (const engine of engines) await engine.close()
  })
})

describe('an engine that cannot be opened whole', () => {
  it('leaves nothing open behind', async () => {
    const database = await createPostgresDatabase()
    cleanups.push(() => database.drop())
    const admin = postgres(database.option, { max: 1, onnotice: () => undefined })
    cleanups.push(() => admin.end())
    const role = `limited_${Date.now()}`
    await admin.unsafe(`create role ${role} login superuser password 'x' connection limit 1`)
    await admin.unsafe(`alter role ${role} nosuperuser`)
    await admin.unsafe(
      `grant all on schema contractor to ${role}; grant all on all tables in schema contractor to ${role}`,
    )
    await admin.unsafe(`grant create on database ${new URL(database.option).pathname.slice(1)} to ${role}`)
    const url = new URL(database.option)
    url.username = role
    url.password = 'x'
    await expect(createContractor({ database: url.href })).rejects.toThrow()
    const left = () => admin`select 1 from pg_stat_activity where usename = ${role}`
    await expect.poll(async () => (await left()).length).toBe(0)
    await admin.unsafe(`drop owned by ${role}; drop role ${role}`)
  })
})

describe('a host application', () => {
  it('gives its own handle, which stays open, and commits its rows together with ours', async () => {
    const database = await createPostgresDatabase()
    cleanups.push(() => database.drop())
    const client = postgres(database.option, { max: 3, onnotice: () => undefined })
    cleanups.push(() => client.end())
    await client`create table orders (name text)`
    const orders = pgTable('orders', { name: text('name') })
    const db = drizzle(client)
    const contractor = await createContractor({ database: db })

    await db.transaction(async tx => {
      await tx.insert(orders).values({ name: 'kept' })
      await contractor.sites.create({ name: 'kept' }, { tx })
    })
    await expect(
      db.transaction(async tx => {
        await tx.insert(orders).values({ name: 'lost' })
        await contractor.sites.create({ name: 'lost' }, { tx })
        throw new Error('changed my mind')
      }),
    ).rejects.toThrow('changed my mind')
    expect(await db.select().from(orders)).toEqual([{ name: 'kept' }])
    expect((await contractor.sites.list()).items.map(site => site.name)).toEqual(['kept'])
    await contractor.close()
    expect(await client`select 1 as one`).toEqual([{ one: 1 }])
  })

  it('may give a PGlite of its own', async () => {
    const database = await createPglite()
    cleanups.push(() => database.drop())
    const contractor = await createContractor({ database: database.option })
    await contractor.sites.create({ name: 'lab' })
    await contractor.close()
  })
})
