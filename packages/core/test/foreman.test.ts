import type { Contractor, Job } from '@contractor/core'
import { createContractor } from '@contractor/core'
import { createManualClock } from '@contractor/core/testing'
import { describe, expect, it } from 'vitest'
import { createPostgresDatabase, databaseKinds } from '../../../test/databases.ts'
import { gauge, lathe } from './lathe.ts'
import { agent, openShop, type Shop } from './shop.ts'

/** A Structure whose create script is this, with its Job under way. */
async function begin(script: string, kind?: (typeof databaseKinds)[number]): Promise<{ shop: Shop; job: Job }> {
  const shop = await openShop(kind)
  const { foundation, structure } = await shop.stack({ create: script })
  await foundation.setBuilt()
  const job = await structure.doCreate()
  await shop.contractor.foreman.runDue()
  return { shop, job }
}

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
    const { shop, job } = await begin('foundation.turn()', kind)
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

describe('a lost answer', () => {
  it('of a function that was not done after all is asked for again, in the same call', async () => {
    const { shop, job } = await begin('foundation.turn()')
    const turn = await shop.claimOne()
    shop.clock.advance(11_000)
    await shop.contractor.foreman.runDue()
    shop.clock.advance(1_000)
    await shop.contractor.foreman.runDue()
    await shop.answer(await shop.claimOne(), { turned: null })
    const again = await shop.claimOne()
    expect(again).toMatchObject({ function: 'turn', params: turn.params, attempt: 2 })
    await shop.answer(again, { turned: 3 })
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })

  it('of an idempotent function is asked for again, later and later, until a limit', async () => {
    const { shop, job } = await begin('foundation.oil()')
    const waits: number[] = []
    for (let lost = 1; lost < 5; lost++) {
      expect((await shop.claimOne()).attempt).toBe(lost)
      shop.clock.advance(10_001)
      await shop.contractor.foreman.runDue()
      let waited = 0
      while ((await shop.contractor.jobs.get(job.id)).state === 'queued' && !(await taskIsThere(shop))) {
        shop.clock.advance(500)
        waited += 500
        await shop.contractor.foreman.runDue()
      }
      waits.push(waited)
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000])
    await shop.claimOne()
    shop.clock.advance(10_001)
    await shop.contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({
      state: 'error',
      message: 'foundation.oil was tried 5 times: the agent bench did not answer',
    })
  })

  it('of a function that can neither be repeated nor seen stops the Job, which says what is unknown', async () => {
    const { shop, job } = await begin('foundation.weld()')
    await shop.claimOne()
    shop.clock.advance(11_000)
    await shop.contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({
      state: 'error',
      message: expect.stringContaining('foundation.weld may or may not have been done: the agent bench did not answer'),
    })
    expect(await shop.claim()).toEqual([])
    await job.reset()
    await shop.contractor.foreman.runDue()
    await shop.answer(await shop.claimOne(), { welded: true })
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })

  it('does not come while the agent renews its lease', async () => {
    const { shop, job } = await begin('foundation.weld()')
    const weld = await shop.claimOne()
    for (let round = 0; round < 5; round++) {
      shop.clock.advance(9_000)
      await shop.contractor.foreman.runDue()
      expect(await shop.contractor.dispatch.renew(agent, [weld])).toEqual([{ taskId: weld.taskId, accepted: true }])
    }
    await shop.answer(weld, { welded: true })
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })
})

