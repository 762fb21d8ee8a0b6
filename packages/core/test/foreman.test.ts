import type { Contractor } from '@contractor/core'
import { createContractor } from '@contractor/core'
import { createManualClock } from '@contractor/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createPostgresDatabase, databaseKinds } from '../../../test/databases.ts'
import { gauge, lathe } from './lathe.ts'
import { agent, beginJob, openShop } from './shop.ts'

describe.each(databaseKinds)('the Foreman on $kind', kind => {
  it('builds a stack in order when everything is ordered at once, and destroys it in the reverse order', async () => {
    const shop = await openShop(kind)
    const { foundation, structure } = await shop.stack({
      create: 'foundation.turn( speed=2 )',
      foundationCreate: 'foundation.oil()',
    })
    const structureJob = await structure.doCreate()
    const foundationJob = await foundation.doCreate()
    await shop.contractor.foreman.runDue()
    expect(await structureJob.refresh()).toMatchObject({
      state: 'waiting',
      message: "Waiting for Foundation 'one' to be built",
    })
    expect(await foundationJob.refresh()).toMatchObject({ state: 'waiting', message: 'Waiting to be located' })
    expect(await shop.claim()).toEqual([])

    await foundation.setLocated()
    await shop.contractor.foreman.runDue()
    const oil = await shop.claimOne()
    expect(oil).toMatchObject({ module: 'lathe', function: 'oil', attempt: 1 })
    expect(await shop.answer(oil, { oiled: true })).toBe(true)
    expect(await foundationJob.refresh()).toMatchObject({ state: 'done', outcome: 'completed', progress: 100 })
    await shop.contractor.foreman.runDue()

    const turn = await shop.claimOne()
    expect(turn).toMatchObject({ function: 'turn', params: { speed: 2 } })
    await shop.answer(turn, { turned: 7 })
    expect(await structureJob.refresh()).toMatchObject({ state: 'done', outcome: 'completed' })
    expect((await structure.refresh()).state).toBe('built')
    expect((await foundation.refresh()).fields).toEqual({ serial: 's1', turned: 7 })

    const uuid = (await structure.refresh()).configUuid
    const down = await foundation.doDestroy()
    await structure.doDestroy()
    await shop.contractor.foreman.runDue()
    expect(await down.refresh()).toMatchObject({ state: 'done' })
    expect((await foundation.refresh()).state).toBe('planned')
    expect(await structure.refresh()).toMatchObject({ state: 'planned' })
    expect((await structure.refresh()).configUuid).not.toBe(uuid)
  })

  it('looks before it does again what an agent may have done, and takes no late answer', async () => {
    const { shop, job } = await beginJob('foundation.turn()', kind)
    const turn = await shop.claimOne()
    shop.clock.advance(11_000)
    await shop.contractor.foreman.runDue()
    expect(await shop.answer(turn, { turned: 1 })).toBe(false)
    shop.clock.advance(2_000)
    await shop.contractor.foreman.runDue()
    const look = await shop.claimOne()
    expect(look).toMatchObject({ function: 'look', params: { callId: (turn.params as { callId: string }).callId } })
    await shop.answer(look, { turned: 1 })
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })
})

