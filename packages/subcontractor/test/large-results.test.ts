import { afterEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture } from './agent-fixture.ts'

let fixture: Fixture
afterEach(async () => {
  await fixture.close()
  expect(fixture.server.violations).toEqual([])
  expect(fixture.clock.pending(), 'timers that nobody cancelled').toBe(0)
})

const mebibyte = 1024 * 1024

/** Tasks that all run, to be finished by the test. */
async function start(count: number, limitBytes = Number.POSITIVE_INFINITY) {
  fixture = await createFixture({ concurrency: { test: count } })
  const { server, agent, call } = fixture
  const ids = server.add(...Array(count).fill({ function: 'hold' }))
  agent.start()
  const calls = await Promise.all(ids.map(call))
  const sizes: number[] = []
  // A proxy that refuses large bodies.
  server.answerWith(({ path, body }) => {
    if (path === 'results') sizes.push(body.length)
    return path === 'results' && body.length > limitBytes ? { status: 413, body: 'Too Large' } : undefined
  })
  return { ...fixture, ids, calls, sizes }
}

describe('a proxy that refuses large bodies', () => {
  it('gets each result of the message alone, and none is lost', async () => {
    const { server, clock, ids, calls, count } = await start(10, 5000)
    for (const { finish } of calls) finish('x'.repeat(1000))
    for (const id of ids) expect((await clock.advanceUntil(server.endOf(id))).result).toHaveLength(1000)
    expect(count('each result goes alone')).toBe(1)
    expect(count('server is away')).toBe(0)
  })

  it('that does not let a single one pass either is asked five times, ever more slowly, and that is the answer', async () => {
    const { server, clock, ids, calls, sizes, count } = await start(2, 5000)
    const [large = 0, small = 0] = ids
    const waits = [100, 200, 400, 800].map(delayMs => clock.nextTimer(delayMs))
    calls[0]?.finish('x'.repeat(6000))
    calls[1]?.finish('small')
    expect((await server.endOf(small)).result).toBe('small')
    for (const [index, waited] of waits.entries()) {
      await waited
      clock.advance(100 * 2 ** index)
    }
    const { error } = await server.endOf(large)
    expect(error).toMatchObject({ code: 'TASK_FAILED', retryable: false })
    expect(error?.message).toMatch(/^The answer of 60\d\d bytes is too large for what stands between agent and server/)
    // With the other, and then alone five times.
    expect(sizes.filter(size => size > 5000)).toHaveLength(6)
    expect(count('the result does not pass, reporting that')).toBe(1)
    expect(count('agent ends')).toBe(0)
  })

  it('that refuses whatever comes is waited for with the error, as one that is away', async () => {
    const { server, clock, ids, calls, line } = await start(1, 0)
    calls[0]?.finish('x'.repeat(6000))
    await clock.advanceUntil(line('server is away'))
    server.answerWith(undefined)
    expect((await clock.advanceUntil(server.endOf(ids[0] ?? 0))).error?.message).toContain('is too large')
  })
})

describe('a message', () => {
  it('holds 4 MiB of results at the most', async () => {
    const { server, ids, calls, sizes } = await start(6)
    for (const { finish } of calls) finish('x'.repeat(1.5 * mebibyte))
    for (const id of ids) await server.endOf(id)
    expect(sizes.map(size => Math.round(size / mebibyte))).toEqual([3, 3, 3])
  })

  it('with one larger result holds nothing else', async () => {
    const { server, ids, calls, sizes } = await start(2)
    calls[0]?.finish('x'.repeat(7 * mebibyte))
    calls[1]?.finish('small')
    for (const id of ids) expect((await server.endOf(id)).error).toBeUndefined()
    expect(sizes.map(size => Math.round(size / mebibyte)).sort()).toEqual([0, 7])
  })

  it('is never larger than the server reads: the answer says how large the result was', async () => {
    const { server, ids, calls, sizes, line } = await start(2)
    // Of two bytes each: what counts is what is sent.
    calls[0]?.finish('é'.repeat(4.5 * mebibyte))
    calls[1]?.finish('small')
    const [large = 0, small = 0] = ids
    expect((await server.endOf(small)).result).toBe('small')
    expect((await server.endOf(large)).error?.message).toMatch(
      /^The answer of 94\d{5} bytes is larger than the server reads/,
    )
    await line('the result is too large, reporting that')
    for (const size of sizes) expect(size).toBeLessThan(10_000)
  })
})
