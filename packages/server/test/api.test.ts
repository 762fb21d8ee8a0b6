import { describe, expect, it } from 'vitest'
import { openServer } from './open-server.ts'

const resources = `
[script.create]
script = "foundation.weld()"
[foundation.base]
scripts = { create = "create" }
[structure.web]
`

async function openShop() {
  const server = await openServer()
  await server.send('POST', '/resources?file=shop.toml', resources)
  await server.send('POST', '/sites', { name: 'lab', configValues: { motto: 'measure twice' } })
  await server.send('POST', '/foundations', {
    locator: 'f1',
    type: 'Lathe',
    site: 'lab',
    blueprint: 'base',
    fields: { serial: 's' },
  })
  await server.send('POST', '/structures', { hostname: 'web1', site: 'lab', blueprint: 'web', foundation: 'f1' })
  const { body } = await server.send('POST', '/tokens', {
    kind: 'agent',
    name: 'bench',
    sites: ['lab'],
    modules: ['lathe'],
  })
  return { ...server, agentToken: (body as { secret: string }).secret }
}

describe('the API', () => {
  it('makes, shows, counts and deletes objects', async () => {
    const { send } = await openShop()
    expect(await send('GET', '/structures?blueprint=web')).toMatchObject({
      status: 200,
      body: { items: [{ hostname: 'web1', state: 'planned' }] },
    })
    expect(await send('GET', '/structures/count?blueprint=web')).toEqual({ status: 200, body: { count: 1 } })
    expect(await send('GET', '/structures/1/config')).toMatchObject({
      status: 200,
      body: { motto: 'measure twice', _hostname: 'web1' },
    })
    expect(await send('GET', '/sites/lab/config')).toMatchObject({ status: 200, body: { motto: 'measure twice' } })
    expect(await send('PATCH', '/sites/lab', { description: 'the first' })).toMatchObject({
      status: 200,
      body: { description: 'the first', configValues: { motto: 'measure twice' } },
    })
    expect(await send('GET', '/blueprints/web')).toMatchObject({ status: 200, body: { kind: 'structure' } })
    expect(await send('GET', '/scripts/create')).toMatchObject({ status: 200, body: { source: 'foundation.weld()' } })
    expect(await send('DELETE', '/structures/1')).toEqual({ status: 204, body: undefined })
    expect(await send('DELETE', '/foundations/f1')).toEqual({ status: 204, body: undefined })
  })

  it('saves, shows and deletes BluePrints, Scripts and PXEs, and says what a resource file would change', async () => {
    const { send } = await openShop()
    expect(await send('PUT', '/scripts/tidy', { source: 'warden.rest()' })).toMatchObject({
      ...{
        status: 200,
        body: { change: 'created', warnings: ["tidy: no plugin that is loaded provides the module 'warden'"] },
      },
    })
    expect(await send('PUT', '/pxes/disk', { bootScript: 'sanboot' })).toEqual({
      ...{ status: 200, body: { change: 'created' } },
    })
    const desk = { kind: 'structure', scripts: { tidy: 'tidy' }, configValues: { '>list:Metal': [1] } }
    expect(await send('PUT', '/blueprints/desk', desk)).toEqual({ status: 200, body: { change: 'created' } })
    expect(await send('PUT', '/blueprints/desk', desk)).toEqual({ status: 200, body: { change: 'unchanged' } })
    expect(await send('GET', '/blueprints/desk')).toMatchObject({ status: 200, body: { name: 'desk', ...desk } })
    expect(await send('GET', '/pxes')).toMatchObject({ status: 200, body: { items: [{ name: 'disk' }] } })
    expect(await send('DELETE', '/scripts/tidy')).toMatchObject({
      ...{ status: 409, body: { code: 'IN_USE', detail: expect.stringContaining('BluePrint desk names it') } },
    })
    for (const path of ['/blueprints/desk', '/scripts/tidy', '/pxes/disk']) {
      expect(await send('DELETE', path)).toEqual({ status: 204, body: undefined })
      expect(await send('GET', path)).toMatchObject({ status: 404 })
    }

    const changed = `${resources}description = "new"\n`
    const dry = await send('POST', '/resources?file=shop.toml&dryRun=true', changed)
    expect((dry.body as { changes: object[] }).changes.at(-1)).toEqual({
      ...{ kind: 'structure', name: 'web', file: 'shop.toml', change: 'changed' },
      fields: [{ field: 'description', after: 'new' }],
    })
    expect(await send('GET', '/blueprints/web')).toMatchObject({ body: { description: '' } })
    expect(await send('POST', '/resources?file=shop.toml', changed)).toEqual(dry)
    expect(await send('GET', '/blueprints/web')).toMatchObject({ body: { description: 'new' } })
  })

  it('orders a Job, gives its Task to an agent, and takes the answer with a claim for more', async () => {
    const { send, contractor, agentToken } = await openShop()
    await send('POST', '/foundations/f1/set-located')
    expect(await send('POST', '/foundations/f1/create')).toMatchObject({
      status: 201,
      body: { id: 1, state: 'waiting', createdBy: 'ann' },
    })
    await contractor.foreman.runDue()
    const claim = { agent: 'bench', modules: { lathe: { slots: 1 } } }
    const claimed = await send('POST', '/dispatch/claim', claim, agentToken)
    const [task] = (claimed.body as { tasks: { taskId: number; claimToken: string }[] }).tasks
    expect(task).toMatchObject({ module: 'lathe', function: 'weld' })
    expect(await send('POST', '/dispatch/renew', { claims: [task] }, agentToken)).toMatchObject({
      status: 200,
      body: { claims: [{ accepted: true }] },
    })
    const results = [{ taskId: task?.taskId, claimToken: task?.claimToken, result: { welded: true } }]
    expect(await send('POST', '/dispatch/results', { results, claim }, agentToken)).toMatchObject({
      status: 200,
      body: { results: [{ accepted: true }], tasks: [] },
    })
    expect(await send('GET', '/jobs/1')).toMatchObject({ status: 200, body: { state: 'done', outcome: 'completed' } })
    expect(await send('GET', '/foundations/f1')).toMatchObject({ body: { state: 'built' } })
    expect(await send('GET', '/jobs/1/history')).toMatchObject({
      status: 200,
      body: { items: [{ function: 'weld', end: 'result', agent: 'bench', reply: { welded: true } }] },
    })
    expect(await send('POST', '/jobs/1/message', { message: 'x' })).toMatchObject({
      status: 409,
      body: { code: 'WRONG_STATE' },
    })
    for (const verb of ['pause', 'rollback', 'undo', 'skip']) {
      expect(await send('POST', `/jobs/1/${verb}`)).toMatchObject({ status: 409, body: { code: 'WRONG_STATE' } })
    }
    expect(await send('GET', '/events?job=1')).toMatchObject({
      status: 200,
      body: { items: [{ type: 'job.created', by: 'ann' }, {}, {}, {}] },
    })
  })

  it('orders a whole stack at once', async () => {
    const { send } = await openShop()
    const orders = [
      { foundation: 'f1', action: 'create' },
      { structure: 1, action: 'create' },
    ]
    expect(await send('POST', '/jobs', { orders })).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining("Structure 'web1' has no script 'create'") },
    })
    expect(await send('GET', '/jobs')).toEqual({ status: 200, body: { items: [] } })
    expect(await send('POST', '/jobs', { orders: orders.slice(0, 1) })).toMatchObject({
      status: 201,
      body: { items: [{ foundation: 'f1' }] },
    })
  })

  it('makes Complexes and Dependencies', async () => {
    const { send } = await openShop()
    expect(await send('POST', '/complexes', { name: 'cluster', site: 'lab', members: [1] })).toMatchObject({
      status: 201,
      body: { members: [1], builtPercentage: 90, state: 'planned' },
    })
    expect(await send('PATCH', '/complexes/cluster', { builtPercentage: 50 })).toMatchObject({
      status: 200,
      body: { members: [1], builtPercentage: 50 },
    })
    const vm = {
      locator: 'vm',
      type: 'Lathe',
      site: 'lab',
      blueprint: 'base',
      complex: 'cluster',
      fields: { serial: 's' },
    }
    expect(await send('POST', '/foundations', vm)).toMatchObject({ status: 201, body: { complex: 'cluster' } })
    expect(await send('DELETE', '/complexes/cluster')).toMatchObject({ status: 409, body: { code: 'IN_USE' } })
    expect(await send('POST', '/dependencies', { foundation: 'vm', structure: 1, link: 'hard' })).toMatchObject({
      status: 201,
      body: { id: 1, link: 'hard', scriptStructure: 1, state: 'planned' },
    })
    expect(await send('POST', '/dependencies', { foundation: 'f1', structure: 1 })).toMatchObject({
      status: 422,
      body: { code: 'VALIDATION_FAILED' },
    })
    expect(await send('POST', '/dependencies/1/create')).toMatchObject({
      status: 201,
      body: { dependency: 1, action: 'create' },
    })
    expect(await send('POST', '/dependencies/1/set-built')).toMatchObject({
      status: 409,
      body: { code: 'WRONG_STATE' },
    })
  })

  it('streams events, and goes on where a stream was cut', async () => {
    const { app, adminToken, contractor } = await openShop()
    const gone = new AbortController()
    const response = await app.request('/api/v1/events', {
      headers: { Authorization: `Bearer ${adminToken}`, Accept: 'text/event-stream', 'Last-Event-ID': '0-0' },
      signal: gone.signal,
    })
    expect(response.headers.get('Content-Type')).toContain('text/event-stream')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const readUntil = async (part: string) => {
      while (!text.includes(part)) text += (await reader?.read())?.value ?? ''
    }
    await readUntil('event: structure.created')
    await contractor.foundations.setState('f1', 'located', { by: 'bob' })
    await readUntil('event: foundation.located')
    expect(text).toMatch(/id: \d+-\d+/)
    expect(text).toContain('"by":"bob"')
    gone.abort()
    await reader?.cancel()
  })

  it('says what the database refuses as what it is, and says so itself', async () => {
    const { app, send, contractor, adminToken } = await openServer()
    for (const path of [
      '/jobs?after=abc',
      '/jobs/9007199254740991?x',
      '/events?after=99999999999999999999',
      '/sites/a%00b',
    ]) {
      const { status, body } = await send('GET', path)
      expect([404, 422], path).toContain(status)
      expect(JSON.stringify(body)).not.toMatch(/Failed query|select |\$1/)
    }
    expect((await send('POST', '/sites', { name: 'x', description: 'a\ud800' })).status).toBe(422)
    const unknown = await app.request('/api/v1/nothing', { headers: { Authorization: `Bearer ${adminToken}` } })
    expect(unknown.headers.get('contractor-server')).toBe('1')
    await contractor.close()
    expect(await send('GET', '/sites')).toMatchObject({ status: 503, body: { code: 'CLOSED' } })
  })

  it('describes itself in OpenAPI 3.1, without a token', async () => {
    const { send } = await openServer()
    const { status, body } = await send('GET', '/openapi.json', undefined, null)
    const document = body as {
      openapi: string
      paths: Record<string, unknown>
      components: { schemas: Record<string, unknown> }
    }
    expect(status).toBe(200)
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/sites',
        '/api/v1/structures/{id}',
        '/api/v1/structures/{id}/create',
        '/api/v1/dispatch/claim',
        '/api/v1/events',
      ]),
    )
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['Structure', 'Foundation', 'Job', 'Problem']),
    )
    expect(await send('GET', '/health', undefined, null)).toEqual({ status: 200, body: { status: 'ok' } })
  })
})

