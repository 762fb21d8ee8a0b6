import { describe, expect, it } from 'vitest'
import { agent, beginJob, type Shop } from './shop.ts'

describe('a lost answer', () => {
  it('of a function that was not done after all is asked for again, in the same call', async () => {
    const { shop, job } = await beginJob('foundation.turn()')
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
    const { shop, job } = await beginJob('foundation.oil()')
    const waits: number[] = []
    for (let lost = 1; lost < 5; lost++) {
      expect((await shop.claimOne()).attempt).toBe(lost)
      shop.clock.advance(10_001)
      await shop.contractor.foreman.runDue()
      let waited = 0
      while ((await shop.contractor.jobs.get(job.id)).state === 'queued' && !(await taskIsThere(shop))) {
        shop.clock.advance(100)
        waited += 100
        await shop.contractor.foreman.runDue()
      }
      waits.push(waited)
    }
    // Less a part by chance, so that those that failed together do not come back together.
    for (const [at, waited] of waits.entries()) {
      expect(waited).toBeGreaterThanOrEqual(0.8 * 1000 * 2 ** at)
      expect(waited).toBeLessThanOrEqual(1000 * 2 ** at + 100)
    }
    await shop.claimOne()
    shop.clock.advance(10_001)
    await shop.contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({
      state: 'error',
      message: 'foundation.oil was tried 5 times: the agent bench did not answer',
    })
  })

  it('of a function that can neither be repeated nor seen stops the Job, which says what is unknown', async () => {
    const { shop, job } = await beginJob('foundation.weld()')
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
    const { shop, job } = await beginJob('foundation.weld()')
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
    const { shop } = await beginJob('foundation.weld()\nfoundation.weld()')
    const first = await shop.claimOne()
    expect(await shop.answer(first, { welded: true })).toBe(true)
    expect(await shop.answer(first, { welded: true })).toBe(false)
    expect(await shop.answer({ ...(await shop.claimOne()), claimToken: first.claimToken }, { welded: true })).toBe(
      false,
    )
  })

  it('that stands twice in one message is taken once', async () => {
    const { shop } = await beginJob('foundation.weld()\nfoundation.weld()')
    const { taskId, claimToken } = await shop.claimOne()
    const answer = { taskId, claimToken, result: { welded: true } }
    expect(await shop.contractor.dispatch.results(agent, [answer, answer])).toMatchObject([
      { accepted: true },
      { accepted: false },
    ])
  })

  it('that is not what was asked for is an error that says so', async () => {
    const { shop, job } = await beginJob('foundation.weld()')
    await shop.answer(await shop.claimOne(), { welded: 'perhaps' })
    expect(await job.refresh()).toMatchObject({
      state: 'error',
      message: expect.stringContaining("The agent's answer to lathe.weld is not what was asked for"),
    })
  })

  it('that tells of a failure is tried again when that is harmless and may help', async () => {
    const { shop, job } = await beginJob('foundation.oil()')
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
    const { shop, job } = await beginJob('foundation.weld()')
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
    const { shop, job } = await beginJob('foundation.weld()')
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
    const { shop } = await beginJob('foundation.weld()')
    const weld = await shop.claimOne()
    await shop.contractor.dispatch.release(agent, [{ ...weld, begun: false }])
    expect(await shop.claimOne()).toMatchObject({ taskId: weld.taskId, function: 'weld' })
    expect(await shop.answer(weld, { welded: true })).toBe(false)
  })

  it('counts as lost when it was begun', async () => {
    const { shop, job } = await beginJob('foundation.weld()')
    await shop.contractor.dispatch.release(agent, [{ ...(await shop.claimOne()), begun: true }])
    expect(await job.refresh()).toMatchObject({
      state: 'error',
      message: expect.stringContaining('may or may not have been done'),
    })
  })
})

async function taskIsThere(shop: Shop): Promise<boolean> {
  const tasks = await shop.claim()
  await Promise.all(tasks.map(task => shop.contractor.dispatch.release(agent, [{ ...task, begun: false }])))
  return tasks.length > 0
}
