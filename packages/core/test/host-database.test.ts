import { createRequire } from 'node:module'
import { runInNewContext } from 'node:vm'
import { type Contractor, createContractor, type DatabaseOption } from '@contractor/core'
import type * as pglite from '@electric-sql/pglite'
import { PGlite } from '@electric-sql/pglite'
import { drizzle as drizzleNodePostgres } from 'drizzle-orm/node-postgres'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js'
import pg from 'pg'
import postgres from 'postgres'
import { afterEach, describe, expect, it } from 'vitest'
import { createPglite, createPostgresDatabase } from '../../../test/databases.ts'
import { toDatabaseError } from '../src/database/database-error.ts'

/** What a host passes: handles with tables of its own, of other copies of the packages, and such as do not fit. */
const orders = pgTable('orders', { name: text('name').notNull() })
const schema = { orders }
const createOrders = 'create table public.orders (name text not null)'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function open(database: DatabaseOption): Promise<Contractor> {
  const contractor = await createContractor({ database, foreman: false })
  cleanups.push(() => contractor.close())
  return contractor
}

async function postgresUrl(): Promise<string> {
  const database = await createPostgresDatabase()
  cleanups.push(() => database.drop())
  return database.option
}

async function postgresClient(): Promise<postgres.Sql> {
  const client = postgres(await postgresUrl(), { max: 3, onnotice: () => undefined })
  cleanups.push(() => client.end())
  return client
}

const namesOf = async (contractor: Contractor) => (await contractor.sites.list()).items.map(site => site.name)

describe('a drizzle database that knows tables of the host', () => {
  it('over PGlite, is the database, and its transaction takes our rows too', async () => {
    const database = await createPglite()
    cleanups.push(() => database.drop())
    const db = drizzlePglite(database.option as unknown as PGlite, { schema })
    await db.execute(createOrders)
    const contractor = await open(db)
    await db.transaction(async tx => {
      await tx.insert(orders).values({ name: 'kept' })
      await contractor.sites.create({ name: 'kept' }, { tx })
    })
    expect([await db.query.orders.findMany(), await namesOf(contractor)]).toEqual([[{ name: 'kept' }], ['kept']])
  })

  it('over postgres.js, is the database, and its transaction takes our rows too, or none', async () => {
    const db = drizzlePostgres(await postgresClient(), { schema })
    await db.execute(createOrders)
    const contractor = await open(db)
    const write = (name: string, isKept: boolean) =>
      db.transaction(async tx => {
        await tx.insert(orders).values({ name })
        await contractor.sites.create({ name }, { tx })
        if (!isKept) tx.rollback()
      })
    await write('kept', true)
    await expect(write('lost', false)).rejects.toThrow('Rollback')
    expect([await db.query.orders.findMany(), await namesOf(contractor)]).toEqual([[{ name: 'kept' }], ['kept']])
  })
})

describe('a client of another copy of its package', () => {
  const require = createRequire(import.meta.url)

  it('of PGlite is taken for what it is', async () => {
    const other = require('@electric-sql/pglite') as typeof pglite
    expect(other.PGlite).not.toBe(PGlite)
    const database = await createPglite()
    cleanups.push(() => database.drop())
    const dump = await (database.option as unknown as PGlite).dumpDataDir('none')
    const client = await other.PGlite.create({ loadDataDir: dump })
    cleanups.push(() => client.close())
    const contractor = await open(client)
    await contractor.sites.create({ name: 'lab' })
    expect(await namesOf(contractor)).toEqual(['lab'])
  })

  it('of postgres.js is taken for what it is', async () => {
    const other = require('postgres') as typeof postgres
    expect(other).not.toBe(postgres)
    const client = other(await postgresUrl(), { max: 1, onnotice: () => undefined })
    cleanups.push(() => client.end())
    const contractor = await open(client)
    await contractor.sites.create({ name: 'lab' })
    expect(await namesOf(contractor)).toEqual(['lab'])
  })
})

describe('what is no database of ours is refused at once, with what to pass instead:', () => {
  const url = 'postgres://nobody@127.0.0.1:1/none'
  const remedy = 'pass its connection string as `database`, or a client of postgres.js'

  it.each([
    ['a Pool of pg', () => new pg.Pool({ connectionString: url }), remedy],
    ['a Client of pg', () => new pg.Client({ connectionString: url }), remedy],
    ['drizzle over pg', () => drizzleNodePostgres(new pg.Pool({ connectionString: url }), { schema }), remedy],
    ['drizzle that opens a Pool itself', () => drizzleNodePostgres(url), remedy],
    ['nothing', () => undefined, 'The value undefined names no database: use memory:'],
    ['an object', () => ({}), 'or pass a PGlite, a postgres.js client or a drizzle database'],
  ])('%s', async (_what, make, message) => {
    await expect(createContractor({ database: make() as never })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: expect.stringContaining(message),
      data: { issues: [{ path: 'database' }] },
    })
  })
})

it('a transaction of drizzle over pg takes our rows too, where the database is the same', async () => {
  const url = await postgresUrl()
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  cleanups.push(() => pool.end())
  const db = drizzleNodePostgres(pool, { schema })
  await db.execute(createOrders)
  const contractor = await open(url)
  await db.transaction(async tx => {
    await tx.insert(orders).values({ name: 'kept' })
    await contractor.sites.create({ name: 'kept', configValues: { a: [1] } }, { tx })
    await contractor.sites.create({ name: 'below', parent: 'kept' }, { tx })
    await contractor.structures.list({}, { tx })
    expect(await contractor.sites.config('below', { tx })).toMatchObject({ a: [1] })
  })
  expect([await db.query.orders.findMany(), await namesOf(contractor)]).toEqual([[{ name: 'kept' }], ['below', 'kept']])
})

it('an error of another realm, as a test runner makes them, is read as well as one of this', () => {
  const foreign: unknown = runInNewContext(
    "Object.assign(new Error('Failed query: select'), { cause: Object.assign(new Error('in use'), { code: '23503' }) })",
  )
  expect(foreign).not.toBeInstanceOf(Error)
  expect(toDatabaseError(foreign, 'The database')).toMatchObject({
    code: 'IN_USE',
    message: expect.stringContaining('in use'),
  })
})
