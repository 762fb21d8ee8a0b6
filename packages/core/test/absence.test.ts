import { type Clock, type Contractor, createContractor, databaseClock } from '@contractor/core'
import { createManualClock } from '@contractor/core/testing'
import { PGlite } from '@electric-sql/pglite'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createPostgresDatabase, databaseKinds, pgliteKind, type TestDatabase } from '../../../test/databases.ts'
import { gauge, lathe } from './lathe.ts'
import { agent, openShop } from './shop.ts'

describe('the absence of all servers', () => {
  it('is no agent’s silence: on their return its claims hold, and its answers are taken', async () => {
    const { clock, open } = await preparePlace()
    const one = await open()
    const task = await beginWeld(one)
    clock.advance(3_000)
    await one.close()
    clock.advance(3_600_000)
    const two = await open()
    await two.foreman.runDue()
    expect(await two.dispatch.renew(agent, [task])).toMatchObject([{ accepted: true }])
    clock.advance(9_000)
    await two.foreman.runDue()
    expect(await two.dispatch.results(agent, [{ ...shown(task), result: { welded: true } }])).toMatchObject([
      { accepted: true },
    ])
    expect((await two.jobs.list()).items).toMatchObject([{ state: 'done' }])
    await two.close()
  })

  it('lasts no longer than it does: an agent that stays silent after it has its Task taken', async () => {
    const { clock, open } = await preparePlace()
    const one = await open()
    await beginWeld(one)
    await one.close()
    clock.advance(3_600_000)
    const two = await open()
    await two.foreman.runDue()
    expect((await two.jobs.list()).items).toMatchObject([{ state: 'queued' }])
    clock.advance(10_001)
    await two.foreman.runDue()
    expect((await two.jobs.list()).items).toMatchObject([{ state: 'error' }])
    await two.close()
  })

  it('is none while one of several is there', async () => {
    const { clock, open } = await preparePlace()
    const [one, two] = [await open(), await open()]
    await beginWeld(one)
    await one.close()
    clock.advance(10_001)
    const three = await open()
    await three.foreman.runDue()
    expect((await two.jobs.list()).items).toMatchObject([{ state: 'error' }])
    await two.close()
    await three.close()
  })
})

/** A database, and engines on it that go one after the other. */
async function preparePlace() {
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  const clock = createManualClock()
  const open = () =>
    createContractor({ database: database.option, plugins: [lathe, gauge], clock, foreman: false, leaseMs: 10_000 })
  return { clock, open }
}

const shown = ({ taskId, claimToken }: { taskId: number; claimToken: string }) => ({ taskId, claimToken })

async function beginWeld(contractor: Contractor) {
  await contractor.sites.create({ name: 'lab' })
  await contractor.scripts.put({ name: 'weld', source: 'foundation.weld()' })
  await contractor.blueprints.put({ kind: 'foundation', name: 'base', scripts: { create: 'weld' } })
  const foundation = await contractor.foundations.create({
    locator: 'f',
    type: 'Lathe',
    site: 'lab',
    blueprint: 'base',
    fields: { serial: 's' },
  })
  await foundation.setLocated()
  await foundation.doCreate()
  await contractor.foreman.runDue()
  const [task] = await contractor.dispatch.claim(agent, { agent: 'a', modules: { lathe: { slots: 1 } }, waitMs: 0 })
  if (!task) throw new Error('No Task is offered')
  return task
}

describe('a jump of the database’s clock', () => {
  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('%s takes no Task from an agent that works, and keeps none that is due from going on', async (_, jumpMs) => {
    let shiftMs = 0
    const clock: Clock = {
      isSteady: true,
      now: () => sql<Date>`(now() + ${shiftMs}::float8 * interval '1 millisecond')`,
      sleep: databaseClock.sleep,
    }
    const { contractor, stack, claimOne, answer } = await openShop(undefined, { clock })
    const { foundation, structure } = await stack({ create: 'foundation.weld()' })
    await foundation.setBuilt()
    const job = await structure.doCreate()
    await contractor.foreman.runDue()
    const weld = await claimOne()
    const other = await stack({ foundationCreate: "message( msg='x' )" }, 'other')
    await other.foundation.setLocated()
    const due = await other.foundation.doCreate()
    shiftMs = jumpMs
    for (let round = 0; round < 4; round++) await contractor.foreman.runDue()
    expect(await contractor.dispatch.renew(agent, [weld])).toMatchObject([{ accepted: true }])
    expect(await answer(weld, { welded: true })).toBe(true)
    expect(await job.refresh()).toMatchObject({ state: 'done' })
    if (jumpMs > 0) expect(await due.refresh()).toMatchObject({ state: 'done' })
  })
})

