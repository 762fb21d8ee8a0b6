import type { Json } from '@contractor/contract'
import type { ClaimedTask } from '@contractor/plugin/wire'
import postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { crane } from './crane.ts'
import { gauge, lathe } from './lathe.ts'
import { agent as base, openShop } from './shop.ts'

const agent = { ...base, modules: ['crane', 'lathe'] }

/** A Foundation with a create Job of this script, and what an agent says to its Tasks. */
async function begin(script: string, type: 'Crane' | 'Lathe' = 'Crane') {
  const shop = await openShop(undefined, { plugins: [crane, lathe, gauge] })
  const { contractor, clock, database } = shop
  await contractor.scripts.put({ name: 'make', source: script })
  await contractor.blueprints.put({ kind: 'foundation', name: 'made', scripts: { create: 'make' } })
  const fields = type === 'Lathe' ? { serial: 's' } : {}
  const foundation = await contractor.foundations.create({
    type,
    locator: 'it',
    site: 'lab',
    blueprint: 'made',
    fields,
  })
  await foundation.setLocated()
  const job = await foundation.doCreate()
  const run = () => contractor.foreman.runDue()
  await run()
  const claim = () =>
    contractor.dispatch.claim(agent, { agent: 'a', modules: { crane: { slots: 5 }, lathe: { slots: 5 } }, waitMs: 0 })
  const claimOne = async (): Promise<ClaimedTask> => {
    const [only, ...others] = await claim()
    if (!only || others.length) throw new Error('Not one Task is offered')
    return only
  }
  const answer = async ({ taskId, claimToken }: ClaimedTask, result: Json) =>
    (await contractor.dispatch.results(agent, [{ taskId, claimToken, result }]))[0]?.accepted
  const cookie = async () => String((await foundation.config())._foundation_job_cookie)
  const alert = async () => contractor.signals.alert(job.id, await cookie(), 'smoke')
  return { contractor, clock, database, foundation, job, run, claim, claimOne, answer, alert }
}

