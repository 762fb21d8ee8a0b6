import { type Contractor, createContractor, isContractorError } from '@contractor/core'
import { createManualClock } from '@contractor/core/testing'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres, { type Sql } from 'postgres'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createPostgresDatabase, pgliteKind } from '../../../test/databases.ts'
import { gauge, lathe } from './lathe.ts'
import { agent, openShop } from './shop.ts'
import { connect, hold } from './somebody.ts'

// What a program of somebody else may do in the same database, and the engine lives with.

/** Two Structures whose Jobs weld, each with a Task in the agent's hands. */
async function openPair() {
  const shop = await openShop()
  const jobs = []
  for (const name of ['aa', 'bb']) {
    const { foundation, structure } = await shop.stack({ create: 'foundation.weld()\nfoundation.oil()' }, name)
    await foundation.setBuilt()
    jobs.push(await structure.doCreate())
  }
  await shop.contractor.foreman.runDue()
  const [one, two] = jobs
  if (!one || !two) throw new Error('There are two Jobs')
  return { shop, one, two, client: connect(shop) }
}

describe('a transaction of somebody else that holds a Job', () => {
  it('stops no other Job, and no answer of any: the answer is taken at once, and acted upon when it can be', async () => {
    const { shop, one, two, client } = await openPair()
    const tasks = await shop.claim()
    const { letGo } = await hold(client, `select * from contractor.job where id = ${one.id} for update`)
    const results = tasks.map(({ taskId, claimToken }) => ({ taskId, claimToken, result: { welded: true } }))
    const reply = await shop.contractor.dispatch.exchange(agent, {
      results,
      claim: { agent: 'bench', modules: { lathe: { slots: 5 } }, waitMs: 0 },
    })
    expect(reply.results).toMatchObject([{ accepted: true }, { accepted: true }])
    // Copies of both come late.
    expect(await shop.contractor.dispatch.results(agent, results)).toMatchObject([
      { accepted: false },
      { accepted: false },
    ])
    const oils = [...reply.tasks, ...(await shop.claim())]
    expect(oils).toMatchObject([{ function: 'oil' }])
    await shop.answer(oils[0] as never, { oiled: true })
    expect(await two.refresh()).toMatchObject({ state: 'done' })
    shop.clock.advance(60_000)
    await shop.contractor.foreman.runDue()
    expect(await one.refresh()).toMatchObject({ state: 'queued' })
    await letGo()
    shop.clock.advance(1_000)
    await shop.contractor.foreman.runDue()
    const [oil] = await shop.claim()
    expect(oil).toMatchObject({ function: 'oil' })
    await shop.answer(oil as never, { oiled: true })
    expect(await one.refresh()).toMatchObject({ state: 'done' })
    expect((await one.history()).map(step => [step.function, step.end])).toEqual([
      ['weld', 'result'],
      ['oil', 'result'],
    ])
  })

  it('that cancels it in the end has its answer in the history, and nothing else of it', async () => {
    const { shop, one } = await openPair()
    const [task] = await shop.claim({ lathe: 1 })
    const db = drizzle(connect(shop))
    await db.transaction(async tx => {
      await shop.contractor.jobs.apply(one.id, 'cancel', { tx })
      expect(await shop.answer(task as never, { welded: true })).toBe(true)
    })
    shop.clock.advance(1_000)
    await shop.contractor.foreman.runDue()
    expect(await one.refresh()).toMatchObject({ outcome: 'cancelled' })
  })

  it('keeps no lease from being renewed, and no agent from being believed', async () => {
    const { shop, one, client } = await openPair()
    const tasks = await shop.claim()
    const { letGo } = await hold(client, 'select * from contractor.task for update')
    for (let round = 0; round < 3; round++) {
      shop.clock.advance(8_000)
      expect(await shop.contractor.dispatch.renew(agent, tasks)).toMatchObject([{ accepted: true }, { accepted: true }])
      await shop.contractor.foreman.runDue()
    }
    await letGo()
    await shop.contractor.foreman.runDue()
    expect(await shop.answer(tasks[0] as never, { welded: true })).toBe(true)
    expect(await one.refresh()).toMatchObject({ state: 'queued' })
  })
})

