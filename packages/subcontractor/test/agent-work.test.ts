import { defineHandlers, defineModule, defineTasks, taskFailed } from '@contractor/plugin'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createFixture, createTestModule, type Fixture } from './agent-fixture.ts'
import { agentToken, refusal } from './fake-server.ts'

let fixture: Fixture
afterEach(async () => {
  await fixture.close()
  expect(fixture.server.violations).toEqual([])
  expect(fixture.clock.pending(), 'timers that nobody cancelled').toBe(0)
  expect(fixture.lines.all.filter(line => line.includes(agentToken))).toEqual([])
})

describe('work', () => {
  it('is claimed by long poll, done and reported, and the report carries a claim for more', async () => {
    fixture = await createFixture()
    const { server, agent, idle } = fixture
    agent.start()
    await idle()
    const [first = 0, second = 0] = server.add({ params: { a: 1 } }, { params: 'two' })
    expect(await server.endOf(first)).toMatchObject({ result: { a: 1 } })
    expect(await server.endOf(second)).toMatchObject({ result: 'two' })
    const report = await server.messages.first(({ path }) => path === 'results')
    expect(report.body.results).toHaveLength(2)
    expect(report.body.claim).toEqual({
      agent: 'agent-1',
      id: expect.any(String),
      modules: { test: { slots: 2 } },
      waitMs: 0,
    })
  })

  it('that comes with the reply to a report is done without another claim', async () => {
    fixture = await createFixture({ concurrency: { test: 1 } })
    const { server, agent, idle } = fixture
    agent.start()
    await idle()
    const ids = server.add({}, {}, {})
    for (const id of ids) await server.endOf(id)
    expect(server.messages.all.filter(({ path }) => path === 'claim')).toHaveLength(2)
  })

  it('is reported by two messages at once and no third, and what is not answered is sent again', async () => {
    fixture = await createFixture({ concurrency: { test: 3 } })
    const { server, agent, call, clock } = fixture
    const ids = server.add(...Array(3).fill({ function: 'hold' }))
    agent.start()
    const held = await Promise.all(ids.map(call))
    const reports = () => server.messages.all.filter(({ path }) => path === 'results')
    server.answerWith(({ path }) => (path === 'results' ? 'hang' : undefined))
    for (const [index, running] of held.entries()) {
      running.finish(index)
      if (index < 2)
        await server.messages.first(({ path, body }) => path === 'results' && body.results[0].result === index)
    }
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
    expect(reports().map(({ body }) => body.results.length)).toEqual([1, 1])
    server.answerWith(undefined)
    for (const id of ids) expect(await clock.advanceUntil(server.endOf(id))).toMatchObject({ taskId: id })
  })

  it('never exceeds a module’s concurrency, in claims and in handlers', async () => {
    fixture = await createFixture({ concurrency: { test: 3 } })
    const { server, agent, running, call } = fixture
    const ids = server.add(...Array.from({ length: 12 }, () => ({ function: 'hold' })))
    agent.start()
    for (const id of ids) (await call(id)).finish(id)
    for (const id of ids) await server.endOf(id)
    expect(running.most).toBe(3)
    for (const { path, body } of server.messages.all)
      if (path === 'claim') expect(body.modules.test.slots).toBeLessThanOrEqual(3)
  })

  it('for a module that becomes free while a poll is held gets a poll of its own', async () => {
    const other = createTestModule('other')
    const test = createTestModule('test')
    fixture = await createFixture({ handlers: [test.handlers, other.handlers], concurrency: { test: 1, other: 1 } })
    const { server, agent } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const running = await test.call(id)
    await server.messages.first(({ path, body }) => path === 'claim' && !('test' in body.modules))
    running.finish()
    await server.messages.first(({ path, body }) => path === 'claim' && !('other' in body.modules))
    await server.endOf(server.add({})[0] ?? 0)
    await server.endOf(server.add({ module: 'other' })[0] ?? 0)
  })

  it('that fails is reported as an error, with code, message and whether later may do', async () => {
    fixture = await createFixture()
    const { server, agent, call } = fixture
    const [refused = 0, thrown = 0, strange = 0, huge = 0] = server.add(...Array(4).fill({ function: 'hold' }))
    agent.start()
    ;(await call(refused)).fail(taskFailed('The disk is full', { retryable: true }))
    ;(await call(thrown)).fail('no')
    ;(await call(strange)).finish({ when: 1n })
    ;(await call(huge)).fail(new Error('x'.repeat(9000)))
    expect((await server.endOf(refused)).error).toEqual({
      code: 'TASK_FAILED',
      message: 'The disk is full',
      retryable: true,
    })
    expect((await server.endOf(thrown)).error?.message).toBe('no')
    expect((await server.endOf(strange)).error?.message).toContain('Result of test.hold is not valid')
    expect((await server.endOf(huge)).error?.message).toHaveLength(4000)
  })

  it('is judged by the Task’s schemas: wrong input, wrong result and an unknown function are errors', async () => {
    const tasks = defineTasks({ add: { params: z.object({ a: z.number() }), result: z.object({ sum: z.number() }) } })
    const handlers = defineHandlers(defineModule({ name: 'sums', tasks, functions: {} }), {
      add: async ({ a }) => ({ sum: a > 1 ? ('many' as unknown as number) : a }),
    })
    fixture = await createFixture({ handlers: [handlers] })
    const { server, agent } = fixture
    const ids = server.add(
      { module: 'sums', function: 'add', params: { a: 1 } },
      { module: 'sums', function: 'add', params: { a: 'x' } },
      { module: 'sums', function: 'add', params: { a: 2 } },
      { module: 'sums', function: 'none' },
    )
    agent.start()
    const ends = []
    for (const id of ids) ends.push(await server.endOf(id))
    expect(ends[0]?.result).toEqual({ sum: 1 })
    expect(ends[1]?.error?.message).toContain('Input of sums.add is not valid: a:')
    expect(ends[2]?.error?.message).toContain('Result of sums.add is not valid: sum:')
    expect(ends[3]?.error?.message).toContain("has no function 'none'")
  })

  it('that has no value is reported as null', async () => {
    fixture = await createFixture()
    const { server, agent, call } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    ;(await call(id)).finish(undefined)
    expect((await server.endOf(id)).result).toBeNull()
  })
})

