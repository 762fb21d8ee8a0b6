import { afterEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture } from './agent-fixture.ts'
import { agentToken, ownReply, refusal } from './fake-server.ts'

let fixture: Fixture
afterEach(async () => {
  await fixture.close()
  expect(fixture.server.violations).toEqual([])
  expect(fixture.clock.pending(), 'timers that nobody cancelled').toBe(0)
  expect(fixture.lines.all.filter(line => line.includes(agentToken))).toEqual([])
})

describe('a server that is away', () => {
  it('at the start is tried until it is there, with one line when lost and one when back', async () => {
    fixture = await createFixture({ before: server => server.close() })
    const { server, agent, clock, line, count } = fixture
    agent.start()
    await line('server is away')
    const delays = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
    for (const [index, delayMs] of delays.entries()) {
      clock.advance(delayMs)
      await clock.nextTimer(delays[index + 1] ?? 10_000)
    }
    await server.open()
    await clock.advanceUntil(server.endOf(server.add({})[0] ?? 0))
    expect(count('server is away')).toBe(1)
    expect(count('server is back')).toBe(1)
  })

  it('in the middle loses nothing: results that were finished meanwhile are sent when it is back', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call, line, count } = fixture
    const ids = server.add({ function: 'hold' }, { function: 'hold' })
    agent.start()
    const calls = [await call(ids[0] ?? 0), await call(ids[1] ?? 0)]
    await server.close()
    for (const { finish } of calls) finish('kept')
    await line('server is away')
    await server.open()
    for (const id of ids) expect((await clock.advanceUntil(server.endOf(id))).result).toBe('kept')
    await clock.advanceUntil(server.endOf(server.add({})[0] ?? 0))
    expect(count('server is away')).toBe(1)
    expect(count('server is back')).toBe(1)
  })

  it.each([
    ['a problem of its own', refusal(503, 'CLOSED', 'the server is closing')],
    ['that its limit is reached', refusal(503, 'LIMIT_REACHED', 'too many')],
    ['500', { status: 500, body: 'oops' }],
    ['429', { status: 429, body: '{"detail":"slow down"}' }],
    ['a page of somebody else', { status: 200, body: '<html>Log in</html>' }],
  ])('answers %s: tried again until it is itself', async (_, answer) => {
    fixture = await createFixture({ before: server => server.answerWith(() => answer) })
    const { server, agent, clock, line } = fixture
    agent.start()
    await line('server is away')
    const [id = 0] = server.add({})
    server.answerWith(undefined)
    await clock.advanceUntil(server.endOf(id))
  })

  it('never answers: given up after the time that it may hold the request, and asked again', async () => {
    fixture = await createFixture({
      before: server => server.answerWith(({ body }) => (body.includes('"waitMs":0') ? undefined : 'hang')),
    })
    const { server, agent, clock, line } = fixture
    agent.start()
    await clock.advanceUntil(line('server is away'))
    expect(await line('server is away')).toContain('no answer within 40000 ms')
    server.answerWith(undefined)
    await clock.advanceUntil(server.endOf(server.add({})[0] ?? 0))
  })

  it('that does not hold long polls is not asked without pause', async () => {
    fixture = await createFixture({
      before: server => server.answerWith(() => ownReply({ tasks: [] })),
    })
    const { server, agent, clock } = fixture
    agent.start()
    for (const delayMs of [100, 200, 400, 800]) {
      await clock.nextTimer(delayMs)
      clock.advance(delayMs)
    }
    expect(server.messages.all.length).toBeLessThanOrEqual(7)
  })
})

describe('a server that refuses', () => {
  it.each([
    ['the token', refusal(401, 'UNAUTHENTICATED', 'no such token'), 'UNAUTHENTICATED', 'no such token'],
    ['the modules', refusal(403, 'FORBIDDEN', 'not module test'), 'FORBIDDEN', 'not module test'],
  ])('%s ends the agent with a clear error, and is asked once', async (_, answer, code, message) => {
    fixture = await createFixture({ before: server => server.answerWith(() => answer) })
    const { server, agent } = fixture
    agent.start()
    await expect(agent.stopped).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect(server.messages.all).toHaveLength(1)
  })

  it('the token later on aborts what is running', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call } = fixture
    const [id = 0] = server.add({ function: 'heed' })
    agent.start()
    const { context } = await call(id)
    server.answerWith(() => refusal(401, 'UNAUTHENTICATED', 'deleted'))
    clock.advance(10_000)
    await expect(agent.stopped).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(context.signal.aborted).toBe(true)
  })
})

