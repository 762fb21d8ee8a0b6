import { createContractor } from '@contractor/core'
import postgres, { type Sql } from 'postgres'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createPostgresDatabase } from '../../../test/databases.ts'
import { gauge, lathe } from './lathe.ts'
import { agent, openShop } from './shop.ts'
import { connect, hold } from './somebody.ts'

// Whoever holds up a Job is named: by its explanation, and in the log.

interface Line {
  message: string
  detail: unknown
}

/** A Job that welds, another one, and what the engine logs. */
async function openPair() {
  const lines: Line[] = []
  const shop = await openShop(undefined, { log: (_, message, detail) => void lines.push({ message, detail }) })
  const jobs = []
  for (const name of ['aa', 'bb']) {
    const { foundation, structure } = await shop.stack({ create: 'foundation.weld()\nfoundation.oil()' }, name)
    if (name === 'bb') {
      await shop.contractor.sites.create({ name: 'annex' })
      await foundation.update({ site: 'annex' })
    }
    await foundation.setBuilt()
    jobs.push(await structure.doCreate())
  }
  await shop.contractor.foreman.runDue()
  const [one, two] = jobs
  if (!one || !two) throw new Error('There are two Jobs')
  const named = () => lines.filter(line => line.message.startsWith('A transaction holds up')).map(line => line.detail)
  return { shop, one, two, client: connect(shop), named }
}

const ofJob = (id: number) => `select * from contractor.job where id = ${id} for update`
const ofTask = (id: number) => `select * from contractor.task where job = ${id} for update`
const ofSite = `select * from contractor.site where name = 'lab' for update`

describe('an explanation', () => {
  it.each([
    ['the Job', ofJob],
    ['its Task', ofTask],
    ['the Site of its Task', () => ofSite],
    ['its Foundation', () => `update contractor.foundation set updated_at = updated_at where locator = 'aa'`],
    ['its Structure', () => `select * from contractor.structure where hostname = 'aa' for no key update`],
    ['the table of Tasks', () => 'lock table contractor.task in share mode'],
  ])('names who holds %s, with the session and since when', async (what, statement) => {
    const { one, two, client } = await openPair()
    const { letGo, pid } = await hold(client, statement(one.id))
    expect((await one.explain()).because[0]).toMatchObject({
      code: 'held-up',
      data: { pid, application: 'somebody', state: 'idle in transaction', since: expect.stringContaining('T') },
    })
    const isEverybodys = what.includes('table')
    expect((await two.explain()).because[0]?.code).toBe(isEverybodys ? 'held-up' : 'no-agent')
    await letGo()
    expect((await one.explain()).because[0]?.code).toBe('no-agent')
  })

  it('names nobody who only refers to what it needs, nor whoever asks for it in a transaction', async () => {
    const { one, client } = await openPair()
    const { letGo } = await hold(
      client,
      `select * from contractor.foundation for key share`,
      `select * from contractor.structure for key share`,
      `update contractor.site set updated_at = updated_at`,
    )
    expect((await one.explain()).because).toMatchObject([{ code: 'no-agent' }])
    // Of several that refer to a row at once, there is a group.
    const other = await hold(client, `select * from contractor.foundation for key share`)
    expect((await one.explain()).because).toMatchObject([{ code: 'no-agent' }])
    await letGo()
    await other.letGo()
  })

  it.each([
    ['a row', ofTask],
    ['a table', () => 'lock table contractor.task in share mode'],
  ])('names a transaction that was prepared and forgotten with %s', async (_, statement) => {
    const { one, client } = await openPair()
    const session = await client.reserve()
    await session.unsafe('begin')
    await session.unsafe('select pg_current_xact_id()')
    await session.unsafe(statement(one.id))
    await session.unsafe(`prepare transaction 'forgotten'`)
    session.release()
    expect((await one.explain()).because[0]).toMatchObject({
      code: 'held-up',
      data: { pid: null, application: 'forgotten', state: 'prepared transaction' },
    })
    await client.unsafe(`rollback prepared 'forgotten'`)
    expect((await one.explain()).because[0]?.code).toBe('no-agent')
  })

  it('locks nothing, and asks the server nothing that it refuses, where nobody is about', async () => {
    const { shop, one } = await openPair()
    const statements: string[] = []
    const client = postgres(shop.database.option as string, {
      onnotice: () => undefined,
      debug: (_connection, query) => void statements.push(query),
    })
    onTestFinished(() => client.end())
    const contractor = await createContractor({ database: client, plugins: [lathe, gauge], foreman: false })
    statements.length = 0
    await contractor.jobs.explain(one.id)
    await contractor.close()
    expect(statements.filter(text => /multixact|skip locked|savepoint/.test(text))).toEqual([])
  })
})