describe('leases', () => {
  it('are renewed at a third, those that are due together in one message', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call } = fixture
    const [a = 0, b = 0] = server.add(
      { function: 'hold', leaseMs: 30_000 },
      { function: 'hold', leaseMs: 30_000 },
      { function: 'hold', leaseMs: 300_000 },
    )
    agent.start()
    const first = await call(a)
    const second = await call(b)
    for (const round of [1, 2, 3]) {
      clock.advance(9_999)
      expect(server.messages.all.filter(({ path }) => path === 'renew')).toHaveLength(round - 1)
      const renewed = server.messages.next(({ path }) => path === 'renew')
      const nextOne = clock.nextTimer(10_000)
      clock.advance(1)
      expect((await renewed).body.claims.map(({ taskId }: { taskId: number }) => taskId)).toEqual([a, b])
      await nextOne
    }
    expect(first.context.signal.aborted).toBe(false)
    first.finish()
    second.finish()
    await server.endOf(b)
  })

  it('that are refused abort the handler, whose result is then nobody’s', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call, line } = fixture
    const [lost = 0, kept = 0] = server.add({ function: 'hold' }, { function: 'hold' })
    agent.start()
    const { context, finish } = await call(lost)
    const other = await call(kept)
    server.expire(lost)
    clock.advance(10_000)
    await line('claim lost')
    expect(context.signal.aborted).toBe(true)
    expect(other.context.signal.aborted).toBe(false)
    finish('too late')
    other.finish('in time')
    await server.endOf(kept)
    const sent = server.messages.all.filter(({ path }) => path === 'results').flatMap(({ body }) => body.results)
    expect(sent.map(({ taskId }) => taskId)).toEqual([kept])
  })

  it('of a handler that ignores its abort do not keep its slot from others', async () => {
    fixture = await createFixture({ concurrency: { test: 1 } })
    const { server, agent, clock, call, line } = fixture
    const [stuck = 0] = server.add({ function: 'hold' })
    agent.start()
    await call(stuck)
    const [next = 0] = server.add({})
    server.expire(stuck)
    clock.advance(10_000)
    await line('claim lost')
    expect(server.stateOf(next)).toBe('queued')
    clock.advance(2000)
    await line('handler does not stop')
    await server.endOf(next)
  })

  it('that ran out and come back to this agent abort the earlier attempt', async () => {
    fixture = await createFixture()
    const { server, agent, calls, call, line } = fixture
    const [id = 0] = server.add({ function: 'heed' })
    agent.start()
    const first = await call(id)
    const again = calls.next(({ context }) => context.attempt === 2)
    server.requeue(id)
    const second = await again
    await line('it was handed out again')
    expect(first.context.signal.aborted).toBe(true)
    expect(second.context.signal.aborted).toBe(false)
    second.finish('second')
    expect((await server.endOf(id)).result).toBe('second')
  })

  it('of two claims of one task are renewed in messages of their own, so that the loss of one is not that of the other', async () => {
    fixture = await createFixture()
    const { server, agent, clock, calls, call, line } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const first = await call(id)
    server.answerWith(({ path }) => (path === 'results' ? { status: 503, body: '' } : undefined))
    first.finish('late')
    await line('server is away')
    const again = calls.next(({ context }) => context.attempt === 2)
    server.requeue(id)
    const second = await again
    const renewed = server.messages.next(
      ({ path, body }) => path === 'renew' && body.claims[0].claimToken === 'claim-2',
    )
    clock.advance(10_000)
    await clock.advanceUntil(renewed)
    server.answerWith(undefined)
    await clock.advanceUntil(line('result refused, dropped'))
    expect(second.context.signal.aborted).toBe(false)
    second.finish('second')
    expect((await clock.advanceUntil(server.endOf(id))).result).toBe('second')
  })

  it('are held until the server has the result', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const { finish } = await call(id)
    server.answerWith(({ path }) => (path === 'results' ? { status: 503, body: '' } : undefined))
    const refused = server.messages.next(({ path }) => path === 'results')
    finish('kept')
    await refused
    const renewed = server.messages.next(({ path, status }) => path === 'renew' && status === 200)
    clock.advance(10_000)
    await renewed
    server.answerWith(undefined)
    expect(await clock.advanceUntil(server.endOf(id))).toMatchObject({ result: 'kept' })
  })

  it('that are refused while the result waits to be sent leave the word to the reply to the result', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call, line } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const { finish } = await call(id)
    server.answerWith(({ path }) => (path === 'results' ? { status: 503, body: '' } : undefined))
    finish('late')
    await line('server is away')
    server.expire(id)
    const refused = server.messages.next(({ path, status }) => path === 'renew' && status === 200)
    clock.advance(10_000)
    await refused
    server.answerWith(undefined)
    await clock.advanceUntil(line('result refused, dropped'))
    expect(server.messages.all.filter(({ path }) => path === 'renew')).toHaveLength(1)
  })
})

