import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSubContractor } from '../src/create-subcontractor.ts'
import { createJournal } from '../src/journal.ts'
import { createFixture, type Fixture, settle } from './agent-fixture.ts'
import type { FakeServer } from './fake-server.ts'

let fixture: Fixture
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-journal-'))
})
afterEach(async () => {
  await fixture.close()
  rmSync(folder, { recursive: true, force: true })
  expect(fixture.server.violations).toEqual([])
  expect(fixture.clock.pending(), 'timers that nobody cancelled').toBe(0)
})

const files = () => readdirSync(folder).filter(name => !name.endsWith('.lock'))
const records = () => files().map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')))

/** What an agent that was killed has left: of Tasks that the server has handed out to it. */
async function leave(server: FakeServer, write: (journal: ReturnType<typeof createJournal>) => Promise<void>) {
  const modules = { test: { slots: 10 } }
  await fetch(`${server.url}/api/v1/dispatch/claim`, {
    method: 'POST',
    headers: { authorization: 'Bearer agent-token-0123456789' },
    body: JSON.stringify({ agent: 'earlier', modules, waitMs: 0 }),
  })
  const journal = createJournal(folder, { log: () => {} })
  await journal.open()
  await write(journal)
  await journal.close()
}

describe('a journal of an agent', () => {
  it('has a task from before its handler begins, with its answer before that is sent, until it is settled', async () => {
    fixture = await createFixture({ journal: folder })
    const { server, agent, clock, call } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const { finish } = await call(id)
    expect(records()).toEqual([{ begun: { taskId: id, claimToken: 'claim-1' } }])
    server.answerWith(({ path }) => (path === 'results' ? { status: 502, body: '' } : undefined))
    const sent = server.messages.next(({ path }) => path === 'results')
    finish({ a: 1 })
    await sent
    expect(records()).toEqual([{ finished: { taskId: id, claimToken: 'claim-1', result: { a: 1 } } }])
    server.answerWith(undefined)
    await clock.advanceUntil(server.endOf(id))
    await clock.advanceUntil(agent.stop())
    expect(files()).toEqual([])
  })

  it('keeps answers that a stop could not deliver', async () => {
    fixture = await createFixture({ journal: folder })
    const { server, agent, clock, call, line } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const { finish } = await call(id)
    server.answerWith(({ path }) => (path === 'results' ? { status: 502, body: '' } : undefined))
    finish('kept')
    await line('server is away')
    await clock.advanceUntil(agent.stop())
    await line('results not delivered, the journal has them')
    expect(records()).toMatchObject([{ finished: { taskId: id, result: 'kept' } }])
  })

  it('forgets what is lost, and what is handed back', async () => {
    fixture = await createFixture({ journal: folder })
    const { server, agent, clock, call, line } = fixture
    const [lost = 0, back = 0] = server.add({ function: 'heed' }, { function: 'heed' })
    agent.start()
    await call(lost)
    await call(back)
    server.expire(lost)
    clock.advance(10_000)
    await line('claim lost')
    await clock.advanceUntil(agent.stop({ graceMs: 0 }))
    expect(server.stateOf(back)).toBe('queued')
    expect(files()).toEqual([])
  })

  it('hands in the answers of an earlier process, which ran the handlers', async () => {
    fixture = await createFixture({
      journal: folder,
      async before(server) {
        server.add({}, {})
        await leave(server, async journal => {
          await journal.finished({ taskId: 1, claimToken: 'claim-1', result: 'kept' })
          const error = { code: 'TASK_FAILED', message: 'The disk is full', retryable: true }
          await journal.finished({ taskId: 2, claimToken: 'claim-2', error })
        })
      },
    })
    const { server, agent, clock, calls } = fixture
    agent.start()
    expect((await server.endOf(1)).result).toBe('kept')
    expect((await server.endOf(2)).error).toMatchObject({ message: 'The disk is full', retryable: true })
    await clock.advanceUntil(agent.stop())
    expect(calls.all).toEqual([])
    expect(files()).toEqual([])
  })

  it('waits with them for a server that is away', async () => {
    fixture = await createFixture({
      journal: folder,
      async before(server) {
        server.add({})
        await leave(server, journal => journal.finished({ taskId: 1, claimToken: 'claim-1', result: 'kept' }))
        await server.close()
      },
    })
    const { server, agent, clock, line } = fixture
    agent.start()
    await line('server is away')
    expect(files()).toHaveLength(1)
    await server.open()
    expect((await clock.advanceUntil(server.endOf(1))).result).toBe('kept')
  })

  it('drops those whose lease has run out', async () => {
    fixture = await createFixture({
      journal: folder,
      async before(server) {
        server.add({})
        await leave(server, journal => journal.finished({ taskId: 1, claimToken: 'claim-1', result: 'late' }))
        server.expire(1)
      },
    })
    const { agent, clock, line } = fixture
    agent.start()
    expect(await line('result refused, dropped')).toContain('task=1')
    await clock.advanceUntil(agent.stop())
    expect(files()).toEqual([])
  })

  it('hands in the answer to an earlier claim and that to a later one of the same task in messages of their own', async () => {
    fixture = await createFixture({
      journal: folder,
      async before(server) {
        server.add({})
        await leave(server, async journal => {
          await journal.finished({ taskId: 1, claimToken: 'claim-0', result: 'late' })
          await journal.finished({ taskId: 1, claimToken: 'claim-1', result: 'kept' })
        })
      },
    })
    const { server, agent, line } = fixture
    agent.start()
    expect((await server.endOf(1)).result).toBe('kept')
    await line('result refused, dropped')
    for (const { path, body } of server.messages.all) if (path === 'results') expect(body.results).toHaveLength(1)
  })

  it('gives back as begun what was begun and not finished', async () => {
    fixture = await createFixture({
      journal: folder,
      async before(server) {
        server.add({ function: 'hold' })
        await leave(server, journal => journal.begun({ taskId: 1, claimToken: 'claim-1' }))
      },
    })
    const { server, agent, clock, call } = fixture
    agent.start()
    const { body } = await server.messages.first(({ path }) => path === 'release')
    expect(body.claims).toEqual([{ taskId: 1, claimToken: 'claim-1', begun: true }])
    server.requeue(1)
    expect((await call(1)).context.attempt).toBe(2)
    await clock.advanceUntil(agent.stop({ graceMs: 0 }))
    expect(files()).toEqual([])
  })

  it('does not keep a handler from running, nor its answer from the server, when it cannot be written', async () => {
    fixture = await createFixture({ journal: folder })
    const { server, agent, idle, line } = fixture
    agent.start()
    await idle()
    rmSync(folder, { recursive: true })
    const [id = 0] = server.add({ params: 'sent' })
    expect((await server.endOf(id)).result).toBe('sent')
    await line('the journal cannot keep that a task was begun')
    await line('the journal cannot keep an answer, which is sent all the same')
  })

  it('is refused to a second agent while the first has it, and then is not', async () => {
    fixture = await createFixture({ journal: folder })
    const { server, agent, idle, clock } = fixture
    agent.start()
    await idle()
    const create = () =>
      createSubContractor({ server: server.url, token: 't', name: 'second', handlers: [], journal: folder })
    const second = create()
    second.start()
    await expect(second.stopped).rejects.toMatchObject({ code: 'IN_USE' })
    await clock.advanceUntil(agent.stop())
    const third = create()
    third.start()
    await third.stop()
    await third.stopped
  })

  it('claims nothing before it is read, and nothing at all when it was stopped before', async () => {
    fixture = await createFixture({ journal: folder })
    const { server, agent } = fixture
    agent.start()
    await agent.stop()
    await settle()
    expect(server.messages.all).toEqual([])
  })
})
