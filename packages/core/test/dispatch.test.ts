import { describe, expect, it } from 'vitest'
import { agent, openShop } from './shop.ts'

const request = { agent: 'bench', modules: { lathe: { slots: 5 }, gauge: { slots: 1 } }, waitMs: 0 }

async function openBusyShop() {
  const shop = await openShop()
  await shop.contractor.sites.create({ name: 'hall', parent: 'lab' })
  await shop.contractor.sites.create({ name: 'away' })
  for (const site of ['lab', 'hall', 'away']) {
    await shop.stack({ foundationCreate: site === 'away' ? 'foundation.oil()' : "gauge.measure( what='it' )" }, site)
    const { contractor } = shop
    await contractor.foundations.create({
      locator: `${site}-f`,
      type: 'Lathe',
      site,
      blueprint: `${site}-base`,
      fields: { serial: 's' },
    })
    await contractor.foundations.setState(`${site}-f`, 'located')
    await contractor.jobs.create({ foundation: `${site}-f` }, 'create')
  }
  await shop.contractor.foreman.runDue()
  return shop
}

describe('an agent', () => {
  it('gets work of its token’s Sites and all below them, of its modules, and as much as it has room for', async () => {
    const { contractor } = await openBusyShop()
    expect(await contractor.dispatch.claim({ ...agent, sites: ['nowhere'] }, request)).toEqual([])
    expect(await contractor.dispatch.claim({ ...agent, modules: ['lathe'] }, request)).toEqual([])
    expect(await contractor.dispatch.claim(agent, { ...request, modules: { lathe: { slots: 5 } } })).toEqual([])
    const first = await contractor.dispatch.claim(agent, request)
    expect(first).toMatchObject([{ module: 'gauge', function: 'measure', params: { what: 'it' } }])
    expect(await contractor.dispatch.claim({ ...agent, sites: ['hall'] }, request)).toHaveLength(1)
    expect(await contractor.dispatch.claim({ ...agent, sites: ['away'] }, request)).toMatchObject([{ function: 'oil' }])
  })

  it('that waits is told as soon as there is work', async () => {
    const shop = await openShop()
    const waiting = shop.contractor.dispatch.claim(agent, { ...request, waitMs: 60_000 })
    const { foundation } = await shop.stack({ foundationCreate: 'foundation.oil()' })
    await foundation.setLocated()
    await foundation.doCreate()
    await shop.contractor.foreman.runDue()
    expect(await waiting).toMatchObject([{ function: 'oil' }])
  })

  it('that waits in vain is told so when its time is over', async () => {
    const { contractor, clock } = await openShop()
    let answered = false
    const waiting = contractor.dispatch.claim(agent, { ...request, waitMs: 20_000 }).finally(() => {
      answered = true
    })
    clock.advance(19_000)
    await contractor.sites.list()
    expect(answered).toBe(false)
    // The claim falls asleep after it has looked; whenever that is, this is after its end.
    const tick = setInterval(() => clock.advance(1_000), 1)
    expect(await waiting).toEqual([])
    clearInterval(tick)
  })

  it('that went away while it waited leaves the work to others', async () => {
    const shop = await openShop()
    const gone = new AbortController()
    const waiting = shop.contractor.dispatch.claim(agent, { ...request, waitMs: 60_000 }, gone.signal)
    gone.abort()
    expect(await waiting).toEqual([])
    const { foundation } = await shop.stack({ foundationCreate: 'foundation.weld()' })
    await foundation.setLocated()
    await foundation.doCreate()
    await shop.contractor.foreman.runDue()
    expect(await shop.contractor.dispatch.claim(agent, request, gone.signal)).toEqual([])
    expect(await shop.contractor.dispatch.claim(agent, request)).toMatchObject([{ function: 'weld' }])
  })
})

describe('a token', () => {
  it('is known by its secret, which is kept as a hash only', async () => {
    const { contractor } = await openShop()
    const { secret } = await contractor.tokens.create({ kind: 'agent', name: 'a', sites: ['lab'], modules: ['lathe'] })
    expect(await contractor.tokens.find(secret)).toEqual({
      kind: 'agent',
      name: 'a',
      sites: ['lab'],
      modules: ['lathe'],
    })
    expect(await contractor.tokens.find(`${secret}x`)).toBeUndefined()
    expect(JSON.stringify(await contractor.tokens.list())).not.toContain(secret)
    await contractor.tokens.delete('a')
    expect(await contractor.tokens.find(secret)).toBeUndefined()
  })

  it.each([
    [{ kind: 'agent', name: 'a', sites: ['nowhere'], modules: ['x'] }, 'NOT_FOUND'],
    [{ kind: 'agent', name: 'a', sites: [], modules: ['x'] }, 'VALIDATION_FAILED'],
    [{ kind: 'king', name: 'a' }, 'VALIDATION_FAILED'],
  ])('of %j is refused', async (input, code) => {
    const { contractor } = await openShop()
    await expect(contractor.tokens.create(input as never)).rejects.toMatchObject({ code })
  })
})