describe('a script', () => {
  it('stops where it says, and goes on when the operator says so', async () => {
    const { shop, job } = await beginJob(
      "pause( msg='look at it' )\nerror( msg='again' )\nfoundation.confirm( question='Is it on?' )\nfatal_error( msg='no' )",
    )
    expect(await job.refresh()).toMatchObject({ state: 'paused', message: 'look at it' })
    await expect(job.reset()).rejects.toMatchObject({
      code: 'WRONG_STATE',
      message: expect.stringContaining('it is paused, and only a Job that is error can'),
    })
    await job.resume()
    await shop.contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'error', message: 'again' })
    await job.reset()
    await shop.contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'paused', message: 'Is it on?' })
    await job.resume()
    await shop.contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'aborted', message: 'no' })
    await job.cancel()
    expect(await job.refresh()).toMatchObject({ state: 'done', outcome: 'cancelled' })
  })

  it('waits for its moments without an agent, and costs nothing meanwhile', async () => {
    const { shop, job } = await beginJob('delay( seconds=30 )\nfoundation.settle( seconds=60 )')
    expect(await shop.contractor.foreman.runDue()).toBe(0)
    shop.clock.advance(29_000)
    expect(await shop.contractor.foreman.runDue()).toBe(0)
    shop.clock.advance(1_000)
    expect(await shop.contractor.foreman.runDue()).toBe(1)
    shop.clock.advance(59_000)
    expect(await shop.contractor.foreman.runDue()).toBe(0)
    shop.clock.advance(1_000)
    await shop.contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })

  it('reads config, Structure and Foundation, and sets what the type lets it', async () => {
    const { shop, job } = await beginJob(
      "foundation.mark = 'new'\nmessage( msg=( config.motto . ( ', ' . ( structure.hostname . ( ', ' . foundation.label ) ) ) ) )\npause( msg=foundation.serial )",
    )
    await shop.contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'paused', message: 'new' })
    expect((await shop.contractor.foundations.get('one')).fields).toEqual({ serial: 'new' })
    const said = (await shop.contractor.events.list({ job: job.id })).map(event => event.data.message)
    expect(said).toContain('measure twice, one, lathe new')
  })

  it.each([
    ['config.nothing', 'aborted', "config has no value 'nothing' here"],
    ['foundation.fly()', 'error', "A Foundation of type 'Lathe' has no function 'fly'"],
    ["foundation.turn( speed='fast' )", 'aborted', 'foundation.turn'],
    ['crane.lift()', 'error', "No plugin that is loaded provides the module 'crane'"],
  ])('that says %s ends in %s and says why', async (script, state, message) => {
    const { job } = await beginJob(script)
    expect(await job.refresh()).toMatchObject({ state, message: expect.stringContaining(message) })
  })

  it('that changes does not disturb the Jobs under way', async () => {
    const { shop, job } = await beginJob("foundation.oil()\npause( msg='old' )")
    await shop.contractor.scripts.put({ name: 'one-create', source: "pause( msg='new' )" })
    await shop.answer(await shop.claimOne(), { oiled: true })
    expect(await job.refresh()).toMatchObject({ state: 'paused', message: 'old' })
  })

  it('that loops gives others their turn', async () => {
    const { shop, job } = await beginJob('ii = 0\nwhile ( ii < 60000 ) do ii = ( ii + 1 )')
    const other = await shop.stack({ create: "pause( msg='here' )" }, 'other')
    await other.foundation.setBuilt()
    const quick = await other.structure.doCreate()
    await shop.contractor.foreman.runDue()
    expect(await quick.refresh()).toMatchObject({ state: 'paused' })
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })
})