describe('an answer', () => {
  it('is taken once', async () => {
    const { shop } = await begin('foundation.weld()\nfoundation.weld()')
    const first = await shop.claimOne()
    expect(await shop.answer(first, { welded: true })).toBe(true)
    expect(await shop.answer(first, { welded: true })).toBe(false)
    expect(await shop.answer({ ...(await shop.claimOne()), claimToken: first.claimToken }, { welded: true })).toBe(
      false,
    )
  })

  it('that stands twice in one message is taken once', async () => {
    const { shop } = await begin('foundation.weld()\nfoundation.weld()')
    const { taskId, claimToken } = await shop.claimOne()
    const answer = { taskId, claimToken, result: { welded: true } }
    expect(await shop.contractor.dispatch.results(agent, [answer, answer])).toMatchObject([
      { accepted: true },
      { accepted: false },
    ])
  })

  it('that is not what was asked for is an error that says so', async () => {
    const { shop, job } = await begin('foundation.weld()')
    await shop.answer(await shop.claimOne(), { welded: 'perhaps' })
    expect(await job.refresh()).toMatchObject({
      state: 'error',
      message: expect.stringContaining("The agent's answer to lathe.weld is not what was asked for"),
    })
  })

  it('that tells of a failure is tried again when that is harmless and may help', async () => {
    const { shop, job } = await begin('foundation.oil()')
    await shop.fail(await shop.claimOne(), 'the can is empty', true)
    expect(await job.refresh()).toMatchObject({ state: 'queued' })
    shop.clock.advance(1_000)
    await shop.contractor.foreman.runDue()
    await shop.fail(await shop.claimOne(), 'there is no can')
    expect(await job.refresh()).toMatchObject({ state: 'error', message: expect.stringContaining('there is no can') })
    await job.reset()
    await shop.contractor.foreman.runDue()
    await shop.answer(await shop.claimOne(), { oiled: true })
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })

  it('for a paused Job is kept until it is resumed', async () => {
    const { shop, job } = await begin('foundation.weld()')
    const weld = await shop.claimOne()
    await job.pause()
    expect(await shop.answer(weld, { welded: true })).toBe(true)
    await shop.contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'paused' })
    await job.resume()
    await shop.contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })

  it('for a cancelled Job is refused, as is the renewal of its lease', async () => {
    const { shop, job } = await begin('foundation.weld()')
    const weld = await shop.claimOne()
    expect(await job.cancel({ by: 'ann' })).toMatchObject({ state: 'done', outcome: 'cancelled' })
    expect(await shop.contractor.dispatch.renew(agent, [weld])).toMatchObject([{ accepted: false }])
    expect(await shop.answer(weld, { welded: true })).toBe(false)
    expect((await shop.contractor.events.list({ job: job.id })).at(-1)).toMatchObject({
      type: 'job.cancelled',
      by: 'ann',
    })
  })
})

describe('a Task that is handed back', () => {
  it('is given to the next agent when it was not begun', async () => {
    const { shop } = await begin('foundation.weld()')
    const weld = await shop.claimOne()
    await shop.contractor.dispatch.release(agent, [{ ...weld, begun: false }])
    expect(await shop.claimOne()).toMatchObject({ taskId: weld.taskId, function: 'weld' })
    expect(await shop.answer(weld, { welded: true })).toBe(false)
  })

  it('counts as lost when it was begun', async () => {
    const { shop, job } = await begin('foundation.weld()')
    await shop.contractor.dispatch.release(agent, [{ ...(await shop.claimOne()), begun: true }])
    expect(await job.refresh()).toMatchObject({
      state: 'error',
      message: expect.stringContaining('may or may not have been done'),
    })
  })
})

describe('a script', () => {
  it('stops where it says, and goes on when the operator says so', async () => {
    const { shop, job } = await begin(
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
    const { shop, job } = await begin('delay( seconds=30 )\nfoundation.settle( seconds=60 )')
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
    const { shop, job } = await begin(
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
    const { job } = await begin(script)
    expect(await job.refresh()).toMatchObject({ state, message: expect.stringContaining(message) })
  })

  it('that changes does not disturb the Jobs under way', async () => {
    const { shop, job } = await begin("foundation.oil()\npause( msg='old' )")
    await shop.contractor.scripts.put({ name: 'one-create', source: "pause( msg='new' )" })
    await shop.answer(await shop.claimOne(), { oiled: true })
    expect(await job.refresh()).toMatchObject({ state: 'paused', message: 'old' })
  })

  it('that loops gives others their turn', async () => {
    const { shop, job } = await begin('ii = 0\nwhile ( ii < 60000 ) do ii = ( ii + 1 )')
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
    const { shop } = await begin('foundation.weld()')
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
    const { shop, job } = await begin("begin( description='Oiling' )\nfoundation.oil()\nend")
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

async function taskIsThere(shop: Shop): Promise<boolean> {
  const tasks = await shop.claim()
  await Promise.all(tasks.map(task => shop.contractor.dispatch.release(agent, [{ ...task, begun: false }])))
  return tasks.length > 0
}
