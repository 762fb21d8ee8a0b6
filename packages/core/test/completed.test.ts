import { describe, expect, it } from 'vitest'
import { databaseKinds } from '../../../test/databases.ts'
import { beginJob } from './shop.ts'

describe.each(databaseKinds)('job.completed(), on $kind', kind => {
  it('resolves with the Job when it is completed, also when it was already', async () => {
    const { shop, job } = await beginJob('foundation.oil()', kind)
    const waiting = job.completed()
    await shop.answer(await shop.claimOne(), { oiled: true })
    expect(await waiting).toMatchObject({ id: job.id, state: 'done', outcome: 'completed' })
    expect(await job.completed({ timeoutMs: 1 })).toMatchObject({ outcome: 'completed' })
  })

  it.each([
    ["error( msg='the can is empty' )", /is in error: the can is empty/, 'error'],
    ["fatal_error( msg='broken' )", /is aborted: broken/, 'aborted'],
  ])('throws with the Job’s reason for %s', async (script, message, state) => {
    const { shop, job } = await beginJob(`foundation.oil()\n${script}`, kind)
    const waiting = expect(job.completed()).rejects.toMatchObject({
      code: 'JOB_FAILED',
      message: expect.stringMatching(message),
      data: { job: job.id, state },
    })
    await shop.answer(await shop.claimOne(), { oiled: true })
    await waiting
    await expect(job.completed()).rejects.toThrow(message)
  })

  it('waits for one that is paused, and is told of one that is cancelled', async () => {
    const { shop, job } = await beginJob("pause( msg='is it oiled?' )\nfoundation.oil()", kind)
    const told = expect(job.completed()).rejects.toMatchObject({
      code: 'JOB_FAILED',
      data: { outcome: 'cancelled' },
    })
    await job.resume()
    await shop.contractor.foreman.runDue()
    await job.cancel()
    await told
  })

  it('ends by its time, by its signal, and with the engine', async () => {
    const { shop, job } = await beginJob('foundation.oil()', kind)
    const late = expect(job.completed({ timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'TIMED_OUT',
      retryable: true,
      data: { timeoutMs: 5_000 },
    })
    const stop = new AbortController()
    const stopped = expect(job.completed({ signal: stop.signal })).rejects.toThrow('enough')
    const closed = expect(job.completed()).rejects.toMatchObject({ code: 'CLOSED' })
    shop.clock.advance(5_000)
    await late
    stop.abort(new Error('enough'))
    await stopped
    await expect(job.completed({ signal: stop.signal })).rejects.toThrow('enough')
    await shop.contractor.close()
    await closed
  })
})
