import { afterEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture, settle } from './agent-fixture.ts'

let fixture: Fixture
afterEach(async () => {
  await fixture.close()
  expect(fixture.server.violations).toEqual([])
  expect(fixture.clock.pending(), 'timers that nobody cancelled').toBe(0)
})

const renewals = () =>
  fixture.server.messages.all.filter(({ path }) => path === 'renew').flatMap(({ body }) => body.claims)

describe('what a running handler tells', () => {
  it('goes to the server about once a second, with a renewal, and what is left with the answer', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const { context, finish } = await call(id)
    expect(context.callId).toBe(`call-${id}`)
    context.progress(10, 'Pulling')
    context.log('one')
    context.progress(250)
    clock.advance(999)
    await settle()
    expect(renewals()).toEqual([])
    clock.advance(1)
    await server.messages.first(({ path }) => path === 'renew')
    const report = { progress: 100, message: 'Pulling', lines: [{ place: 1, at: expect.any(Number), text: 'one' }] }
    expect(renewals()).toMatchObject([{ taskId: id, report }])
    await settle()
    context.log('two')
    finish('done')
    expect(await server.endOf(id)).toMatchObject({ result: 'done', lines: [{ place: 2, text: 'two' }] })
  })

  it('is told again when the server has not heard it', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const { context, finish } = await call(id)
    let lost = 0
    server.answerWith(({ path }) => {
      if (path !== 'renew' || lost > 0) return undefined
      lost += 1
      return { status: 502, body: 'bad gateway' }
    })
    context.log('once')
    clock.advance(1000)
    await server.messages.first(({ path }) => path === 'renew')
    await settle()
    await clock.advanceUntil(server.messages.first(({ path }) => path === 'renew' && lost > 0 && renewals().length > 1))
    expect(renewals().map(({ report }) => report.lines.length)).toEqual([1, 1])
    // It may go along with the answer too: the server knows it by its place.
    finish()
    await server.endOf(id)
  })
})

describe('a Task that takes longer than it may', () => {
  it('is aborted, and handed back as begun with the reason', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call } = fixture
    const [id = 0] = server.add({ function: 'heed', timeoutMs: 5000, leaseMs: 60_000 })
    agent.start()
    const { context } = await call(id)
    clock.advance(4999)
    expect(context.signal.aborted).toBe(false)
    clock.advance(1)
    expect(context.signal.aborted).toBe(true)
    const { body } = await server.messages.first(({ path }) => path === 'release')
    expect(body.claims).toEqual([
      { taskId: id, claimToken: 'claim-1', begun: true, reason: 'test.heed took longer than 5 s' },
    ])
  })

  it('is handed back too when its handler does not heed that', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call } = fixture
    const [id = 0] = server.add({ function: 'hold', timeoutMs: 5000, leaseMs: 60_000 })
    agent.start()
    await call(id)
    clock.advance(5000)
    await settle()
    clock.advance(2000)
    const { body } = await server.messages.first(({ path }) => path === 'release')
    expect(body.claims).toMatchObject([{ taskId: id, begun: true, reason: 'test.hold took longer than 5 s' }])
  })
})