describe('a machine that is being built', () => {
  it('reports back without a token, with the cookie of its Job', async () => {
    const { app, contractor, send } = await openShop()
    await contractor.scripts.put({ name: 'create', source: 'signaling.wait_for_completion()' })
    await send('POST', '/foundations/f1/set-located')
    await send('POST', '/foundations/f1/create')
    await contractor.foreman.runDue()
    const cookie = (await contractor.foundations.config('f1'))._foundation_job_cookie
    const post = (path: string, body?: string) =>
      app.request(`/signal/1/${path}`, { method: 'POST', ...(body !== undefined && { body }) })
    expect((await post('00000000-0000-0000-0000-000000000000/complete')).status).toBe(403)
    expect((await post(`${cookie}/message`, 'half way')).status).toBe(204)
    expect((await send('GET', '/jobs/1')).body).toMatchObject({ message: 'half way' })
    expect((await post(`${cookie}/message`, '')).status).toBe(422)
    expect((await post(`${cookie}/complete`)).status).toBe(204)
    await contractor.foreman.runDue()
    expect((await send('GET', '/jobs/1')).body).toMatchObject({ state: 'done' })
    // Sent again since the answer was lost, and one that was never heard.
    expect((await post(`${cookie}/complete`)).status).toBe(204)
    expect((await post(`${cookie}/complete/1`)).status).toBe(204)
    expect((await post(`${cookie}/complete/2`)).status).toBe(409)
    expect((await post(`${cookie}/complete/0`)).status).toBe(422)
    expect((await post(`${cookie}/complete`, 'a text')).status).toBe(409)
  })
})