describe('an answer that comes late', () => {
  it('to a request is not taken as the answer to its rollback, which waits until the agent has let go', async () => {
    const { job, run, claim, claimOne, answer, alert, foundation } = await begin("foundation.hoist( load='beam' )")
    const lift = await claimOne()
    await alert()
    await job.rollback()
    await run()
    expect(await claim()).toEqual([])
    expect(await answer(lift, { lifted: 'beam' })).toBe(false)
    expect(await job.refresh()).toMatchObject({ state: 'queued' })
    const lower = await claimOne()
    expect(lower).toMatchObject({ function: 'lower' })
    expect(await answer(lower, { lowered: 'beam' })).toBe(true)
    expect(await job.refresh()).toMatchObject({ state: 'error', message: expect.stringContaining('was taken back') })
    expect((await job.history()).map(step => [step.function, step.end])).toEqual([
      ['lift', 'late'],
      ['lower', 'result'],
    ])
    expect(await foundation.config()).toBeDefined()
  })

  it('to a request that was revoked: its agent hears so when it renews, and has a moment to stop', async () => {
    const { job, run, claim, claimOne, alert, contractor, clock } = await begin("foundation.hoist( load='beam' )")
    const lift = await claimOne()
    await alert()
    await job.rollback()
    await run()
    expect(await contractor.dispatch.renew(agent, [lift])).toMatchObject([{ accepted: false }])
    expect(await claim()).toEqual([])
    clock.advance(3_001)
    await run()
    expect(await claimOne()).toMatchObject({ function: 'lower' })
  })

  it('to a request that was revoked and is handed back as begun or not: the next one is laid out at once', async () => {
    for (const begun of [true, false]) {
      const { job, run, claimOne, alert, contractor } = await begin("foundation.hoist( load='beam' )")
      const lift = await claimOne()
      await alert()
      await job.rollback()
      await run()
      expect(await contractor.dispatch.release(agent, [{ ...lift, begun }])).toMatchObject([{ accepted: true }])
      expect(await claimOne()).toMatchObject({ function: 'lower' })
    }
  })

  it('to a request that nobody has begun does not come: it is withdrawn', async () => {
    const { job, run, claimOne, alert } = await begin("foundation.hoist( load='beam' )")
    await alert()
    await job.rollback()
    await run()
    expect(await claimOne()).toMatchObject({ function: 'lower' })
  })

  it('to what a function asked for first is not taken for what it asks for since its timer', async () => {
    const { job, run, claim, claimOne, answer, clock, foundation, contractor } = await begin(
      "foundation.patience( load='x' )",
    )
    const lift = await claimOne()
    for (let seconds = 0; seconds < 60; seconds += 6) {
      clock.advance(6_000)
      expect(await contractor.dispatch.renew(agent, [lift])).toMatchObject([{ accepted: true }])
      await run()
    }
    clock.advance(1)
    await run()
    expect(await claim()).toEqual([])
    expect(await answer(lift, { lifted: 'x' })).toBe(false)
    const weigh = await claimOne()
    expect(weigh).toMatchObject({ function: 'weigh' })
    expect(await answer(weigh, { weight: 3 })).toBe(true)
    expect(await job.refresh()).toMatchObject({ state: 'done' })
    expect(await contractor.foundations.get('it')).toMatchObject({ fields: { note: '{"weight":3}' } })
    expect(foundation.locator).toBe('it')
  })

  it('to a call that was skipped while it was undone is not taken for the next one', async () => {
    const { job, run, claimOne, claim, answer, alert } = await begin(
      "foundation.hoist( load='a' )\nfoundation.hoist( load='b' )\npause( msg='look' )",
    )
    await answer(await claimOne(), { lifted: 'a' })
    await answer(await claimOne(), { lifted: 'b' })
    await job.undo()
    await run()
    const lowerB = await claimOne()
    expect(lowerB.params).toEqual({ load: 'b' })
    await alert()
    await job.skip()
    await run()
    expect(await claim()).toEqual([])
    expect(await answer(lowerB, { lowered: 'b' })).toBe(false)
    const lowerA = await claimOne()
    expect(lowerA.params).toEqual({ load: 'a' })
    expect(await answer(lowerA, { lowered: 'a' })).toBe(true)
    expect(await job.refresh()).toMatchObject({ state: 'done', outcome: 'undone' })
  })
})

