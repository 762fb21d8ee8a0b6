import { serverHeader } from '@contractor/plugin/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture } from './agent-fixture.ts'
import { type Answer, ownReply, refusal } from './fake-server.ts'

let fixture: Fixture
afterEach(async () => {
  await fixture.close()
  expect(fixture.server.violations).toEqual([])
  expect(fixture.clock.pending(), 'timers that nobody cancelled').toBe(0)
})

const page = '<html>Log in</html>'
/** In the server's own form, but without its header. */
const copied = (status: number, code: string): Answer => ({
  ...refusal(status, code, 'copied'),
  headers: { 'content-type': 'application/problem+json' },
})
const marked = (status: number, body: string, type: string): Answer => ({
  status,
  body,
  headers: { [serverHeader]: '1', 'content-type': type },
})

/** As the log tells it. Of a 407, fetch itself says no more than that it failed. */
function reasonOf({ status, headers }: Answer): string {
  if (status === 407) return 'fetch failed'
  return `it answers ${status} ${headers?.[serverHeader] ? 'in a form that is not agreed' : 'that is not from a Contractor'}`
}

describe('an answer that is not the server’s word ends no agent, and what is running goes on:', () => {
  it.each<[string, Answer]>([
    ['200 with a page', { status: 200, body: page }],
    ['200 with a reply that lacks the header', { status: 200, body: '{"tasks":[],"results":[],"claims":[]}' }],
    ['204', { status: 204, body: '' }],
    ['301', { status: 301, body: '', headers: { location: 'http://127.0.0.1:9/' } }],
    ['302', { status: 302, body: page, headers: { location: '/login' } }],
    ['307', { status: 307, body: '', headers: { location: '/elsewhere' } }],
    ['400', { status: 400, body: page }],
    ['401', { status: 401, body: page, headers: { 'www-authenticate': 'Basic' } }],
    ['403', { status: 403, body: page }],
    ['404', { status: 404, body: 'not found' }],
    ['407', { status: 407, body: '' }],
    ['422', { status: 422, body: '{"detail":"no"}' }],
    ['502', { status: 502, body: page }],
    ['504', { status: 504, body: '' }],
    ['401 in the server’s form, without its header', copied(401, 'UNAUTHENTICATED')],
    ['403 in the server’s form, without its header', copied(403, 'FORBIDDEN')],
    ['422 in the server’s form, without its header', copied(422, 'VALIDATION_FAILED')],
    ['200 with the header and a page', marked(200, page, 'text/html')],
    ['401 with the header and a page', marked(401, page, 'text/html')],
    ['403 with the header and JSON that is no problem', marked(403, '{"code":"FORBIDDEN"}', 'application/json')],
    [
      '422 with the header and a problem of another kind',
      marked(422, '{"type":"about:blank","code":"VALIDATION_FAILED"}', 'application/problem+json'),
    ],
  ])('%s', async (_, answer) => {
    fixture = await createFixture()
    const { server, agent, clock, call, line, count } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const { context, finish } = await call(id)
    server.answerWith(() => answer)
    const heard = server.messages.next(({ path }) => path === 'results')
    finish('kept')
    await heard
    const told = await line('server is away')
    expect(told).toContain(reasonOf(answer))
    // Renewals and further attempts meet the same.
    clock.advance(10_000)
    await clock.advanceUntil(server.messages.next(({ path }) => path === 'results'))
    expect(context.signal.aborted).toBe(false)
    expect(count('server is away')).toBe(1)
    server.answerWith(undefined)
    expect((await clock.advanceUntil(server.endOf(id))).result).toBe('kept')
    expect(count('server is back')).toBe(1)
  })
})

describe('the log', () => {
  it('says what came in the server’s place, once an outage', async () => {
    fixture = await createFixture({ before: server => server.answerWith(() => ({ status: 404, body: page })) })
    const { server, agent, clock, line, lines } = fixture
    agent.start()
    expect(await line('server is away')).toContain(
      '404 that is not from a Contractor server; is this the address of a Contractor server, or does a proxy stand in between?',
    )
    for (let attempt = 0; attempt < 5; attempt++)
      await clock.advanceUntil(server.messages.next(({ path }) => path === 'claim'))
    expect(lines.all).toHaveLength(1)
  })

  it('says once that somebody else answers, also when nobody did at first', async () => {
    fixture = await createFixture({ before: server => server.close() })
    const { server, agent, clock, line, lines } = fixture
    server.answerWith(() => ({ status: 502, body: page }))
    agent.start()
    await line('server is away')
    await server.open()
    expect(await clock.advanceUntil(line('server is still away'))).toContain('502 that is not from')
    await clock.advanceUntil(server.messages.next(({ path }) => path === 'claim'))
    expect(lines.all).toHaveLength(2)
  })
})

describe('the server’s own word', () => {
  it.each([
    [
      '404: it lacks the endpoint',
      refusal(404, 'NOT_FOUND', 'nothing at POST'),
      'the server has no such endpoint (404: nothing at POST); is the server older or newer',
    ],
    [
      '422: it does not know the form of a claim',
      refusal(422, 'VALIDATION_FAILED', 'agent: wrong'),
      'refuses the message (422: agent: wrong); is the server older or newer',
    ],
    ['500: something went wrong', refusal(500, 'INTERNAL', 'see its log'), 'it answers 500: see its log'],
  ])('%s, is waited out', async (_, answer, reason) => {
    fixture = await createFixture({ before: server => server.answerWith(() => answer) })
    const { server, agent, clock, line } = fixture
    agent.start()
    expect(await line('server is away')).toContain(reason)
    server.answerWith(undefined)
    await clock.advanceUntil(server.endOf(server.add({})[0] ?? 0))
  })

  it('on a result counts, and that of somebody in between does not: the result is kept', async () => {
    fixture = await createFixture()
    const { server, agent, clock, call, line } = fixture
    const ids = server.add({ function: 'hold' }, { function: 'hold' })
    agent.start()
    const [one, other] = [await call(ids[0] ?? 0), await call(ids[1] ?? 0)]
    server.answerWith(({ path }) => (path === 'results' ? { status: 422, body: '{"detail":"blocked"}' } : undefined))
    one.finish('one')
    other.finish('other')
    await line('server is away')
    await clock.advanceUntil(server.messages.next(({ path }) => path === 'results'))
    server.answerWith(undefined)
    for (const id of ids) expect((await clock.advanceUntil(server.endOf(id))).result).toBeDefined()
  })

  it('that a claim is not taken does not keep the results that came with it', async () => {
    fixture = await createFixture()
    const { server, agent, call } = fixture
    const [id = 0] = server.add({ function: 'hold' })
    agent.start()
    const { finish } = await call(id)
    server.answerWith(({ path, body }) =>
      path === 'results' && body.includes('"claim":') ? refusal(422, 'VALIDATION_FAILED', 'claim: wrong') : undefined,
    )
    finish('good')
    expect((await server.endOf(id)).result).toBe('good')
  })

  it('is taken in a reply with more fields than this version knows', async () => {
    fixture = await createFixture({
      before: server =>
        server.answerWith(({ body }) => (body.includes('"waitMs":0') ? ownReply({ tasks: [], hint: 1 }) : undefined)),
    })
    const { agent, idle, count } = fixture
    agent.start()
    await idle()
    expect(count('connected')).toBe(1)
  })
})