describe('results', () => {
  it('that are refused are logged and dropped', async () => {
    fixture = await createFixture()
    const { server, agent, call, line } = fixture
    const [late = 0] = server.add({ function: 'hold' })
    agent.start()
    const { finish } = await call(late)
    server.expire(late)
    finish('late')
    expect(await line('result refused, dropped')).toContain(`task=${late} reason="claim is lost"`)
    await server.endOf(server.add({})[0] ?? 0)
    expect(server.messages.all.filter(({ path }) => path === 'results')).toHaveLength(2)
  })

  it('that were taken, with the reply lost on its way, are sent again and then dropped', async () => {
    let lose = true
    fixture = await createFixture({
      fetch: async (url, init) => {
        const response = await fetch(url, init)
        if (!lose || !String(url).endsWith('/results')) return response
        lose = false
        await response.text()
        throw new TypeError('fetch failed', { cause: new Error('socket hang up') })
      },
    })
    const { server, agent, clock, line } = fixture
    const [id = 0] = server.add({})
    agent.start()
    await server.endOf(id)
    await clock.advanceUntil(line('result refused, dropped'))
    expect(server.ended.all).toHaveLength(1)
  })

  it('that the server cannot take do not keep the others, and are reported as errors', async () => {
    fixture = await createFixture()
    const { server, agent, call, line } = fixture
    const [a = 0, b = 0] = server.add({ function: 'hold' }, { function: 'hold' })
    agent.start()
    const [good, bad] = [await call(a), await call(b)]
    server.answerWith(({ path, body }) =>
      path === 'results' && body.includes('poison') ? refusal(413, 'VALIDATION_FAILED', 'it is too large') : undefined,
    )
    good.finish('good')
    bad.finish('poison')
    expect((await server.endOf(a)).result).toBe('good')
    expect((await server.endOf(b)).error?.message).toContain('413: it is too large')
    await line('the server does not take the result, reporting that')
  })
})
