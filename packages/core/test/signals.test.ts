import { describe, expect, it } from 'vitest'
import { beginJob } from './shop.ts'

async function begin(script: string) {
  const { shop, structure, job } = await beginJob(script)
  const cookie = async () => String((await structure.config())._structure_job_cookie)
  return { ...shop, structure, job, cookie }
}

describe('a machine that is being built', () => {
  it('reports that it is done with the cookie that its config tells it', async () => {
    const { contractor, job, cookie } = await begin('signaling.wait_for_completion()')
    expect(await job.refresh()).toMatchObject({ state: 'queued', message: 'Waiting for the machine to report back' })
    expect(await contractor.foreman.runDue()).toBe(0)
    await contractor.signals.complete(job.id, await cookie())
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })

  it('is heard although it reports before the script waits for it, and once for each time', async () => {
    const { contractor, job, cookie } = await begin(
      "pause( msg='first' )\nsignaling.wait_for_completion()\nsignaling.wait_for_completion()",
    )
    await contractor.signals.complete(job.id, await cookie())
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'paused' })
    await job.resume()
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'queued', message: 'Waiting for the machine to report back' })
    await contractor.signals.complete(job.id, await cookie())
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })

  it('is refused with the cookie of an earlier Job, and of one that is over', async () => {
    const { contractor, job, structure, cookie } = await begin('signaling.wait_for_completion()')
    const old = await cookie()
    await job.cancel()
    await expect(contractor.signals.complete(job.id, old)).rejects.toMatchObject({ code: 'WRONG_STATE' })
    const next = await structure.doCreate()
    await contractor.foreman.runDue()
    await expect(contractor.signals.complete(next.id, old)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(contractor.signals.complete(999, old)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await next.refresh()).toMatchObject({ state: 'queued' })
  })

  it('says what it is at, and raises an alert that stops its Job until it is reset', async () => {
    const { contractor, job, cookie, claimOne, answer } = await begin('foundation.weld()')
    await contractor.signals.message(job.id, await cookie(), 'formatting sda')
    expect(await job.refresh()).toMatchObject({ state: 'queued', message: 'formatting sda' })
    await contractor.signals.alert(job.id, await cookie(), 'sda is broken')
    expect(await job.refresh()).toMatchObject({ state: 'error', message: 'sda is broken' })
    await expect(contractor.signals.message(job.id, await cookie(), ' ')).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    })
    const weld = await claimOne()
    await job.reset()
    await contractor.foreman.runDue()
    expect(await answer(weld, { welded: true })).toBe(true)
    expect(await job.refresh()).toMatchObject({ state: 'done' })
    expect(
      (await contractor.events.list({ job: job.id })).filter(event => event.by === 'machine').map(event => event.type),
    ).toEqual(['job.message', 'job.error'])
  })
})

describe('a block with max_time', () => {
  it('pauses its Job when a call in it takes longer, and goes on when it is resumed', async () => {
    const { contractor, clock, job, cookie } = await begin(
      'begin( max_time=1:00 )\nsignaling.wait_for_completion()\nend',
    )
    clock.advance(59_000)
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'queued' })
    clock.advance(3_000)
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'paused', message: 'Max Time Elapsed' })
    await contractor.signals.complete(job.id, await cookie())
    await job.resume()
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'done' })
  })
})
