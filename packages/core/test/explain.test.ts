import { describe, expect, it } from 'vitest'
import { openShop } from './shop.ts'

async function begin(scripts: Parameters<Awaited<ReturnType<typeof openShop>>['stack']>[0]) {
  const shop = await openShop()
  const { foundation, structure } = await shop.stack(scripts)
  return { ...shop, foundation, structure }
}

describe('an explanation', () => {
  it('of a waiting Job names what it needs and what to do about it', async () => {
    const { contractor, foundation, structure } = await begin({})
    const job = await structure.doCreate()
    await contractor.foreman.runDue()
    expect(await job.explain()).toEqual({
      job: job.id,
      state: 'waiting',
      because: [
        {
          code: 'needs',
          text: "It needs Foundation 'one', which is not built; and no Job builds it: order one",
          data: { name: "Foundation 'one'", job: null },
        },
      ],
      verbs: ['cancel'],
    })
    const under = await foundation.doCreate()
    expect((await job.explain()).because[0]?.text).toContain('a Job is building it')
    expect((await under.explain()).because).toMatchObject([{ code: 'not-located' }])
  })

  it('of a Task that nobody takes names the missing module and Site, and when an agent was last seen', async () => {
    const { contractor, clock, foundation, claim } = await begin({ foundationCreate: 'foundation.weld()' })
    await foundation.setLocated()
    const job = await foundation.doCreate()
    await contractor.foreman.runDue()
    expect((await job.explain()).because).toMatchObject([
      {
        code: 'no-agent',
        text: expect.stringContaining("none with the module 'lathe' for the Site 'lab' has ever asked for work"),
        data: { lastSeen: null },
      },
    ])
    await claim({ lathe: 0 })
    await expect.poll(async () => (await job.explain()).because[0]?.code).toBe('agent-busy')
    clock.advance(120_000)
    expect((await job.explain()).because).toMatchObject([
      {
        code: 'no-agent',
        text: expect.stringContaining("has asked for work since 2026-01-01T00:00:00.000Z ('bench')"),
      },
    ])
    await claim({ lathe: 1 })
    expect((await job.explain()).because).toMatchObject([{ code: 'agent-works', data: { agent: 'bench', attempt: 1 } }])
    expect((await job.explain()).verbs).toEqual(['pause', 'cancel'])
  })

  it('tells of tries, moments and reports that are waited for', async () => {
    const { contractor, clock, foundation, structure, claimOne, fail, answer } = await begin({
      create: 'foundation.oil()\ndelay( minutes=5 )\nsignaling.wait_for_completion()',
    })
    await foundation.setBuilt()
    const job = await structure.doCreate()
    await contractor.foreman.runDue()
    await fail(await claimOne(), 'later', true)
    expect((await job.explain()).because).toMatchObject([
      {
        code: 'retry',
        text: expect.stringMatching(/^foundation.oil failed 1 times; try 2 of 5 is at 2026-01-01T00:00:0/),
      },
    ])
    clock.advance(1_000)
    await contractor.foreman.runDue()
    await answer(await claimOne(), { oiled: true })
    expect((await job.explain()).because).toMatchObject([{ code: 'timer', data: { at: '2026-01-01T00:05:01.000Z' } }])
    clock.advance(300_000)
    await contractor.foreman.runDue()
    expect((await job.explain()).because).toMatchObject([{ code: 'signal' }])
  })

  it('of a Job that stopped gives its message, its line, and what can be done', async () => {
    const { contractor, foundation, structure } = await begin({ create: "x = 1\nerror( msg='no disk' )" })
    await foundation.setBuilt()
    const job = await structure.doCreate()
    await contractor.foreman.runDue()
    expect(await job.explain()).toMatchObject({
      state: 'error',
      because: [{ code: 'stopped', text: 'no disk (line 2 of its script)', data: { line: 2 } }],
      verbs: ['reset', 'undo', 'cancel'],
    })
    await job.cancel()
    expect((await job.explain()).because).toMatchObject([{ code: 'over', text: 'It is over: cancelled' }])
    await expect(contractor.jobs.explain(999)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