describe('stop', () => {
  it('while idle breaks off the poll and resolves at once', async () => {
    fixture = await createFixture()
    const { agent, idle } = fixture
    agent.start()
    await idle()
    await agent.stop()
    await agent.stopped
  })

  it('waits for what is running, reports it, and claims no more', async () => {
    fixture = await createFixture({ concurrency: { test: 2 } })
    const { server, agent, call } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const { finish } = await call(id)
    const stopped = agent.stop()
    const [later = 0] = server.add({})
    finish('done')
    await stopped
    expect((await server.endOf(id)).result).toBe('done')
    expect(server.stateOf(later)).toBe('queued')
    expect(server.messages.all.at(-1)?.body).not.toHaveProperty('claim')
  })

  it('aborts what outlasts the grace, and hands it back', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call } = fixture
    const [heeds = 0, ignores = 0] = server.add({ function: 'heed' }, { function: 'hold' })
    agent.start()
    const { context } = await call(heeds)
    await call(ignores)
    const stopped = agent.stop({ graceMs: 10_000 })
    clock.advance(9_999)
    expect(context.signal.aborted).toBe(false)
    const aborted = new Promise(resolve => context.signal.addEventListener('abort', resolve))
    clock.advance(1)
    await aborted
    await clock.advanceUntil(stopped)
    expect([server.stateOf(heeds), server.stateOf(ignores)]).toEqual(['queued', 'queued'])
    const released = server.messages.all.filter(({ path }) => path === 'release').flatMap(({ body }) => body.claims)
    expect(released.map(({ begun }) => begun)).toEqual([true, true])
  })

  it('hands back what was claimed and not begun', async () => {
    fixture = await createFixture({ concurrency: { test: 1 } })
    const { server, agent, call } = fixture
    // A server that hands out more than was asked for: the rest is queued behind the limit.
    const extra = {
      taskId: 2,
      claimToken: 'extra',
      module: 'test',
      function: 'echo',
      params: {},
      callId: 'call-1',
      timeoutMs: 600_000,
      leaseMs: 1,
      attempt: 1,
    }
    server.answerWith(({ path }) => {
      if (path !== 'claim') return undefined
      server.answerWith(undefined)
      const first = { ...extra, taskId: 1, claimToken: 'first', function: 'hold', leaseMs: 60_000 }
      return ownReply({ tasks: [first, { ...extra, leaseMs: 60_000 }] })
    })
    agent.start()
    const { finish } = await call(1)
    const released = server.messages.first(({ path }) => path === 'release')
    const stopped = agent.stop()
    expect((await released).body.claims).toEqual([{ taskId: 2, claimToken: 'extra', begun: false }])
    finish()
    await stopped
  })

  it('hands back a task that comes with a reply after it', async () => {
    let stopNow = () => {}
    fixture = await createFixture({
      concurrency: { test: 1 },
      fetch: async (url, init) => {
        const response = await fetch(url, init)
        if (String(url).endsWith('/results')) stopNow()
        return response
      },
    })
    const { server, agent, call } = fixture
    const [first = 0, second = 0] = server.add({ function: 'hold' }, {})
    agent.start()
    const { finish } = await call(first)
    const stopped = new Promise(resolve => {
      stopNow = () => resolve(agent.stop())
    })
    finish()
    await stopped
    expect(server.stateOf(second)).toBe('queued')
    expect(server.messages.all.filter(({ path }) => path === 'release')).toHaveLength(1)
  })

  it('does not wait for ever for a server that is away', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call, line } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const { finish } = await call(id)
    await server.close()
    finish()
    await clock.advanceUntil(agent.stop())
    await line('results not delivered')
    expect(clock.now()).toBeLessThan(20_000)
  })
})