describe('a transaction of somebody else that holds a Foundation', () => {
  it.each([
    ['select * from contractor.foundation where locator = $1 for update'],
    ['update contractor.foundation set updated_at = updated_at where locator = $1'],
    ["select * from contractor.site where name = 'lab' for update"],
  ])('by %s, lets the Jobs of others go on', async statement => {
    const shop = await openShop()
    await shop.contractor.sites.create({ name: 'annex' })
    for (const name of ['aa', 'bb', 'cc']) {
      const script = name === 'aa' ? 'delay( seconds=1 )\nfoundation.label\nfoundation.mark = "m"' : 'foundation.oil()'
      const { foundation, structure } = await shop.stack({ create: script.replace('foundation.label\n', '') }, name)
      if (name !== 'aa') await foundation.update({ site: 'annex' })
      await foundation.setBuilt()
      await structure.doCreate()
    }
    await shop.contractor.foreman.runDue()
    shop.clock.advance(2_000)
    const client = connect(shop)
    const { letGo } = await hold(client, statement.replace('$1', "'aa'"))
    for (let round = 0; round < 4; round++) {
      await shop.contractor.foreman.runDue()
      shop.clock.advance(1_000)
    }
    const identity = { ...agent, sites: ['annex'] }
    const claim = { agent: 'bench', modules: { lathe: { slots: 5 } }, waitMs: 0 }
    const tasks = await shop.contractor.dispatch.claim(identity, claim)
    expect(tasks).toHaveLength(2)
    await shop.contractor.dispatch.results(
      identity,
      tasks.map(({ taskId, claimToken }) => ({ taskId, claimToken, result: { oiled: true } })),
    )
    // A Site's row is needed for Tasks alone.
    const held = statement.includes('site') ? [] : [{ state: 'queued' }]
    expect((await shop.contractor.jobs.list({ live: true })).items).toMatchObject(held)
    await letGo()
    shop.clock.advance(5_000)
    await shop.contractor.foreman.runDue()
    expect((await shop.contractor.jobs.list({ live: true })).items).toEqual([])
  })

  it('makes a call of the SDK say who that is, instead of waiting for ever', { timeout: 20_000 }, async () => {
    const { shop, client } = await openPair()
    const { letGo, pid } = await hold(client, 'select * from contractor.foundation for update')
    const refused = await shop.contractor.foundations.setState('aa', 'destroyed').catch(error => error)
    expect(refused).toMatchObject({ code: 'LOCKED', retryable: true })
    expect(refused.message).toContain(`session ${pid} ('somebody', idle in transaction)`)
    await letGo()
  })
})

describe('events', () => {
  it.each([
    ['of this database', (client: Sql) => hold(client, 'select pg_current_xact_id()')],
    ['that is prepared and forgotten', prepareOne],
  ])('are told while a transaction %s is open', async (_, begin) => {
    const { shop, one, client } = await openPair()
    const { letGo } = await begin(client)
    const tasks = await shop.claim()
    for (const task of tasks) await shop.answer(task, { welded: true })
    for (const task of await shop.claim()) await shop.answer(task, { oiled: true })
    const types: string[] = []
    for await (const event of one.watch()) types.push(event.type)
    expect(types.at(-1)).toBe('job.completed')
    await letGo()
  })

  it('are told when they stand in a database that was restored, whose server counts transactions anew', async () => {
    const { shop, one } = await openPair()
    const client = connect(shop)
    // As after a restore: all rows are of one new transaction.
    await client.unsafe('create table kept as select * from contractor.event; delete from contractor.event')
    await client.unsafe('insert into contractor.event overriding system value select * from kept; drop table kept')
    const { items } = { items: await shop.contractor.events.list({ job: one.id }) }
    expect(items.map(event => event.type)).toEqual(['job.created', 'job.started', 'job.progress'])
  })
})

/** Where the server allows it; a plain transaction otherwise, which is what it would be. */
async function prepareOne(client: Sql) {
  const [{ max_prepared_transactions: most } = { max_prepared_transactions: '0' }] = await client<
    { max_prepared_transactions: string }[]
  >`show max_prepared_transactions`
  if (most === '0') throw new Error('The tests’ server must allow prepared transactions')
  const session = await client.reserve()
  await session.unsafe('begin')
  await session.unsafe('select pg_current_xact_id()')
  await session.unsafe(`prepare transaction 'forgotten'`)
  session.release()
  return { letGo: async () => void (await client.unsafe(`rollback prepared 'forgotten'`)) }
}

describe('a host’s own transaction', () => {
  it.each(['repeatable read', 'serializable', 'read committed'] as const)(
    'in %s that changes a state wakes a Job that was ordered since it began',
    async isolationLevel => {
      const { contractor, stack, database } = await openShop()
      const { foundation, structure } = await stack({ create: "message( msg='x' )" })
      const db = drizzle(connect({ database }))
      await db.transaction(
        async tx => {
          await tx.execute(sql`select 1 from contractor.job`)
          await structure.doCreate()
          await contractor.foreman.runDue()
          await foundation.setBuilt({ tx })
        },
        { isolationLevel },
      )
      await contractor.foreman.runDue()
      await contractor.foreman.runDue()
      expect((await contractor.jobs.list()).items).toMatchObject([{ state: 'done' }])
    },
  )

  it('that orders a Job of what has changed since it began is told to try again, with nothing lost', async () => {
    const { contractor, stack, database } = await openShop()
    const { foundation, structure } = await stack({ create: "message( msg='x' )" })
    const db = drizzle(connect({ database }))
    let hasChanged = false
    const attempt = () =>
      db.transaction(
        async tx => {
          await tx.execute(sql`select 1 from contractor.job`)
          if (!hasChanged) await foundation.setBuilt()
          hasChanged = true
          await structure.doCreate({ tx })
        },
        { isolationLevel: 'repeatable read' },
      )
    await expect(attempt()).rejects.toMatchObject({ code: 'CONFLICT', retryable: true })
    await attempt()
    await contractor.foreman.runDue()
    await contractor.foreman.runDue()
    expect((await contractor.jobs.list()).items).toMatchObject([{ state: 'done' }])
  })

  it('on an embedded database refuses a call that would wait for it, and takes one that takes part', async () => {
    const shop = await openShop(pgliteKind)
    const client = shop.database.option as unknown as { transaction(run: (tx: never) => Promise<void>): Promise<void> }
    let refused: unknown
    await client.transaction(async () => {
      refused = await shop.contractor.sites.list().catch(error => error)
    })
    expect(refused).toMatchObject({
      code: 'TRANSACTION_NEEDED',
      message: expect.stringContaining('Pass the transaction as `tx`'),
    })
    expect((await shop.contractor.sites.list()).items).toHaveLength(1)
  })
})

