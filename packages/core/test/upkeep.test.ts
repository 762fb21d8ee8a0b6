import { checkUpgrade } from '@contractor/core'
import { defineFoundation, defineFunction } from '@contractor/plugin'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { gauge, lathe } from './lathe.ts'
import { openShop } from './shop.ts'

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
      await answer(await claimOne(), { oiled: true })
    }
    const [over, paused] = jobs as [(typeof jobs)[0], (typeof jobs)[0]]
    clock.advance(29 * 86_400_000)
    expect(await contractor.foreman.forget()).toBe(0)
    clock.advance(2 * 86_400_000)
    expect(await contractor.foreman.forget()).toBeGreaterThan(0)
    await expect(over.refresh()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await contractor.jobs.history(over.id)).items).toEqual([])
    expect(await paused.refresh()).toMatchObject({ state: 'paused' })
    expect(await paused.history()).toHaveLength(1)
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
