import { sql } from 'drizzle-orm'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createPostgresDatabase } from '../../../test/databases.ts'
import { executeRows, inTransaction } from '../src/database/database.ts'
import { lockOrder, takingLock } from '../src/database/lock-order.ts'
import { openDatabase } from '../src/database/open-database.ts'
import { createContractor } from '../src/index.ts'
import { lockTree, siteTree } from '../src/noun/tree.ts'
import { createTestDatabase } from '../src/testing/test-contractor.ts'

async function open() {
  const database = await openDatabase(await createTestDatabase())
  onTestFinished(() => database.close())
  return database.db
}

describe('locks', () => {
  it('that are taken out of their order are refused, each with its name', async () => {
    const db = await open()
    await expect(
      inTransaction(db, undefined, async tx => {
        takingLock(tx, 'structure')
        await lockTree(tx, siteTree)
      }),
    ).rejects.toThrow('A lock is taken out of order: tree while structure is held')
  })

  it('may be taken in their order, several of one kind too, and anew in each transaction', async () => {
    const db = await open()
    for (let round = 0; round < 2; round++) {
      await inTransaction(db, undefined, async tx => {
        for (const lock of lockOrder) {
          takingLock(tx, lock)
          takingLock(tx, lock)
        }
      })
    }
    expect(new Set(lockOrder).size).toBe(lockOrder.length)
  })

  it('of the tree of Sites let two moves at once close no circle: one sees the other', async () => {
    const database = await createPostgresDatabase()
    onTestFinished(() => database.drop())
    const contractor = await createContractor({ database: database.option, foreman: false })
    onTestFinished(() => contractor.close())
    for (let round = 0; round < 5; round++) {
      const [one, other] = [`a${round}`, `b${round}`]
      await contractor.sites.create({ name: one })
      await contractor.sites.create({ name: other })
      const ends = await Promise.allSettled([
        contractor.sites.update(one, { parent: other }),
        contractor.sites.update(other, { parent: one }),
      ])
      expect(ends.map(end => end.status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(await contractor.sites.config(one)).toMatchObject({ _site: one })
    }
  })
})

describe('versions', () => {
  it('are counted by the database in every table that has one, but for Jobs and services, which count themselves', async () => {
    const db = await open()
    const rows = await executeRows<{ table: string; counted: boolean }>(
      db,
      sql`select columns.table_name as table, exists (
            select from pg_trigger where tgname = 'version' and tgrelid = ('contractor.' || columns.table_name)::regclass) as counted
          from information_schema.columns join information_schema.tables using (table_schema, table_name)
          where table_schema = 'contractor' and column_name = 'version' and table_type = 'BASE TABLE' order by 1`,
    )
    expect(rows.filter(row => !row.counted).map(row => row.table)).toEqual(['event', 'job', 'service'])
    expect(rows.length).toBeGreaterThan(15)
  })
})