describe('an answer that waits', () => {
  it('for a Job that somebody else has in hand is not overtaken by its function’s timer', async () => {
    const { contractor, database, job, run, claimOne, answer, clock } = await begin("foundation.patience( load='x' )")
    const lift = await claimOne()
    const client = postgres(database.option as string, { max: 1, onnotice: () => undefined })
    await client.begin(async stranger => {
      await stranger`select * from contractor.job for update`
      expect(await answer(lift, { lifted: 'x' })).toBe(true)
      clock.advance(61_000)
      await run()
    })
    await client.end()
    clock.advance(1_000)
    await run()
    expect(await job.refresh()).toMatchObject({ state: 'done' })
    expect(await contractor.foundations.get('it')).toMatchObject({ fields: { note: '{"lifted":"x"}' } })
  })

  it('for a Job that an alert has stopped is not thrown away by a reset, and the Task not done again', async () => {
    const { job, run, claim, claimOne, answer, alert } = await begin('foundation.weld()', 'Lathe')
    const weld = await claimOne()
    await alert()
    expect(await answer(weld, { welded: true })).toBe(true)
    await job.reset()
    await run()
    expect(await claim()).toEqual([])
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })

  it('for a paused Job is undone with the rest', async () => {
    const { job, run, claimOne, answer } = await begin("foundation.hoist( load='a' )\nfoundation.hoist( load='b' )")
    await answer(await claimOne(), { lifted: 'a' })
    const liftB = await claimOne()
    await job.pause()
    await expect(job.undo()).rejects.toMatchObject({
      code: 'WRONG_STATE',
      message: expect.stringContaining('an agent is still'),
    })
    expect(await answer(liftB, { lifted: 'b' })).toBe(true)
    await job.undo()
    await run()
    for (const load of ['b', 'a']) {
      const lower = await claimOne()
      expect(lower).toMatchObject({ function: 'lower', params: { load } })
      await answer(lower, { lowered: load })
    }
    expect(await job.refresh()).toMatchObject({ state: 'done', outcome: 'undone' })
  })

  it('that says that it failed is undone by the function’s rollback, before what was done', async () => {
    const { contractor, job, run, claimOne, answer } = await begin(
      "foundation.hoist( load='a' )\nfoundation.hoist( load='b' )",
    )
    await answer(await claimOne(), { lifted: 'a' })
    const { taskId, claimToken } = await claimOne()
    const error = { code: 'TASK_FAILED', message: 'the rope broke', retryable: false }
    await contractor.dispatch.results(agent, [{ taskId, claimToken, error }])
    expect(await job.refresh()).toMatchObject({ state: 'error', reason: 'the rope broke' })
    await job.undo()
    await run()
    for (const load of ['b', 'a']) {
      const lower = await claimOne()
      expect(lower).toMatchObject({ function: 'lower', params: { load } })
      await answer(lower, { lowered: load })
    }
    expect(await job.refresh()).toMatchObject({ outcome: 'undone' })
  })

  it('and was tried anew is undone too: what each attempt may have left is taken back', async () => {
    const { contractor, job, run, claimOne, answer } = await begin("foundation.hoist( load='a' )\npause( msg='stay' )")
    const { taskId, claimToken } = await claimOne()
    const error = { code: 'TASK_FAILED', message: 'the rope broke', retryable: false }
    await contractor.dispatch.results(agent, [{ taskId, claimToken, error }])
    await job.reset()
    await run()
    await answer(await claimOne(), { lifted: 'a' })
    expect(await job.refresh()).toMatchObject({ state: 'paused' })
    await job.undo()
    await run()
    for (const _ of ['the second call', 'the first']) {
      const lower = await claimOne()
      expect(lower).toMatchObject({ function: 'lower', params: { load: 'a' } })
      await answer(lower, { lowered: 'a' })
    }
    expect(await job.refresh()).toMatchObject({ outcome: 'undone' })
  })

  it('that may have been done and cannot be seen stops an undo, which says so; skip goes on', async () => {
    const { job, run, claimOne, clock } = await begin('foundation.weld()', 'Lathe')
    await claimOne()
    clock.advance(11_000)
    await run()
    expect(await job.refresh()).toMatchObject({ state: 'error' })
    await job.undo()
    await run()
    expect(await job.refresh()).toMatchObject({
      state: 'error',
      reason: expect.stringContaining('may or may not have been done'),
    })
    await job.skip()
    await run()
    expect(await job.refresh()).toMatchObject({ outcome: 'undone' })
  })
})

it('cancel takes the Job before its Task, so that nobody lays out another one behind it', async () => {
  const { job, contractor, claim, run } = await begin("foundation.hoist( load='a' )")
  await Promise.all([job.cancel(), run(), contractor.foreman.runDue()])
  await run()
  expect(await claim()).toEqual([])
  expect(await job.refresh()).toMatchObject({ outcome: 'cancelled' })
})

describe('a claim whose answer never came', () => {
  it('is free again as soon as its agent says that it never had it', async () => {
    const { contractor, job, answer } = await begin('foundation.weld()', 'Lathe')
    const request = { agent: 'a', modules: { lathe: { slots: 5 } }, waitMs: 0 }
    const [lost] = await contractor.dispatch.claim(agent, { ...request, id: 'one' })
    expect(lost).toMatchObject({ function: 'weld' })
    expect(await contractor.dispatch.claim(agent, { ...request, agent: 'another', neverHad: ['one'] })).toEqual([])
    const [weld] = await contractor.dispatch.claim(agent, { ...request, id: 'two', neverHad: ['one'] })
    expect(weld).toMatchObject({ function: 'weld', taskId: lost?.taskId })
    expect(await answer(lost as ClaimedTask, { welded: true })).toBe(false)
    expect(await answer(weld as ClaimedTask, { welded: true })).toBe(true)
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })
})
