import { createClient, each } from '@contractor/client'
import { type Noun, nouns } from '@contractor/contract'
import { createTestContractor } from '@contractor/core/testing'
import { createServer } from '@contractor/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lathe } from '../../core/test/lathe.ts'

const resources = `
[script.create]
script = "foundation.weld()"
[foundation.base]
scripts = { create = "create" }
[structure.web]
`

async function openClient() {
  const contractor = await createTestContractor({ plugins: [lathe], foreman: false })
  onTestFinished(() => contractor.close())
  const app = createServer(contractor)
  const { secret: token } = await contractor.tokens.create({ kind: 'admin', name: 'ann' })
  const fetch = ((url: URL, init: RequestInit) => app.request(url.href, init)) as typeof globalThis.fetch
  const client = createClient({ url: 'http://shop.example/', token, fetch })
  return { client, contractor, app, token }
}

describe('a client', () => {
  it('has a function for each declared method', async () => {
    const { client } = await openClient()
    for (const noun of Object.values(nouns) as Noun[]) {
      const part = noun.part.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], client)
      expect(Object.keys(part as object), noun.part).toEqual(expect.arrayContaining(Object.keys(noun.methods)))
    }
  })

  it('makes, shows, changes, orders and deletes as the SDK does', async () => {
    const { client } = await openClient()
    expect(await client.resources.loadText(resources, 'shop.toml')).toMatchObject({ warnings: [] })
    const site = await client.sites.create({ name: 'lab', configValues: { motto: 'measure twice' } })
    expect(await client.sites.config('lab')).toMatchObject({ motto: 'measure twice' })
    await client.sites.update('lab', { description: 'x' }, { ifVersion: site.version })
    await expect(client.sites.update('lab', { description: 'y' }, { ifVersion: site.version })).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
      data: { kind: 'Site', version: 2, wanted: 1 },
    })
    await client.foundations.createMany([
      { locator: 'f1', type: 'Lathe', site: 'lab', blueprint: 'base', fields: { serial: 's' } },
    ])
    expect(await client.foundations.setLocated('f1')).toMatchObject({ state: 'located' })
    const { id } = await client.structures.create({ hostname: 'web1', site: 'lab', blueprint: 'web', foundation: 'f1' })
    expect(await client.structures.count({ site: 'lab' })).toBe(1)
    expect(await client.foundations.doCreate('f1')).toMatchObject({ action: 'create', state: 'waiting' })
    const [job] = (await client.jobs.list({ foundation: 'f1' })).items
    expect(await client.jobs.setMessage(job?.id ?? 0, 'on its way')).toMatchObject({ message: 'on its way' })
    expect(await client.jobs.cancel(job?.id ?? 0)).toMatchObject({ outcome: 'cancelled' })
    expect(await client.scripts.put({ name: 'tidy', source: 'foundation.weld()' })).toMatchObject({ change: 'created' })
    expect(await client.zones.entries.list()).toEqual({ items: [] })
    expect(await client.structures.delete(id)).toBeUndefined()
    expect((await client.plugins.list()).find(one => one.name === 'Lathe')).toMatchObject({
      ...{ kind: 'foundation', fields: { type: 'object', properties: { serial: { type: 'string' } } } },
    })
  })

  it('follows pages', async () => {
    const { client } = await openClient()
    for (let at = 10; at < 35; at++) await client.plots.create({ name: `plot${at}` })
    const names: string[] = []
    for await (const plot of each(client.plots.list, { limit: 7 })) names.push(plot.name)
    expect(names).toEqual(Array.from({ length: 25 }, (_, at) => `plot${at + 10}`))
  })

  it('watches events, and goes on where it was when the stream is cut', async () => {
    const { contractor, app, token } = await openClient()
    let streams = 0
    /** Each stream is cut after its first event. */
    const fetch = (async (url: URL, init: RequestInit) => {
      const response = await app.request(url.href, init)
      streams++
      const reader = (response.body as ReadableStream<Uint8Array>).getReader()
      const { value } = await reader.read()
      await reader.cancel()
      return new Response(value ?? null, response)
    }) as typeof globalThis.fetch
    const client = createClient({ url: 'http://shop.example', token, fetch })
    for (const name of ['a1', 'a2', 'a3']) await contractor.plots.create({ name })
    const stop = new AbortController()
    const seen: (string | number)[] = []
    for await (const event of client.events.watch({ after: '0', signal: stop.signal })) {
      if (event.type === 'plot.created') seen.push(event.subject.id)
      if (seen.length === 3) stop.abort()
    }
    expect(seen).toEqual(['a1', 'a2', 'a3'])
    expect(streams).toBeGreaterThan(1)
  })

  it('says what is wrong: refusals as the engine does, and a server that is none', async () => {
    const { client, token } = await openClient()
    await expect(client.sites.get('none')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      data: { kind: 'Site', id: 'none' },
    })
    await expect(client.sites.list({ limit: 0 })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    const away = createClient({ url: 'http://127.0.0.1:1', token })
    await expect(away.sites.list()).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE', retryable: true })
    const html = (async () => new Response('<html>', { status: 502 })) as typeof globalThis.fetch
    const proxy = createClient({ url: 'http://shop.example', token, fetch: html })
    await expect(proxy.sites.list()).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: expect.stringContaining('502'),
    })
  })
})