describe('a database with defaults of its own', () => {
  it.each(['repeatable read', 'serializable'])('runs as any other where %s is the default', async isolation => {
    const database = await createPostgresDatabase()
    onTestFinished(() => database.drop())
    const admin = connect({ database })
    const name = new URL(database.option).pathname.slice(1)
    await admin.unsafe(`alter database ${name} set default_transaction_isolation to '${isolation}'`)
    await admin.unsafe(`alter database ${name} set DateStyle to 'SQL, DMY'`)
    onTestFinished(async () => {
      const last = postgres(database.option, { max: 1, onnotice: () => undefined })
      await last.unsafe(`alter database ${name} reset all`)
      await last.end()
    })
    const clock = createManualClock()
    const open = (option: string | Sql) =>
      createContractor({ database: option, plugins: [lathe, gauge], clock, foreman: false, leaseMs: 10_000 })
    const engines: Contractor[] = [await open(database.option), await open(connect({ database }))]
    const [one, two] = engines as [Contractor, Contractor]
    await one.sites.create({ name: 'lab' })
    await one.scripts.put({ name: 'weld', source: 'foundation.weld()\nfoundation.weld()' })
    await one.blueprints.put({ kind: 'foundation', name: 'base', scripts: { create: 'weld' } })
    for (let at = 0; at < 6; at++) {
      await one.foundations.create({
        locator: `f${at}`,
        type: 'Lathe',
        site: 'lab',
        blueprint: 'base',
        fields: { serial: 's' },
      })
      await one.foundations.setState(`f${at}`, 'located')
      await one.jobs.create({ foundation: `f${at}` }, 'create')
    }
    for (let round = 0; round < 4; round++) {
      await Promise.all(engines.map(engine => engine.foreman.runDue()))
      await Promise.all(
        engines.map(async engine => {
          const tasks = await engine.dispatch.claim(agent, { agent: 'a', modules: { lathe: { slots: 3 } }, waitMs: 0 })
          if (!tasks.length) return
          const results = tasks.map(({ taskId, claimToken }) => ({ taskId, claimToken, result: { welded: true } }))
          await engine.dispatch.results(agent, results)
        }),
      )
    }
    expect((await two.jobs.list({ state: 'done' })).items).toHaveLength(6)
    expect((await two.jobs.list()).items[0]?.createdAt).toBe(clock.date.toISOString())
    for (const engine of engines) await engine.close()
  })
})

describe('a host’s own postgres.js client', () => {
  it('is not changed, and its own settings do not change what the engine reads', async () => {
    const database = await createPostgresDatabase()
    onTestFinished(() => database.drop())
    const client = connect({ database }, { transform: postgres.camel, types: { bigint: postgres.BigInt } as never })
    const [before] = await client`select now() as at, '{"a_b":1}'::jsonb as some_json, 1::bigint as big`
    const contractor = await createContractor({ database: client, foreman: false })
    await contractor.sites.create({ name: 'lab', configValues: { a_b: { c_d: 1 } } })
    const [after] = await client`select now() as at, '{"a_b":1}'::jsonb as some_json, 1::bigint as big`
    expect(after?.at).toBeInstanceOf(Date)
    expect({ ...after, at: 0 }).toEqual({ ...before, at: 0 })
    expect((await contractor.sites.get('lab')).configValues).toEqual({ a_b: { c_d: 1 } })
    await contractor.close()
    expect(await client`select 1 as one`).toMatchObject([{ one: 1 }])
  })
})

describe('what the database refuses', () => {
  it('comes as an error of ours, and after close every call says CLOSED', async () => {
    const { contractor, stack } = await openShop()
    const { structure } = await stack({})
    const job = structure
    for (const attempt of [
      () => contractor.structures.get(2 ** 60),
      () => contractor.sites.create({ name: 'x', description: 'a\0b' }),
      () => contractor.jobs.get(1.5),
      () => contractor.events.list({ after: '9'.repeat(19) }),
    ]) {
      const error = await attempt().catch((thrown: unknown) => thrown)
      expect(isContractorError(error)).toBe(true)
      expect(String((error as Error).message)).not.toMatch(/Failed query|select /)
    }
    await contractor.close()
    for (const attempt of [
      () => contractor.sites.list(),
      () => job.refresh(),
      () => contractor.dispatch.claim(agent, { agent: 'a', modules: {}, waitMs: 0 }),
      () => contractor.foreman.runDue(),
    ])
      await expect(attempt()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(contractor.events.watch().next()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
