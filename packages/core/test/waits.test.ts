import { defineFunction, defineModule, defineTasks, pollUntil } from '@contractor/plugin'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { databaseKinds } from '../../../test/databases.ts'
import { lathe } from './lathe.ts'
import { openShop } from './shop.ts'

const tasks = defineTasks({
  look: { params: z.object({ at: z.string(), more: z.string().optional() }), result: z.object({ on: z.boolean() }) },
})

/** Functions as authors write them: what is not there any more is `undefined`. */
const gauge = defineModule({
  name: 'gauge',
  tasks,
  functions: {
    wait: pollUntil({
      args: z.object({}),
      task: tasks.look,
      params: () => ({ at: 'lamp', more: undefined }),
      result: z.object({ on: z.boolean(), note: z.string().optional() }),
      until: ({ on }) => (on ? { done: { on, note: undefined } } : { waiting: 'it is off' }),
      everyMs: 2000,
      timeoutMs: 10_000,
      agreeing: 2,
    }),
    list: defineFunction({
      args: z.object({}),
      state: z.object({ list: z.array(z.number().optional()) }),
      result: z.null(),
      start: () => ({ list: [1, undefined] }),
      outcome: () => ({ kind: 'done', value: null }),
    }),
  },
})

describe.each(databaseKinds)('a function that waits, on $kind', kind => {
  async function begin(script: string) {
    const shop = await openShop(kind, { plugins: [lathe, gauge] })
    const { foundation, structure } = await shop.stack({ create: script })
    await foundation.setBuilt()
    const job = await structure.doCreate()
    await shop.contractor.foreman.runDue()
    return { ...shop, job }
  }

  it('looks again when its moment has come, and asks nothing twice meanwhile', async () => {
    const { contractor, clock, claim, claimOne, answer, job } = await begin(`x = gauge.wait()
error( msg=( 'on: ' . x[ 'on' ] ) )`)
    for (const on of [false, true, true]) {
      await answer(await claimOne(), { on })
      expect(await claim()).toEqual([])
      await contractor.foreman.runDue()
      clock.advance(2000)
      await contractor.foreman.runDue()
    }
    expect(await contractor.jobs.get(job.id)).toMatchObject({ state: 'error', message: 'on: True' })
  })

  it('is not asked anew while its Task is out, whatever else moves the Job', async () => {
    const { contractor, claimOne, answer, job } = await begin('gauge.wait()')
    const task = await claimOne()
    await contractor.jobs.apply(job.id, 'pause')
    await contractor.jobs.apply(job.id, 'resume')
    await contractor.foreman.runDue()
    expect(await answer(task, { on: true })).toBe(true)
  })

  it('is told where its state cannot be kept: a list with a hole', async () => {
    const { contractor, job } = await begin('gauge.list()')
    expect(await contractor.jobs.get(job.id)).toMatchObject({ message: expect.stringContaining('no plain JSON') })
  })
})
