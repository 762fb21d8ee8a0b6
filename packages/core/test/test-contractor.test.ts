import { createContractor } from '@contractor/core'
import { createManualClock, createTestContractor, createTestDatabase } from '@contractor/core/testing'
import { sql } from 'drizzle-orm'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/pglite'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'

/** The first makes the template, which takes as long as any database that is made from nothing. */
beforeAll(async () => {
  const first = await createTestDatabase()
  await first.close()
})

describe('a Contractor for a test', () => {
  it('has nothing of another one, and is gone when it is closed', async () => {
    const first = await createTestContractor()
    await first.sites.create({ name: 'lab' })
    const second = await createTestContractor()
    onTestFinished(() => second.close())
    expect((await second.sites.list()).items).toEqual([])
    expect((await first.sites.list()).items).toHaveLength(1)
    await first.close()
    await expect(first.sites.list()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('takes options as any other, and keeps secrets without being given a key', async () => {
    const clock = createManualClock(new Date('2030-01-01T00:00:00Z'))
    const contractor = await createTestContractor({ clock, foreman: false })
    onTestFinished(() => contractor.close())
    await contractor.secrets.put({ name: 'root', value: 'hush' })
    expect((await contractor.secrets.list()).items).toMatchObject([
      { name: 'root', updatedAt: '2030-01-01T00:00:00.000Z' },
    ])
  })
})

describe('a database for a test', () => {
  it('has our tables, and takes those of a host besides', async () => {
    const client = await createTestDatabase()
    onTestFinished(() => client.close())
    const orders = pgTable('orders', { name: text('name').notNull() })
    const db = drizzle(client, { schema: { orders } })
    await db.execute(sql`create table orders (name text not null)`)
    const contractor = await createContractor({ database: db, foreman: false })
    await db.transaction(async tx => {
      await tx.insert(orders).values({ name: 'web' })
      await contractor.sites.create({ name: 'lab' }, { tx })
    })
    expect((await contractor.sites.list()).items).toMatchObject([{ name: 'lab' }])
    await contractor.close()
    expect(await db.query.orders.findMany()).toEqual([{ name: 'web' }])
  })
})
