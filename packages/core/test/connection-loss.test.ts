import { createContractor } from '@contractor/core'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { expect, it, onTestFinished } from 'vitest'
import { createPostgresDatabase } from '../../../test/databases.ts'
import { openDatabase } from '../src/database/open-database.ts'
import { lathe } from './lathe.ts'

it('a connection that is lost in a transaction ends that, and neither the process nor the engine', async () => {
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  const opened = await openDatabase(database.option)
  onTestFinished(() => opened.close())
  for (let round = 0; round < 3; round++) {
    const ends = await Promise.allSettled([
      opened.db.transaction(async tx => {
        await tx.execute(sql`select pg_terminate_backend(pg_backend_pid())`)
      }),
      opened.db.transaction(async tx => {
        // What comes after it is sent to nobody.
        await tx.execute(sql`select pg_terminate_backend(pg_backend_pid())`).catch(() => undefined)
        await tx.execute(sql`select 1`)
      }),
      opened.db.transaction(tx =>
        tx.transaction(async inner => void (await inner.execute(sql`select pg_terminate_backend(pg_backend_pid())`))),
      ),
    ])
    expect(ends.map(end => end.status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(await opened.db.execute(sql`select 1 as one`)).toMatchObject([{ one: 1 }])
  }
  // Every connection is good again.
  const all = Array.from({ length: 10 }, () => opened.db.execute(sql`select 1 as one`))
  for (const rows of await Promise.all(all)) expect(rows).toEqual([{ one: 1 }])
  // An error that ends no session is rolled back as ever.
  await expect(opened.db.transaction(tx => tx.execute(sql`select 1 / 0`))).rejects.toThrow()
  expect(await opened.db.execute(sql`select 1 as one`)).toMatchObject([{ one: 1 }])
})

it('many calls outlive the end of all sessions, and say what happened', async () => {
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  const contractor = await createContractor({ database: database.option, plugins: [lathe], foreman: false })
  onTestFinished(() => contractor.close())
  const stranger = postgres(database.option, { max: 1, onnotice: () => undefined })
  onTestFinished(() => stranger.end())
  for (let round = 0; round < 5; round++) {
    const calls = Promise.allSettled(
      Array.from({ length: 20 }, (_, at) => contractor.sites.create({ name: `site${round}-${at}` })),
    )
    await stranger`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`
    for (const end of await calls)
      if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'DATABASE_UNREACHABLE', retryable: true })
  }
  expect((await contractor.sites.list({ limit: 200 })).items.length).toBeLessThanOrEqual(100)
})

it('what is read after a loss is what was asked for, and all of it', async () => {
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  const opened = await openDatabase(database.option)
  onTestFinished(() => opened.close())
  // Rows have come before the session ends: large ones, so that they are sent at once.
  const half = sql`select case when at < 50 then repeat('x', 10000) else pg_terminate_backend(pg_backend_pid())::text end as one
    from generate_series(1, 100) as at`
  const all = <T>(ask: () => Promise<T>) => Promise.allSettled(Array.from({ length: 10 }, ask))
  await all(() => opened.db.execute(half))
  for (const end of await all(() => opened.db.execute(sql`select at from generate_series(1, 3) as at`)))
    expect(end).toMatchObject({ status: 'fulfilled', value: [{ at: 1 }, { at: 2 }, { at: 3 }] })
  await all(() => opened.db.transaction(tx => tx.execute(half)))
  const inside = () => opened.db.transaction(tx => tx.execute(sql`select at from generate_series(1, 3) as at`))
  for (const end of await all(inside))
    expect(end).toMatchObject({ status: 'fulfilled', value: [{ at: 1 }, { at: 2 }, { at: 3 }] })
})