describe('a Job', () => {
  it('is refused with the rule that refuses it', async () => {
    const { shop } = await beginJob('foundation.weld()')
    await expect(shop.contractor.jobs.create({ structure: 1 }, 'create')).rejects.toMatchObject({
      code: 'JOB_REFUSED',
      message: "A create Job for Structure 'one' is refused: it has a create Job already",
      data: { rule: 'one-job', target: "Structure 'one'" },
    })
    await expect(shop.contractor.jobs.create({ foundation: 'one' }, 'polish')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(shop.contractor.jobs.create({ structure: 99 }, 'create')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is made with those of a whole stack, or none of them is', async () => {
    const shop = await openShop()
    const { structure } = await shop.stack({})
    const { jobs } = shop.contractor
    const orders = [
      { structure: structure.id, action: 'create' },
      { foundation: 'one', action: 'create' },
    ]
    await expect(jobs.createMany([...orders, { foundation: 'nobody', action: 'create' }])).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(jobs.createMany([{ foundation: 'one', structure: 1, action: 'create' }])).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    })
    expect((await jobs.list()).items).toEqual([])
    expect((await jobs.createMany(orders)).map(job => job.state)).toEqual(['waiting', 'waiting'])
  })

  it('of a utility runs on what is built and leaves it built', async () => {
    const shop = await openShop()
    const { foundation, structure } = await shop.stack({ utility: 'foundation.oil()' })
    await foundation.setBuilt()
    await structure.setBuilt()
    const job = await structure.doJob('polish')
    await shop.contractor.foreman.runDue()
    await shop.answer(await shop.claimOne(), { oiled: true })
    expect(await job.refresh()).toMatchObject({ state: 'done', action: 'polish' })
    expect(await structure.refresh()).toMatchObject({ state: 'built' })
  })

  it('ordered twice at once is made once', async () => {
    const shop = await openShop()
    const { structure } = await shop.stack({})
    const orders = await Promise.allSettled([structure.doCreate(), structure.doCreate(), structure.doCreate()])
    expect(orders.filter(order => order.status === 'fulfilled')).toHaveLength(1)
  })

  it('can be watched from its beginning to its end', async () => {
    const { shop, job } = await beginJob("begin( description='Oiling' )\nfoundation.oil()\nend")
    await shop.answer(await shop.claimOne(), { oiled: true })
    const seen = []
    for await (const event of job.watch()) seen.push([event.type, event.state, event.progress])
    expect(seen[0]).toEqual(['job.created', 'waiting', 0])
    expect(seen.at(-1)).toEqual(['job.completed', 'done', 100])
  })
})

describe('two server processes on one PostgreSQL', () => {
  it('advance every Job once between them', async () => {
    const database = await createPostgresDatabase()
    const clock = createManualClock()
    const open = () => createContractor({ database: database.option, plugins: [lathe, gauge], clock, foreman: false })
    const engines: [Contractor, Contractor] = [await open(), await open()]
    const [one, two] = engines
    await one.sites.create({ name: 'lab' })
    await one.scripts.put({ name: 'create', source: 'foundation.weld()' })
    await one.blueprints.put({ kind: 'foundation', name: 'base', scripts: { create: 'create' } })
    for (let at = 0; at < 20; at++) {
      const foundation = await one.foundations.create({
        locator: `f${at}`,
        type: 'Lathe',
        site: 'lab',
        blueprint: 'base',
        fields: { serial: 's' },
      })
      await foundation.setLocated()
      await foundation.doCreate()
    }
    await Promise.all(engines.flatMap(engine => [engine.foreman.runDue(), engine.foreman.runDue()]))
    const request = { agent: 'a', modules: { lathe: { slots: 15 } }, waitMs: 0 }
    const claims = await Promise.all([one.dispatch.claim(agent, request), two.dispatch.claim(agent, request)])
    const tasks = claims.flat()
    expect(new Set(tasks.map(task => task.taskId)).size).toBe(20)
    expect(tasks).toHaveLength(20)
    const answers = tasks.map(({ taskId, claimToken }) => ({ taskId, claimToken, result: { welded: true } }))
    const taken = await Promise.all([
      one.dispatch.results(agent, answers),
      two.dispatch.results(agent, [...answers].reverse()),
    ])
    expect(taken.flat().filter(status => status.accepted)).toHaveLength(20)
    expect((await one.foundations.list()).items.every(foundation => foundation.state === 'built')).toBe(true)
    for (const engine of engines) await engine.close()
    await database.drop()
  })
})

describe('a machine that stands still between any two moments', () => {
  it('moves Jobs all the same, one at a time at least', async () => {
    const shop = await openShop()
    const stacks = [await shop.stack({ create: '' }, 'one'), await shop.stack({ create: '' }, 'two')]
    for (const { foundation, structure } of stacks) {
      await foundation.setBuilt()
      await structure.doCreate()
    }
    let now = performance.now()
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 300))
    onTestFinished(() => clock.mockRestore())
    await shop.contractor.foreman.runDue()
    const states = (await shop.contractor.jobs.list()).items.map(job => job.state)
    expect(states).not.toContain('queued')
    expect(states).not.toContain('waiting')
  })
})
