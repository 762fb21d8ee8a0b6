import type { App } from '@contractor/server'
import { describe, expect, it } from 'vitest'
import { findRounded } from '../src/http/exact-integers.ts'
import { openServer } from './open-server.ts'

async function openShop() {
  const server = await openServer()
  const { contractor, send } = server
  await contractor.sites.create({ name: 'lab' })
  const refused = async (method: string, path: string, body?: unknown) => {
    const reply = await send(method, path, body)
    const { detail, code } = reply.body as { detail: string; code: string }
    return { status: reply.status, code, detail }
  }
  return { ...server, refused }
}

/** Routes that take any parameter, and why. */
const indifferent = new Map([
  ['/api/v1/health', 'monitors add what keeps caches away'],
  ['/api/v1/openapi.json', 'so do tools that show it'],
])

/** All there are, each with a plausible value for what stands in its path. */
const routesOf = (app: App) => {
  const routes = app.routes.filter(({ method }) => method !== 'ALL')
  const paths = routes.map(({ method, path }) => `${method} ${path.replace(/:way\{.*?\}/, 's').replace(/:\w+/g, '1')}`)
  return [...new Set(paths)].map(one => one.split(' ') as [string, string])
}

describe('a request with a query', () => {
  it('that has an unknown parameter is refused everywhere, and the parameter named', async () => {
    const { app, contractor, adminToken } = await openShop()
    const agent = await contractor.tokens.create({ kind: 'agent', name: 'bob', sites: ['lab'], modules: ['lathe'] })
    const routes = routesOf(app)
    expect(routes.length).toBeGreaterThan(100)
    for (const [method, path] of routes) {
      const token = path.startsWith('/api/v1/dispatch/') ? agent.secret : adminToken
      const reply = await app.request(`${path}?colour=red`, { method, headers: { Authorization: `Bearer ${token}` } })
      const isRefused = reply.status === 422 && (await reply.text()).includes("unknown parameter 'colour'")
      expect([method, path, isRefused]).toEqual([method, path, !indifferent.has(path)])
    }
  })

  it.each([
    ['/structures?sit=lab', "unknown parameter 'sit'; did you mean 'site'?"],
    ['/structures/count?stat=built', "unknown parameter 'stat'; did you mean 'state'?"],
    ['/jobs?strcuture=7', "unknown parameter 'strcuture'; did you mean 'structure'?"],
    ['/foundations?LIMIT=7', "did you mean 'limit'?"],
    ['/sites?colour=red', 'known are after, limit'],
  ])('%s is told what was meant', async (path, message) => {
    const { refused } = await openShop()
    expect((await refused('GET', path)).detail).toContain(message)
  })

  it.each([
    ['/jobs?after=abc', 'after: is no cursor of this list'],
    ['/structures?after=-1', 'after: is no cursor of this list'],
    ['/events?after=abc', 'after: is no cursor of an event'],
    ['/sites?limit=ten', 'limit: '],
    ['/sites?limit=', 'limit: '],
    ['/sites?limit=0', 'limit: '],
    ['/sites?limit=1e2', 'limit: '],
    ['/sites?limit=1&limit=2', 'limit: '],
    ['/jobs?structure=9007199254740993', 'structure: '],
    ['/jobs?structure=99999999999999999999', 'structure: '],
    ['/jobs?live=perhaps', 'live: '],
    ['/sites?after=%00', 'after'],
    ['/structures/9007199254740993', 'id: '],
    ['/structures/0x10', 'id: '],
    ['/sites/%00', 'holds NUL'],
    ['/foundations/a%00b', 'holds NUL'],
  ])('%s is refused, and what is wrong named', async (path, message) => {
    const { refused } = await openShop()
    const reply = await refused('GET', path)
    expect(reply).toMatchObject({ status: 422, code: 'VALIDATION_FAILED' })
    expect(reply.detail).toContain(message)
  })

  it('that is right is answered: numbers and truths are read from text', async () => {
    const { send } = await openShop()
    for (const path of ['/jobs?live=true&structure=7&after=1&limit=5', '/sites?limit=1&after=x', '/events?limit=3'])
      expect([path, (await send('GET', path)).status]).toEqual([path, 200])
  })

  it('is described with its types', async () => {
    const { app } = await openShop()
    type Parameter = { name: string; schema: { type: string } }
    type Document = { paths: Record<string, { get: { parameters: Parameter[] } }> }
    const document = (await (await app.request('/api/v1/openapi.json')).json()) as Document
    const typeOf = (name: string) =>
      document.paths['/api/v1/jobs']?.get.parameters.find(one => one.name === name)?.schema.type
    expect(['after', 'limit', 'live', 'structure'].map(typeOf)).toEqual(['string', 'integer', 'boolean', 'integer'])
  })

  it('for a stream that begins at what is no cursor is refused before it begins', async () => {
    const { app, adminToken } = await openShop()
    const headers = { Authorization: `Bearer ${adminToken}`, Accept: 'text/event-stream', 'Last-Event-ID': 'abc' }
    expect((await app.request('/api/v1/events', { headers })).status).toBe(422)
  })
})

describe('a program', () => {
  it('is told of a parameter that is not known, and of a text for a number', async () => {
    const { contractor } = await openShop()
    const { structures, jobs, sites } = contractor
    await expect(structures.list({ sit: 'lab' } as never)).rejects.toThrow("did you mean 'site'?")
    await expect(structures.count({ sites: 'lab' } as never)).rejects.toThrow("did you mean 'site'?")
    await expect(jobs.list({ structure: '7' } as never)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    await expect(jobs.list({ after: 'abc' })).rejects.toThrow('after: is no cursor of this list')
    await expect(sites.list({ limit: '7' } as never)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })
})

describe('an integer beyond 2^53', () => {
  it('in a body is refused with its path, and nothing is kept', async () => {
    const { app, adminToken, contractor } = await openShop()
    const body = '{"name":"x","configValues":{"a":[1,{"big, \\"}": 12345678901234567890}]}}'
    const headers = { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' }
    const reply = await app.request('/api/v1/sites', { method: 'POST', headers, body })
    expect(reply.status).toBe(422)
    expect(((await reply.json()) as { data: { issues: { path: string }[] } }).data.issues[0]?.path).toBe(
      'configValues.a.1.big, "}',
    )
    await expect(contractor.sites.get('x')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('in a file of resources is refused', async () => {
    const { contractor } = await openShop()
    const file = '[structure.web]\nconfig_values = { big = 9007199254740993 }'
    await expect(contractor.resources.loadText(file, 'a.toml')).rejects.toMatchObject({ code: 'RESOURCE_INVALID' })
  })

  it.each([
    ['9007199254740992', []],
    ['-9007199254740992', []],
    ['9007199254740991', undefined],
    ['[[1, 2], 9007199254740993]', [1]],
    ['{"a": {"b": "9007199254740993"}, "c": 9007199254740993}', ['c']],
    ['{"a": 9007199254740993.5, "9007199254740993": 1e400}', undefined],
    ['{"a": [], "b": {}, "c": [{}, [9007199254740993]]}', ['c', 1, 0]],
    ['no JSON 9007199254740993000', []],
  ])('in %s is at %j', (text, path) => {
    expect(findRounded(text)).toEqual(path)
  })
})
