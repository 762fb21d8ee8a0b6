import { describe, expect, it } from 'vitest'
import { databaseKinds } from '../../../test/databases.ts'
import { beginJob } from './shop.ts'

async function begin(script: string, kind?: (typeof databaseKinds)[number]) {
  const { shop, ...stack } = await beginJob(script, kind)
  return { ...shop, ...stack }
}

describe('the history of a Job', () => {
  it('tells what was asked of whom, what was answered, and how long it took; also when the Job is gone', async () => {
    const { contractor, clock, job, structure, claimOne, answer, fail } = await begin(
      'foundation.oil()\nfoundation.weld()',
    )
    const oil = await claimOne()
    clock.advance(1_500)
    await fail(oil, 'the can is empty', true)
    clock.advance(1_000)
    await contractor.foreman.runDue()
    await answer(await claimOne(), { oiled: true })
    await claimOne()
    clock.advance(11_000)
    await contractor.foreman.runDue()
    expect(await job.history()).toMatchObject([
      {
        module: 'lathe',
        function: 'oil',
        end: 'failed',
        agent: 'bench',
        attempt: 1,
        durationMs: 1500,
        reply: { message: 'the can is empty' },
      },
      { function: 'oil', end: 'result', attempt: 2, request: {}, reply: { oiled: true } },
      { function: 'weld', end: 'lost', reply: null },
    ])
    await job.cancel()
    await structure.delete()
    await expect(contractor.jobs.get(job.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await contractor.jobs.history(job.id)).items).toHaveLength(3)
    expect((await contractor.events.list({ job: job.id })).at(-1)).toMatchObject({
      type: 'job.cancelled',
      data: { call: 'foundation.weld', line: 2 },
    })
  })
})

describe('rollback', () => {
  it('has the call that failed take itself back, and stops there: nothing goes on as if it were done', async () => {
    const { contractor, job } = await begin('x = foundation.drill()\npause( msg=x )')
    expect(await job.refresh()).toMatchObject({ state: 'error', message: 'the drill broke' })
    await job.rollback({ by: 'ann' })
    await contractor.foreman.runDue()
    const message =
      'foundation.drill had failed (the drill broke), and was taken back: reset the Job to try it again, or undo the rest'
    expect(await job.refresh()).toMatchObject({ state: 'error', message, reason: message })
    await expect(job.rollback()).rejects.toThrow('what failed was taken back already')
    expect(
      (await contractor.events.list({ job: job.id })).find(event => event.type === 'job.rolled-back'),
    ).toMatchObject({ by: 'ann' })
  })

  it('lets the failed call be tried again, and the rest be undone without it', async () => {
    for (const verb of ['reset', 'undo'] as const) {
      const { contractor, job } = await begin('foundation.drill()')
      await job.rollback()
      await contractor.foreman.runDue()
      await job[verb]()
      await contractor.foreman.runDue()
      const after = verb === 'reset' ? { state: 'error', message: 'the drill broke' } : { outcome: 'undone' }
      expect(await job.refresh()).toMatchObject(after)
    }
  })

  it('is refused where there is none', async () => {
    const { job } = await begin("error( msg='no' )")
    await expect(job.rollback()).rejects.toMatchObject({
      code: 'WRONG_STATE',
      message: `Job ${job.id} cannot be rolled back: what failed has no rollback`,
    })
    await expect(job.skip()).rejects.toThrow('it is not being undone')
  })
})

describe.each(databaseKinds)('the undoing of a Job, on $kind', kind => {
  it('undoes what can be undone, the last first, and ends the Job', async () => {
    const { contractor, foundation, job, claimOne, answer } = await begin(
      "foundation.grip( part='a' )\nfoundation.weld()\nfoundation.grip( part='b' )\nfatal_error( msg='broken' )",
      kind,
    )
    await answer(await claimOne(), { held: 'A' })
    await answer(await claimOne(), { welded: true })
    await answer(await claimOne(), { held: 'B' })
    expect(await job.refresh()).toMatchObject({ state: 'aborted' })
    expect((await foundation.refresh()).fields).toMatchObject({ turned: 1 })
    await job.undo()
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'queued', message: 'Undoing foundation.grip' })
    const first = await claimOne()
    expect(first).toMatchObject({ function: 'let_go', params: { held: 'B' } })
    await answer(first, {})
    const second = await claimOne()
    expect(second).toMatchObject({ function: 'let_go', params: { held: 'A' } })
    await answer(second, {})
    expect(await job.refresh()).toMatchObject({ state: 'done', outcome: 'undone' })
    expect((await foundation.refresh()).fields).toEqual({ serial: 's1' })
    expect((await job.history()).filter(step => step.end === 'done').map(step => step.undoneAt !== null)).toEqual([
      true,
      true,
    ])
  })

  it('asks the operator when one fails: again, leave it, or stop', async () => {
    const { contractor, job, claimOne, answer, fail } = await begin(
      "foundation.grip( part='a' )\nfoundation.grip( part='b' )\npause( msg='stop here' )",
      kind,
    )
    for (const held of ['A', 'B']) await answer(await claimOne(), { held })
    await job.undo()
    await contractor.foreman.runDue()
    await fail(await claimOne(), 'it is stuck')
    expect(await job.refresh()).toMatchObject({
      state: 'error',
      message: 'Undoing foundation.grip failed: it is stuck',
    })
    await expect(job.rollback()).rejects.toThrow('it is being undone')
    await job.reset()
    await contractor.foreman.runDue()
    const again = await claimOne()
    expect(again).toMatchObject({ params: { held: 'B' } })
    await fail(again, 'it is stuck')
    await job.skip()
    await contractor.foreman.runDue()
    const other = await claimOne()
    expect(other).toMatchObject({ params: { held: 'A' } })
    await answer(other, {})
    expect(await job.refresh()).toMatchObject({ state: 'done', outcome: 'undone' })
  })
})

describe('an operator', () => {
  it('sets the line that is shown of a Job', async () => {
    const { contractor, job } = await begin("pause( msg='x' )")
    expect(await job.setMessage('ask Ann first', { by: 'bob' })).toMatchObject({
      state: 'paused',
      message: 'ask Ann first',
    })
    await job.cancel()
    await expect(job.setMessage('late')).rejects.toMatchObject({ code: 'WRONG_STATE' })
    await expect(contractor.jobs.setMessage(999, 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
