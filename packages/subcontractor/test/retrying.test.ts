import { afterEach, describe, expect, it } from 'vitest'
import { createConnection, retryDelayMs } from '../src/connection.ts'
import { unreachable } from '../src/read-answer.ts'
import { createFixture, type Fixture, settle } from './agent-fixture.ts'
import { ownReply } from './fake-server.ts'
import { createManualClock } from './manual-clock.ts'

const life = new AbortController().signal

/** A connection over which the test says what becomes of each attempt; `waits` are the waits between attempts. */
function createLine(mostDelayMs = () => Number.POSITIVE_INFINITY) {
  const clock = createManualClock()
  const connection = createConnection({ clock, log: () => {}, random: () => 1, server: 'http://x', mostDelayMs })
  const waits: number[] = []
  return {
    clock,
    waits,
    /** One call that fails so often, then is answered. */
    async call(failures: number, kind: 'claim' | 'results' = 'claim') {
      let left = failures
      const answered = connection.retry(
        kind,
        async () => {
          if (left === 0) return true
          left -= 1
          throw unreachable('http://x', 'refused')
        },
        life,
      )
      for (let failure = 0; failure < failures; failure++) {
        await settle(2)
        const before = clock.now()
        clock.advanceToNext()
        waits.push(clock.now() - before)
      }
      await answered
    },
  }
}

describe('the wait between attempts', () => {
  it('grows to 10 s, with a jitter of a half', () => {
    const waits = [1, 2, 3, 8, 9, 1000].map(failures => retryDelayMs(failures, () => 1))
    expect(waits).toEqual([100, 200, 400, 10_000, 10_000, 10_000])
    expect(retryDelayMs(1, () => 0)).toBe(50)
  })

  it('is not what it was at first after one good answer among failures', async () => {
    const { call, waits } = createLine()
    for (let round = 0; round < 5; round++) await call(1)
    expect(waits).toEqual([100, 200, 400, 800, 1600])
  })

  it('is what it was at first once all has been good for some seconds', async () => {
    const { call, waits, clock } = createLine()
    await call(4)
    clock.advance(4000)
    await call(1)
    clock.advance(5000)
    await call(2)
    expect(waits).toEqual([100, 200, 400, 800, 1600, 100, 200])
  })

  it('grows for what fails alone: renewals that pass do not quicken results that do not', async () => {
    const { call, waits } = createLine()
    for (let round = 0; round < 3; round++) {
      await call(1, 'results')
      await call(0, 'claim')
    }
    await call(1, 'claim')
    expect(waits).toEqual([100, 200, 400, 100])
  })

  it('is no longer than what is allowed at that moment', async () => {
    let most = 300
    const { call, waits } = createLine(() => most)
    await call(4)
    most = 1000
    await call(2)
    expect(waits).toEqual([100, 200, 300, 300, 1000, 1000])
  })
})

describe('an agent', () => {
  let fixture: Fixture
  afterEach(async () => {
    await fixture.close()
    expect(fixture.server.violations).toEqual([])
    expect(fixture.clock.pending(), 'timers that nobody cancelled').toBe(0)
  })

  it('that holds tasks waits no longer than a sixth of the shortest lease', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call } = fixture
    const ids = server.add({ function: 'hold', leaseMs: 60_000 }, { function: 'hold', leaseMs: 6000 })
    agent.start()
    const calls = await Promise.all(ids.map(call))
    server.answerWith(() => ({ status: 502, body: '' }))
    // The renewal at a third of the lease is the first to fail.
    for (const delayMs of [2000, 100, 200, 400, 800, 1000, 1000, 1000]) {
      const waits = clock.nextTimer(delayMs === 2000 ? 100 : Math.min(delayMs * 2, 1000))
      clock.advance(delayMs)
      await waits
    }
    server.answerWith(undefined)
    for (const { finish } of calls) finish()
    for (const id of ids) await clock.advanceUntil(server.endOf(id))
  })

  it('that holds tasks of very short leases waits 100 ms at the least', async () => {
    fixture = await createFixture({ concurrency: { test: 1 } })
    const { server, agent, clock, call } = fixture
    const [id = 0] = server.add({ function: 'hold', leaseMs: 300 })
    agent.start()
    const { finish } = await call(id)
    server.answerWith(() => ({ status: 502, body: '' }))
    for (let attempt = 0; attempt < 4; attempt++) {
      const waits = clock.nextTimer(100)
      clock.advance(100)
      await waits
    }
    server.answerWith(undefined)
    finish()
    await clock.advanceUntil(server.endOf(id))
  })

  it('is not busy with a server that answers at once, with nothing and with errors in turn', async () => {
    let asked = 0
    fixture = await createFixture({
      before: server =>
        server.answerWith(() => {
          asked += 1
          return asked % 2 ? ownReply({ tasks: [] }) : { status: 503, body: '' }
        }),
    })
    const { server, agent, clock } = fixture
    agent.start()
    for (let fifth = 0; fifth < 60 * 5; fifth++) {
      clock.advance(200)
      await settle(5)
    }
    expect(asked).toBeGreaterThan(5)
    expect(asked).toBeLessThan(60)
    server.answerWith(undefined)
    await clock.advanceUntil(server.endOf(server.add({})[0] ?? 0))
  })

  it('is not busy with a server that holds no poll and fails every third time', async () => {
    let asked = 0
    fixture = await createFixture({
      before: server =>
        server.answerWith(() => {
          asked += 1
          return asked % 3 ? ownReply({ tasks: [] }) : { status: 503, body: '' }
        }),
    })
    const { agent, clock } = fixture
    agent.start()
    for (let fifth = 0; fifth < 60 * 5; fifth++) {
      clock.advance(200)
      await settle(5)
    }
    expect(asked).toBeLessThan(60)
  })
})