describe('the log', () => {
  /** What is due is looked at until somebody is named. */
  async function waitForName({ shop, named }: Awaited<ReturnType<typeof openPair>>): Promise<unknown> {
    return vi.waitFor(
      async () => {
        shop.clock.advance(300)
        await shop.contractor.foreman.runDue()
        expect(named()).not.toEqual([])
        return named()
      },
      { timeout: 10_000, interval: 100 },
    )
  }

  const holding: [string, (client: Sql, job: number) => ReturnType<typeof hold>][] = [
    ['an answer’s Job', (client, job) => hold(client, ofJob(job))],
    ['an answer’s Task', (client, job) => hold(client, ofTask(job))],
    ['the Site of what an answer brings forth', client => hold(client, ofSite)],
  ]
  it.each(holding)('names who holds %s, while other Jobs go on', async (_, begin) => {
    const pair = await openPair()
    const { shop, one, two, client } = pair
    const [weld] = await shop.claim({ lathe: 1 })
    const { letGo, pid } = await begin(client, one.id)
    expect(await shop.answer(weld as never, { welded: true })).toBe(true)
    expect(await waitForName(pair)).toMatchObject([{ pid, application: 'somebody' }])
    expect(await two.refresh()).toMatchObject({ state: 'queued' })
    await letGo()
    shop.clock.advance(2_000)
    await shop.contractor.foreman.runDue()
    expect(await shop.claimOne()).toMatchObject({ function: 'oil' })
  })

  it('names who holds a Job that waits to be woken, and a whole table', async () => {
    const pair = await openPair()
    const { shop, client, named } = pair
    const { foundation, structure } = await shop.stack({ create: "message( msg='x' )" }, 'cc')
    const job = await structure.doCreate()
    await shop.contractor.foreman.runDue()
    const one = await hold(client, ofJob(job.id))
    await foundation.setBuilt()
    expect(await waitForName(pair)).toMatchObject([{ pid: one.pid }])
    await one.letGo()
    const [weld] = await shop.claim({ lathe: 1 })
    const table = await hold(client, 'lock table contractor.task in share mode')
    expect(await shop.answer(weld as never, { welded: true })).toBe(true)
    await vi.waitFor(
      async () => {
        shop.clock.advance(300)
        await shop.contractor.foreman.runDue()
        expect(named()).toHaveLength(2)
      },
      { timeout: 10_000, interval: 100 },
    )
    expect(named()).toMatchObject([{ pid: one.pid }, { pid: table.pid }])
    await table.letGo()
  })
})

describe('a renewal that was kept', () => {
  it('is forgotten when it has run out, though nobody answers', async () => {
    const { shop, client } = await openPair()
    const tasks = await shop.claim({ lathe: 1 })
    const { letGo } = await hold(client, 'select * from contractor.task for update')
    expect(await shop.contractor.dispatch.renew(agent, tasks)).toMatchObject([{ accepted: true }])
    const words = async () => (await client`select count(*)::int as count from contractor.claim_word`)[0]?.count
    expect(await words()).toBe(1)
    await letGo()
    await shop.contractor.dispatch.renew(agent, tasks)
    shop.clock.advance(10_001)
    await shop.contractor.dispatch.renew(agent, tasks)
    await shop.contractor.foreman.runDue()
    expect(await words()).toBe(0)
    expect(await shop.answer(tasks[0] as never, { welded: true })).toBe(true)
  })
})

describe('an engine', () => {
  it('starts while somebody holds a table, and goes on when that is free', async () => {
    const database = await createPostgresDatabase()
    onTestFinished(() => database.drop())
    const client = connect({ database })
    for (const table of ['task', 'engine_process']) {
      const { letGo } = await hold(client, `lock table contractor.${table} in access exclusive mode`)
      const contractor = await createContractor({ database: database.option, plugins: [lathe], foreman: false })
      expect((await contractor.sites.list()).items).toEqual([])
      await letGo()
      await contractor.foreman.runDue()
      await contractor.close()
    }
  })
})