describe('a process that stands still for a moment', () => {
  it('sees no jump of the clock', async () => {
    const database = await createPostgresDatabase()
    onTestFinished(() => database.drop())
    const lines: string[] = []
    let beats = 0
    const client = postgres(database.option, {
      onnotice: () => undefined,
      debug(_connection, query) {
        if (!query.includes('insert into contractor.engine_process')) return
        beats++
        // Between the moment that the transaction says and the end of that.
        if (beats === 1) for (const until = performance.now() + 1_500; performance.now() < until; );
      },
    })
    onTestFinished(() => client.end())
    const log = (_: string, message: string) => void lines.push(message)
    const contractor = await createContractor({ database: client, leaseMs: 1_000, foreman: false, log })
    await vi.waitFor(() => expect(beats).toBe(3), { timeout: 10_000 })
    await contractor.close()
    expect(lines).toEqual([])
  })
})

describe('an embedded database', () => {
  it('takes the first uses of one statement at once', async () => {
    const client = await PGlite.create()
    onTestFinished(() => client.close())
    const contractor = await createContractor({ database: client, plugins: [lathe], foreman: false })
    await contractor.sites.create({ name: 'lab' })
    const claims = await Promise.all(
      [1, 2, 3, 4].map(slots =>
        contractor.dispatch.claim(agent, { agent: `a${slots}`, modules: { lathe: { slots } }, waitMs: 0 }),
      ),
    )
    expect(claims).toEqual([[], [], [], []])
    await contractor.close()
  })

  it('is known by its shape, whichever copy of the package it comes from', async () => {
    const { option, drop } = await pgliteKind.create()
    onTestFinished(drop)
    const overridden = new Set<string | symbol>()
    // As one of the CommonJS half is: it can do the same, and is no instance of the class that the engine knows.
    const real = option as unknown as Record<string | symbol, unknown>
    const foreign = new Proxy(
      { query: () => undefined, exec: () => undefined, transaction: () => undefined, listen: () => undefined },
      {
        get(target, key) {
          const own = Object.hasOwn(target, key) && overridden.has(key) ? Reflect.get(target, key) : real[key]
          return typeof own === 'function' ? own.bind(real) : own
        },
        set(target, key, value) {
          overridden.add(key)
          return Reflect.set(target, key, value)
        },
      },
    )
    const contractor = await createContractor({ database: foreign as never, plugins: [lathe], foreman: false })
    expect((await contractor.sites.list()).items).toEqual([])
    await contractor.close()
  })
})

describe.each(databaseKinds)('what is told, on $kind', kind => {
  it('of a Job that stopped is its reason, whatever is said of it since', async () => {
    const { contractor, stack } = await openShop(kind)
    const { foundation, structure } = await stack({ create: "error( msg='no disk' )" })
    await foundation.setBuilt()
    const job = await structure.doCreate()
    await contractor.foreman.runDue()
    await job.setMessage('ann looks at it')
    expect(await job.refresh()).toMatchObject({ state: 'error', message: 'ann looks at it', reason: 'no disk' })
    expect((await job.explain()).because).toMatchObject([
      { code: 'stopped', text: 'no disk (line 1 of its script)', data: { reason: 'no disk' } },
    ])
  })

  it('of its history is all of it', { timeout: 60_000 }, async () => {
    const { stack, database } = await openShop(kind)
    const { structure } = await stack({})
    const job = await structure.doCreate()
    await execute(
      database,
      `insert into contractor.step (job, module, function, "end", started_at, ended_at)
       select ${job.id}, 'lathe', 'oil', 'result', now(), now() from generate_series(1, 2500)`,
    )
    expect(await job.history()).toHaveLength(2_500)
  })

  it('of a Job that is gone ends', async () => {
    const { contractor, stack, clock } = await openShop(kind, { retentionDays: 1 })
    const { foundation, structure } = await stack({ create: "message( msg='x' )" })
    await foundation.setBuilt()
    const job = await structure.doCreate()
    for (let round = 0; round < 3; round++) await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'done' })
    clock.advance(3 * 86_400_000)
    await contractor.foreman.forget()
    const types: string[] = []
    for await (const event of job.watch()) types.push(event.type)
    expect(types).toEqual([])
  })
})

/** Straight into the database. */
async function execute({ option }: TestDatabase, text: string): Promise<void> {
  if (typeof option !== 'string') return void (await (option as PGlite).exec(text))
  const client = postgres(option, { max: 1, onnotice: () => undefined })
  await client.unsafe(text)
  await client.end()
}
