import type { ClaimedTask } from '@contractor/plugin/wire'
import { describe, expect, it } from 'vitest'
import { databaseKinds, postgresKind } from '../../../test/databases.ts'
import { agent, openShop, type Shop } from './shop.ts'

const claimFor = (lathe: number, gauge = 0) => ({
  agent: 'bench',
  modules: { lathe: { slots: lathe }, gauge: { slots: gauge } },
  waitMs: 0,
})
const weld = ({ taskId, claimToken }: ClaimedTask) => ({ taskId, claimToken, result: { welded: true } })

/** Jobs that weld twice, each on a Foundation of its own, with their first Tasks out. */
async function openWeldingShop(names: string[], kind = postgresKind): Promise<Shop> {
  const shop = await openShop(kind)
  for (const name of names) await begin(shop, name, 'foundation.weld()\nfoundation.weld()')
  return shop
}

async function begin(shop: Shop, name: string, foundationCreate: string): Promise<void> {
  const { foundation } = await shop.stack({ foundationCreate }, name)
  await foundation.setLocated()
  await foundation.doCreate()
  await shop.contractor.foreman.runDue()
}

describe.each(databaseKinds)('results that bring a claim, on $kind', kind => {
  it('leave with the next Tasks of their Jobs', async () => {
    const { contractor, claim } = await openWeldingShop(['aa', 'bb'], kind)
    const first = await claim()
    const { results, tasks } = await contractor.dispatch.exchange(agent, {
      results: first.map(weld),
      claim: claimFor(5),
    })
    expect(results.map(status => status.accepted)).toEqual([true, true])
    expect(tasks).toMatchObject([
      { module: 'lathe', function: 'weld', attempt: 1, leaseMs: 10_000 },
      { module: 'lathe', function: 'weld', attempt: 1, leaseMs: 10_000 },
    ])
    expect(await claim()).toEqual([])
    const last = await contractor.dispatch.exchange(agent, { results: tasks.map(weld), claim: claimFor(5) })
    expect(last).toEqual({ results: tasks.map(({ taskId }) => ({ taskId, accepted: true })), tasks: [] })
    expect((await contractor.jobs.list({ state: 'done' })).items).toHaveLength(2)
  })
})

describe('a claim that comes with results', () => {
  it('is given what has waited longest first, and no more than there is room for', async () => {
    const shop = await openWeldingShop(['aa', 'bb', 'cc'])
    const [first] = await shop.claim({ lathe: 1 })
    const { tasks } = await shop.contractor.dispatch.exchange(agent, {
      results: [weld(first as ClaimedTask)],
      claim: claimFor(2),
    })
    const left = await shop.claim()
    expect(tasks).toHaveLength(2)
    expect(left).toHaveLength(1)
    // What follows from the result is younger than what waited.
    expect(left[0]?.taskId).toBeGreaterThan(Math.max(...tasks.map(task => task.taskId)))
  })

  it('is given nothing of a module or a Site that its token does not allow', async () => {
    const shop = await openShop()
    await begin(shop, 'aa', "foundation.weld()\ngauge.measure( what='it' )")
    const [first] = await shop.claim()
    const welder = { ...agent, modules: ['lathe'] }
    const { tasks } = await shop.contractor.dispatch.exchange(welder, {
      results: [weld(first as ClaimedTask)],
      claim: claimFor(5, 5),
    })
    expect(tasks).toEqual([])

    await begin(shop, 'bb', 'foundation.weld()\nfoundation.weld()')
    const [second] = await shop.claim({ lathe: 1 })
    const foreign = await shop.contractor.dispatch.exchange(
      { ...agent, sites: ['nowhere'] },
      { results: [weld(second as ClaimedTask)], claim: claimFor(5) },
    )
    expect(foreign.tasks).toEqual([])
    expect(await shop.claim()).toMatchObject([{ function: 'measure' }, { function: 'weld' }])
  })

  it('is given nothing for a result that is refused', async () => {
    const shop = await openWeldingShop(['aa'])
    const [first] = await shop.claim()
    const stale = { ...weld(first as ClaimedTask), claimToken: '00000000-0000-0000-0000-000000000000' }
    const { results, tasks } = await shop.contractor.dispatch.exchange(agent, { results: [stale], claim: claimFor(5) })
    expect(results).toMatchObject([{ accepted: false }])
    expect(tasks).toEqual([])
  })

  it('gives the Tasks back when its agent has gone, and keeps the results', async () => {
    const shop = await openWeldingShop(['aa'])
    const [first] = await shop.claim()
    const { results, tasks } = await shop.contractor.dispatch.exchange(
      agent,
      { results: [weld(first as ClaimedTask)], claim: claimFor(5) },
      AbortSignal.abort(),
    )
    expect(results).toMatchObject([{ accepted: true }])
    expect(tasks).toEqual([])
    expect(await shop.claim()).toHaveLength(1)
  })
})

it('of two answers to one Task, only the one with the present token counts', async () => {
  const shop = await openWeldingShop(['aa'])
  const [first] = await shop.claim()
  const { taskId, claimToken } = first as ClaimedTask
  const failed = { code: 'TASK_FAILED', message: 'of an earlier claim', retryable: false }
  const statuses = await shop.contractor.dispatch.results(agent, [
    { taskId, claimToken: 'stale', error: failed },
    { taskId, claimToken, result: { welded: true } },
  ])
  expect(statuses.map(status => status.accepted)).toEqual([false, true])
  expect(await shop.claim()).toMatchObject([{ function: 'weld' }])
})
