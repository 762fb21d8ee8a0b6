import { join } from 'node:path'
import { createManualClock, createTestContractor } from '@contractor/core/testing'
import { createFunctionContext, pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { chanceOf } from '../src/chance.ts'
import { simulated, simulatedGuest } from '../src/simulated.ts'

describe('the laws of plugins', () => {
  const entry = new URL('../src/index.ts', import.meta.url)
  for (const { name, run } of pluginLaws(simulated, undefined, { fields: {}, entry })) it(name, run)
})
describe('the laws of plugins, of what a host provides', () => {
  for (const { name, run } of pluginLaws(simulatedGuest, undefined, { fields: {}, complexFields: {} })) it(name, run)
})

it('chance is even, and the same for the same', () => {
  const found = Array.from({ length: 2000 }, (_, at) => chanceOf(`call-${at}`))
  expect(found.reduce((sum, one) => sum + one, 0) / 2000).toBeCloseTo(0.5, 1)
  expect(found.filter(one => one < 0.1).length / 2000).toBeCloseTo(0.1, 1)
  expect(chanceOf('call-7')).toBe(found[7])
})

describe('what takes its time', () => {
  const ends = (fields: object, calls = 300) =>
    Array.from({ length: calls }, (_, at) => {
      const { power_on: definition } = simulated.functions
      const start = definition?.start({}, createFunctionContext({ callId: `c${at}`, foundation: { fields } as never }))
      const began = definition?.outcome(start)
      const over = definition?.receive?.(start, { now: 0, kind: 'timer' })
      return { began, end: definition?.outcome(over)?.kind }
    })

  it('never fails unless it is said, and then as often as it is said', () => {
    const own = { test_delay_variance: 0, test_fail_likelihood: 0 }
    expect(new Set(ends(own).map(one => one.end))).toEqual(new Set(['done']))
    expect(new Set(ends({ ...own, test_fail_likelihood: 9 }, 1000).map(one => one.end))).toEqual(
      new Set(['done', 'error']),
    )
    const often = ends({ ...own, test_fail_likelihood: 500 }).map(one => one.end)
    expect(new Set(often)).toEqual(new Set(['done', 'error', 'aborted']))
    expect(often.filter(one => one !== 'done').length / often.length).toBeCloseTo(0.5, 0)
  })

  it('ends by its variance sooner or later, and at once where that is more than all', () => {
    const moments = ends({ test_delay_variance: 30, test_fail_likelihood: 0 }).map(({ began }) =>
      began?.kind === 'pending' ? (began.wakeAt ?? 0) : 0,
    )
    expect(Math.max(...moments)).toBeGreaterThan(25_000)
    expect(Math.max(...moments)).toBeLessThanOrEqual(45_000)
    expect(Math.min(...moments)).toBe(0)
  })

  it('is built and destroyed as its clock goes on', async () => {
    const clock = createManualClock()
    const contractor = await createTestContractor({ plugins: [simulated, simulatedGuest], clock, foreman: false })
    onTestFinished(() => contractor.close())
    await contractor.sites.create({ name: 'lab' })
    await contractor.resources.load(join(import.meta.dirname, '../resources.toml'))
    const own = { type: 'Test', site: 'lab', blueprint: 'test-foundation-base' } as const
    await contractor.foundations.create({ ...own, locator: 'm1', fields: { test_delay_variance: 0 } })
    await contractor.foundations.setLocated('m1')
    const job = await contractor.foundations.doCreate('m1')
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'queued', message: 'Switches it on: simulated' })
    for (let at = 0; at < 2; at++) {
      clock.advance(15_000)
      await contractor.foreman.runDue()
    }
    expect(await job.refresh()).toMatchObject({ state: 'done', outcome: 'completed' })
  })
})
