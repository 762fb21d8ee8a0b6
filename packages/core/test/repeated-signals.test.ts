import { describe, expect, it } from 'vitest'
import { beginJob } from './shop.ts'

const wait = 'signaling.wait_for_completion()'

async function begin(script: string) {
  const { shop, structure, job } = await beginJob(script)
  const { contractor } = shop
  const cookie = String((await structure.config())._structure_job_cookie)
  const complete = async (report: { wait?: number; text?: string } = {}) => {
    await contractor.signals.complete(job.id, cookie, report)
    await contractor.foreman.runDue()
    return job.refresh()
  }
  const resume = async () => {
    await job.resume()
    await contractor.foreman.runDue()
    return job.refresh()
  }
  /** How many reports were taken for a wait. */
  const taken = async () =>
    (await contractor.events.list({ job: job.id })).filter(event => event.type === 'job.signalled').length
  const nextWait = async () => (await structure.config())._structure_job_wait
  return { contractor, structure, job, cookie, complete, resume, taken, nextWait }
}

const waits = { state: 'queued', message: 'Waiting for the machine to report back' }

describe.each([
  ['the number of the wait', { wait: 1 }, { wait: 2 }],
  ['a text', { text: 'installed' }, { text: 'booted' }],
])('a report with %s', (_, first, second) => {
  it('that is sent again does not answer the next wait', async () => {
    const { complete, taken } = await begin(`${wait}\n${wait}`)
    expect(await complete(first)).toMatchObject(waits)
    expect(await complete(first)).toMatchObject(waits)
    expect(await taken()).toBe(1)
    expect(await complete(second)).toMatchObject({ state: 'done' })
  })

  it('that is sent again before the script waits again is not kept for that', async () => {
    const { complete, resume, taken } = await begin(`${wait}\npause( msg='now' )\n${wait}`)
    expect(await complete(first)).toMatchObject({ state: 'paused' })
    await complete(first)
    expect(await resume()).toMatchObject(waits)
    expect(await taken()).toBe(1)
    expect(await complete(second)).toMatchObject({ state: 'done' })
  })

  it('that comes before the wait is kept for it, once, and so is one for the wait after that', async () => {
    const { complete, resume, taken } = await begin(`pause( msg='now' )\n${wait}\n${wait}\n${wait}`)
    for (const report of [first, first, second, second]) await complete(report)
    expect(await taken()).toBe(2)
    expect(await resume()).toMatchObject(waits)
    expect(await complete(first)).toMatchObject(waits)
    expect(await complete({})).toMatchObject({ state: 'done' })
  })

  it('that is sent again when the Job is over is answered alike', async () => {
    const { complete, taken } = await begin(wait)
    expect(await complete(first)).toMatchObject({ state: 'done' })
    await complete(first)
    expect(await taken()).toBe(1)
    await expect(complete(second)).rejects.toMatchObject({ code: 'WRONG_STATE' })
  })
})

describe('a report that says nothing', () => {
  it('answers the wait that is open, each in its turn', async () => {
    const { complete } = await begin(`${wait}\n${wait}`)
    expect(await complete()).toMatchObject(waits)
    expect(await complete()).toMatchObject({ state: 'done' })
  })

  it('between two waits is the one before, sent again', async () => {
    const { complete, resume, taken } = await begin(`${wait}\npause( msg='now' )\n${wait}`)
    expect(await complete()).toMatchObject({ state: 'paused' })
    await complete()
    expect(await resume()).toMatchObject(waits)
    expect(await taken()).toBe(1)
    expect(await complete()).toMatchObject({ state: 'done' })
  })

  it('before the first wait is kept for it, once', async () => {
    const { complete, resume, taken } = await begin(`pause( msg='now' )\n${wait}\n${wait}`)
    await complete()
    await complete()
    expect(await taken()).toBe(1)
    expect(await resume()).toMatchObject(waits)
  })

  it('twice before the Foreman has seen the first one is one', async () => {
    const { contractor, job, cookie, taken } = await begin(`${wait}\n${wait}`)
    await Promise.all([1, 2, 3].map(() => contractor.signals.complete(job.id, cookie)))
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject(waits)
    expect(await taken()).toBe(1)
  })

  it('of a Job that is over is answered alike, when it had been heard', async () => {
    const { complete, job } = await begin(wait)
    expect(await complete()).toMatchObject({ state: 'done' })
    expect(await complete()).toMatchObject({ state: 'done' })
    const other = await begin(wait)
    await other.job.cancel()
    await expect(other.complete()).rejects.toMatchObject({ code: 'WRONG_STATE' })
    expect(job.id).toBeGreaterThan(0)
  })
})

describe('the number of the next wait', () => {
  it('is in the config of the machine, and nothing once the Job is over', async () => {
    const { complete, nextWait, resume } = await begin(`pause( msg='now' )\n${wait}\n${wait}`)
    expect(await nextWait()).toBe(1)
    await complete({ wait: 1 })
    // The machine goes on although the script has not come to the wait.
    expect(await nextWait()).toBe(2)
    await resume()
    expect(await nextWait()).toBe(2)
    await complete({ wait: 2 })
    expect(await nextWait()).toBeNull()
  })

  it.each([[0], [-1], [1.5], [10_001]])('is not %d', async number => {
    const { complete } = await begin(wait)
    await expect(complete({ wait: number })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })
})

describe('a message or an alert', () => {
  it('that is sent again is told once', async () => {
    const { contractor, job, cookie } = await begin(wait)
    const tell = async () => {
      for (let times = 0; times < 2; times++) await contractor.signals.message(job.id, cookie, 'formatting')
      for (let times = 0; times < 2; times++) await contractor.signals.alert(job.id, cookie, 'sda is broken')
    }
    await tell()
    expect(await job.refresh()).toMatchObject({ state: 'error', message: 'sda is broken' })
    const told = (await contractor.events.list({ job: job.id })).filter(event => event.by === 'machine')
    expect(told.map(event => event.type)).toEqual(['job.message', 'job.error'])
  })
})