describe('a bad request', () => {
  it.each([
    ['without a token', 'GET', '/sites', undefined, null, 401, 'UNAUTHENTICATED'],
    ['with a wrong token', 'GET', '/sites', undefined, 'wrong', 401, 'UNAUTHENTICATED'],
    ['with an unknown field', 'POST', '/sites', { name: 'x', colour: 1 }, undefined, 422, 'VALIDATION_FAILED'],
    ['for what is not there', 'GET', '/sites/nowhere', undefined, undefined, 404, 'NOT_FOUND'],
    ['for a path that is not there', 'GET', '/nothing', undefined, undefined, 404, 'NOT_FOUND'],
    ['for what exists already', 'POST', '/sites', { name: 'lab' }, undefined, 409, 'ALREADY_EXISTS'],
    ['with an id that is no number', 'GET', '/structures/x', undefined, undefined, 422, 'VALIDATION_FAILED'],
    ['with a TOML file that is wrong', 'POST', '/resources?file=a.toml', '[x', undefined, 422, 'RESOURCE_INVALID'],
    [
      'that an agent’s token is needed for',
      'POST',
      '/dispatch/claim',
      { agent: 'a', modules: {} },
      undefined,
      403,
      'FORBIDDEN',
    ],
  ])('%s gets a problem with our code', async (_, method, path, body, token, status, code) => {
    const { send } = await openShop()
    expect(await send(method, path, body, token)).toMatchObject({
      status,
      body: {
        status,
        code,
        type: `urn:contractor:error:${code}`,
        title: expect.any(String),
        detail: expect.any(String),
      },
    })
  })

  it('of an agent for what is an admin’s is refused', async () => {
    const { send, agentToken } = await openShop()
    expect(await send('GET', '/sites', undefined, agentToken)).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN', detail: "Token 'bench' is an agent's token; an admin's token is needed here" },
    })
  })

  it('that is not JSON is told so', async () => {
    const { app, adminToken } = await openServer()
    const headers = { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' }
    const response = await app.request('/api/v1/sites', { method: 'POST', headers, body: '{"name":' })
    expect(response.status).toBe(400)
    expect(response.headers.get('Content-Type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ detail: 'The body is not valid JSON' })
  })
})
