import { randomUUID } from 'node:crypto'
import { checkUpgrade } from '@contractor/core'
import { defineFoundation, defineFunction } from '@contractor/plugin'
import type { ClaimedTask } from '@contractor/plugin/wire'
import postgres from 'postgres'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { gauge, lathe } from './lathe.ts'
import { agent, openShop, type Shop } from './shop.ts'

/** A large output of a Task: whole, or with its last piece missing. */
const attach = ({ dispatch }: Shop['contractor'], { taskId, claimToken }: ClaimedTask, isLast: boolean) =>
  dispatch.attach(agent, {
    ...{ taskId, claimToken, upload: randomUUID(), name: 'log', contentType: 'text/plain', place: 0, isLast },
    data: Buffer.from('oil').toString('base64'),
  })

describe('what is over', () => {
  it('is kept for as long as the retention says; what a live Job has done stays', async () => {
    const shop = await openShop(undefined, { retentionDays: 30 })
    const { contractor, clock, claimOne, answer } = shop
    const done = await shop.stack({ create: 'foundation.oil()' })
    const live = await shop.stack({ create: "foundation.oil()\npause( msg='wait' )" }, 'other')
    for (const { foundation } of [done, live]) await foundation.setBuilt()
    const jobs = []
    for (const { structure } of [done, live]) {
      jobs.push(await structure.doCreate())
      await contractor.foreman.runDue()
      const task = await claimOne()
      const { taskId, claimToken } = task
      const lines = [{ place: 1, at: clock.date.getTime(), text: 'oiling' }]
      await contractor.dispatch.renew(agent, [{ taskId, claimToken, report: { lines } }])
      await attach(contractor, task, true)
      await attach(contractor, task, false)
      await answer(task, { oiled: true })
    }
    const attached = async () => (await contractor.attachments.list()).items.length
    const client = postgres(shop.database.option as string, { max: 1 })
    onTestFinished(() => client.end())
    const pieces = async () => (await client`select 1 from contractor.attachment_piece`).length
    expect([await attached(), await pieces()]).toEqual([2, 4])
    const [over, paused] = jobs as [(typeof jobs)[0], (typeof jobs)[0]]
    clock.advance(29 * 86_400_000)
    // Attachments that have not become whole are nobody's.
    expect(await contractor.foreman.forget()).toBe(2)
    expect([await attached(), await pieces()]).toEqual([2, 2])
    clock.advance(2 * 86_400_000)
    expect(await contractor.foreman.forget()).toBeGreaterThan(0)
    await expect(over.refresh()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await contractor.jobs.history(over.id)).items).toEqual([])
    expect(await paused.refresh()).toMatchObject({ state: 'paused' })
    expect(await paused.history()).toMatchObject([{ log: [{ text: 'oiling' }] }])
    expect((await contractor.attachments.list()).items).toMatchObject([{ job: paused.id }])
    expect(await pieces()).toBe(1)
    expect(await contractor.foreman.forget()).toBe(0)
    expect((await contractor.events.list({ job: paused.id })).length).toBeGreaterThan(2)
    expect(await done.structure.refresh()).toMatchObject({ state: 'built' })
  })

  it('is kept for ever when there is no retention', async () => {
    const { contractor, clock, stack } = await openShop(undefined, { retentionDays: 0 })
    await stack({})
    clock.advance(10_000 * 86_400_000)
    expect(await contractor.foreman.forget()).toBe(0)
  })
})

describe('before an upgrade', () => {
  it('every live Job is looked at, and those that could not go on are told with the reason', async () => {
    const shop = await openShop()
    const { contractor } = shop
    const welding = await shop.stack({ create: 'foundation.weld()' })
    const measuring = await shop.stack({ create: "gauge.measure( what='it' )" }, 'measured')
    for (const { foundation, structure } of [welding, measuring]) {
      await foundation.setBuilt()
      await structure.doCreate()
    }
    await contractor.foreman.runDue()
    const option = shop.database.option

    expect(await checkUpgrade(option, [lathe, gauge])).toEqual([
      { job: 1, target: 'Structure one', action: 'create', state: 'queued', problems: [] },
      { job: 2, target: 'Structure measured', action: 'create', state: 'queued', problems: [] },
    ])
    expect((await checkUpgrade(option, [lathe])).map(check => check.problems)).toEqual([
      [],
      [
        "No plugin provides the module 'gauge', which its script speaks of",
        'gauge.measure, which it is in, is provided by no plugin',
      ],
    ])

    const weld = defineFunction({
      args: z.object({}),
      state: z.object({ renamed: z.string() }),
      result: z.null(),
      start: () => ({ renamed: '' }),
      outcome: () => ({ kind: 'pending' }),
    })
    const next = defineFoundation({ type: 'Lathe', fields: z.object({ serial: z.string() }), functions: { weld } })
    expect((await checkUpgrade(option, [next, gauge])).map(check => check.problems)).toEqual([
      [expect.stringContaining('The state of foundation.weld cannot be read')],
      [],
    ])
    expect((await checkUpgrade(option, [gauge]))[0]?.problems).toEqual([
      "No plugin provides its Foundation's type 'Lathe'",
      'foundation.weld, which it is in, is provided by no plugin',
    ])
  })
})
