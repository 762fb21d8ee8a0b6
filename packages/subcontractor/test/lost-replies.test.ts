import type { ClaimRequest } from '@contractor/plugin/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { createClaimRequests } from '../src/claim-requests.ts'
import { createFixture, type Fixture, settle } from './agent-fixture.ts'
import { createManualClock } from './manual-clock.ts'

function create() {
  const clock = createManualClock()
  let ids = 0
  const requests = createClaimRequests({ clock, newId: () => `id-${++ids}` })
  const ask = { agent: 'a', modules: {}, waitMs: 0 }
  const send = async (isAnswered: boolean) => {
    let sent: ClaimRequest | undefined
    const call = requests.send(ask, async claim => {
      sent = claim
      if (!isAnswered) throw new Error('no answer')
    })
    await call.catch(() => {})
    return sent
  }
  return { clock, requests, ask, answered: () => send(true), lost: () => send(false) }
}

describe('a claim', () => {
  it('has an id of its own, and names those whose answer did not arrive', async () => {
    const { answered, lost } = create()
    expect(await answered()).toEqual({ agent: 'a', id: 'id-1', modules: {}, waitMs: 0 })
    expect(await lost()).toMatchObject({ id: 'id-2' })
    expect(await lost()).toMatchObject({ id: 'id-3', neverHad: ['id-2'] })
    expect(await answered()).toMatchObject({ id: 'id-4', neverHad: ['id-2', 'id-3'] })
  })

  it('names them for two minutes, also when it has been heard', async () => {
    const { clock, answered, lost } = create()
    await lost()
    clock.advance(60_000)
    await lost()
    expect((await answered())?.neverHad).toEqual(['id-1', 'id-2'])
    clock.advance(59_999)
    expect((await answered())?.neverHad).toEqual(['id-1', 'id-2'])
    clock.advance(1)
    expect((await answered())?.neverHad).toEqual(['id-2'])
    clock.advance(60_000)
    expect(await answered()).not.toHaveProperty('neverHad')
  })

  it('names them for as long as it takes until one that names them is answered', async () => {
    const { clock, answered, lost } = create()
    await lost()
    clock.advance(600_000)
    expect((await lost())?.neverHad).toEqual(['id-1'])
    clock.advance(600_000)
    expect((await answered())?.neverHad).toEqual(['id-1', 'id-2'])
    expect(await answered()).not.toHaveProperty('neverHad')
  })

  it('is not taken to have been told what was lost while it was on its way', async () => {
    const { clock, requests, ask, answered, lost } = create()
    let answer = () => {}
    const slow = requests.send(ask, () => new Promise<void>(resolve => (answer = resolve)))
    await lost()
    answer()
    await slow
    clock.advance(600_000)
    expect((await answered())?.neverHad).toEqual(['id-2'])
  })

  it('names a thousand at the most, the oldest are dropped', async () => {
    const { answered, lost } = create()
    for (let request = 1; request <= 1002; request++) await lost()
    const neverHad = (await answered())?.neverHad
    expect(neverHad).toHaveLength(1000)
    expect([neverHad?.[0], neverHad?.at(-1)]).toEqual(['id-3', 'id-1002'])
  })
})

describe('an agent whose answer is lost', () => {
  let fixture: Fixture
  afterEach(async () => {
    await fixture.close()
    expect(fixture.server.violations).toEqual([])
    expect(fixture.clock.pending(), 'timers that nobody cancelled').toBe(0)
  })

  const claims = () => fixture.server.messages.all.filter(({ path }) => path === 'claim').map(({ body }) => body)

  it.each<[string, (response: Response) => Promise<Response>]>([
    ['with the connection', () => Promise.reject(new TypeError('fetch failed', { cause: new Error('hang up') }))],
    ['to the page of a proxy', async () => new Response('<html>', { status: 502 })],
  ])('%s says so with the next claim', async (_, instead) => {
    let lose = false
    fixture = await createFixture({
      fetch: async (url, init) => {
        const response = await fetch(url, init)
        if (!lose || !String(url).endsWith('/claim')) return response
        lose = false
        await response.text()
        return instead(response)
      },
    })
    const { server, agent, clock, idle, calls } = fixture
    agent.start()
    const { body } = await idle()
    lose = true
    const [id = 0] = server.add({})
    const next = await clock.advanceUntil(server.messages.next(({ path }) => path === 'claim'))
    expect(next.body.neverHad).toEqual([body.id])
    // Nothing of the lost answer was begun.
    expect(calls.all).toEqual([])
    server.requeue(id)
    await clock.advanceUntil(server.endOf(id))
    expect(new Set(claims().map(claim => claim.id)).size).toBe(claims().length)
  })

  it('for its time runs nothing of it when it comes after all', async () => {
    let deliver = () => {}
    let hold = false
    fixture = await createFixture({
      // Does not heed its signal, and brings the answer when nobody waits for it any more.
      fetch: async (url, { signal: _, ...init } = {}) => {
        const response = await fetch(url, init)
        if (!hold || !String(url).endsWith('/claim')) return response
        hold = false
        await new Promise<void>(resolve => (deliver = resolve))
        return response
      },
    })
    const { server, agent, clock, idle, calls, line } = fixture
    agent.start()
    const { body } = await idle()
    hold = true
    const [id = 0] = server.add({})
    expect(await clock.advanceUntil(line('server is away'))).toContain('no answer within 40000 ms')
    const next = await clock.advanceUntil(server.messages.next(({ path }) => path === 'claim'))
    expect(next.body.neverHad).toContain(body.id)
    deliver()
    await settle()
    expect(calls.all).toEqual([])
    server.requeue(id)
    await clock.advanceUntil(server.endOf(id))
    expect(calls.all.map(({ context }) => context.attempt)).toEqual([2])
  })

  it('to a report names the claim that the report carried, and reports with a new one', async () => {
    let lose = true
    fixture = await createFixture({
      concurrency: { test: 1 },
      fetch: async (url, init) => {
        const response = await fetch(url, init)
        if (!lose || !String(url).endsWith('/results')) return response
        lose = false
        await response.text()
        throw new TypeError('fetch failed', { cause: new Error('hang up') })
      },
    })
    const { server, agent, clock, calls } = fixture
    const [first = 0, second = 0] = server.add({}, {})
    agent.start()
    await server.endOf(first)
    // The second Task went out with the lost answer: it is nobody's until the server hears so.
    expect(server.stateOf(second)).toBe('claimed')
    const retried = await clock.advanceUntil(
      server.messages.next(({ path, body }) => path === 'results' && body.claim?.neverHad),
    )
    const [lost] = server.messages.all.filter(({ path }) => path === 'results')
    expect(retried.body.claim.neverHad).toEqual([lost?.body.claim.id])
    expect(retried.body.claim.id).not.toBe(lost?.body.claim.id)
    expect(calls.all).toHaveLength(1)
    server.requeue(second)
    await clock.advanceUntil(server.endOf(second))
  })
})
