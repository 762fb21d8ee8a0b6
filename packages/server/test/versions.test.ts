import { randomBytes } from 'node:crypto'
import { nouns } from '@contractor/contract'
import { describe, expect, it } from 'vitest'
import { openServer } from './open-server.ts'

const resources = `
[script.create]
script = "foundation.weld()"
[foundation.base]
scripts = { create = "create" }
[structure.web]
[pxe.boot]
boot_script = "#!ipxe"
`

async function openShop() {
  const server = await openServer({ secretKey: randomBytes(32).toString('base64') })
  const { contractor } = server
  await contractor.resources.loadText(resources, 'shop.toml')
  await contractor.sites.create({ name: 'lab', configValues: { motto: 'measure twice', deep: { a: 1, b: 2 } } })
  await contractor.foundations.create({
    ...{ locator: 'f1', type: 'Lathe', site: 'lab', blueprint: 'base', fields: { serial: 's' } },
  })
  await contractor.structures.create({ hostname: 'web1', site: 'lab', blueprint: 'web', foundation: 'f1' })
  await contractor.complexes.create({ name: 'cluster', site: 'lab' })
  await contractor.plots.create({ name: 'hall' })
  await contractor.notes.create({ title: 'keys', kind: 'Site', key: 'lab' })
  await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.0.0.0/24' })
  await contractor.networks.create({ name: 'wire', site: 'lab' })
  await contractor.interfaces.create({ kind: 'real', foundation: 'f1', name: 'eth0' })
  await contractor.addresses.create({ kind: 'reserved', ip: '10.0.0.9', addressBlock: 'lan' })
  await contractor.zones.create({ name: 'example.com', email: 'a@example.com', nameservers: ['ns1.example.net'] })
  await contractor.zones.entries.create({ zone: 'example.com', name: 'www', type: 'A', address: '10.0.0.1' })
  const ask = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
    server.app.request(`/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${server.adminToken}`, 'Content-Type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  return { ...server, ask }
}

/** Of every noun that can be changed: one of them, and a change of it. */
const changed = {
  site: ['lab', { description: 'x' }],
  foundation: ['f1', { serials: ['s1'] }],
  structure: [1, { configValues: { a: 1 } }],
  complex: ['cluster', { description: 'x' }],
  plot: ['hall', { description: 'x' }],
  note: [1, { text: 'x' }],
  addressBlock: ['lan', { description: 'x' }],
  network: ['wire', { description: 'x' }],
  networkInterface: [1, { neighbour: 'switch1/1' }],
  address: [1, { reason: 'x' }],
  zone: ['example.com', { ttl: 60 }],
  entry: [1, { ttl: 60 }],
} as const

/** Of every noun that is saved as a whole. */
const saved = {
  blueprint: ['base', { kind: 'foundation', description: 'x' }],
  script: ['create', { source: 'foundation.weld() # again' }],
  pxe: ['boot', { bootScript: '#!ipxe\nexit' }],
} as const

describe('a version', () => {
  it('is looked at by every noun that can be changed', () => {
    const updatable = Object.entries(nouns).flatMap(([name, { methods }]) => ('update' in methods ? [name] : []))
    const puttable = Object.entries(nouns).flatMap(([name, { methods }]) =>
      'put' in methods && methods.put.gives === 'whole' ? [name] : [],
    )
    expect(Object.keys(changed).sort()).toEqual(updatable.sort())
    expect(Object.keys(saved).sort()).toEqual(puttable.sort())
  })

  it.each(Object.entries(changed))(
    'of a %s rises with each change, and refuses who has read an older one',
    async (name, [key, body]) => {
      const { ask } = await openShop()
      const path = `/${nouns[name as keyof typeof changed].path}/${key}`
      const first = await ask('GET', path, {})
      const tag = first.headers.get('ETag') as string
      expect(tag).toBe(`"${((await first.json()) as { version: number }).version}"`)
      expect((await ask('GET', path, { 'If-None-Match': tag })).status).toBe(304)

      const second = await ask('PATCH', path, { 'If-Match': tag }, body)
      expect([second.status, second.headers.get('ETag')]).toEqual([200, `"${Number(JSON.parse(tag)) + 1}"`])
      for (const [method, content] of [
        ['PATCH', body],
        ['DELETE', undefined],
      ] as const) {
        const late = await ask(method, path, { 'If-Match': tag }, content)
        expect([method, late.status, await late.json()]).toMatchObject([method, 412, { code: 'VERSION_MISMATCH' }])
      }
      expect((await ask('GET', path, { 'If-None-Match': tag })).status).toBe(200)
    },
  )

  it.each(Object.entries(saved))(
    'of a %s refuses to save over what somebody else has saved',
    async (name, [key, body]) => {
      const { ask } = await openShop()
      const path = `/${nouns[name as keyof typeof saved].path}/${key}`
      const tag = (await ask('GET', path, {})).headers.get('ETag') as string
      expect((await ask('PUT', path, { 'If-Match': tag }, body)).status).toBe(200)
      expect((await ask('PUT', path, { 'If-Match': tag }, body)).status).toBe(412)
      expect((await ask('DELETE', path, { 'If-Match': tag })).status).toBe(412)
      expect((await ask('PUT', `${path}-gone`, { 'If-Match': tag }, body)).status).toBe(412)
    },
  )

  it('in a form that is none of ours matches nothing, and is refused where nothing is changed', async () => {
    const { ask } = await openShop()
    expect((await ask('PATCH', '/sites/lab', { 'If-Match': '"abc"' }, { description: 'x' })).status).toBe(412)
    expect((await ask('PATCH', '/sites/lab', { 'If-Match': 'W/"1"' }, { description: 'x' })).status).toBe(412)
    expect((await ask('PATCH', '/sites/lab', { 'If-Match': '*' }, { description: 'x' })).status).toBe(200)
    const two = await ask('PATCH', '/sites/lab', { 'If-Match': '"1", "2"' }, { description: 'x' })
    expect([two.status, await two.json()]).toMatchObject([422, { detail: expect.stringContaining('one ETag') }])
    const made = await ask('POST', '/plots', { 'If-Match': '"1"' }, { name: 'p' })
    expect([made.status, await made.json()]).toMatchObject([422, { detail: expect.stringContaining('If-Match') }])
  })
})

describe('a version that a function does not look at', () => {
  it('is refused, and not passed over', async () => {
    const { contractor } = await openShop()
    const { structures, sites } = contractor
    const refused = { code: 'VALIDATION_FAILED', message: expect.stringContaining('ifVersion is not taken here') }
    await expect(structures.doCreate(1, { ifVersion: 1 })).rejects.toMatchObject(refused)
    await expect((await sites.get('lab')).config({ ifVersion: 1 })).rejects.toMatchObject(refused)
  })
})

describe('maps', () => {
  it('of two operators who change different values both have their way; null takes a value away', async () => {
    const { ask, contractor } = await openShop()
    await ask('PATCH', '/sites/lab', {}, { configValues: { motto: 'measure thrice' } })
    await ask('PATCH', '/sites/lab', {}, { configValues: { deep: { b: 3, c: 4 }, fresh: [1] } })
    await ask('PATCH', '/sites/lab', {}, { configValues: { deep: { a: null } } })
    expect((await contractor.sites.get('lab')).configValues).toEqual({
      ...{ motto: 'measure thrice', deep: { b: 3, c: 4 }, fresh: [1] },
    })
    const { items } = await contractor.configChanges.list({ site: 'lab', key: 'motto' })
    expect(items.map(({ before, after }) => [before, after])).toEqual([
      ['measure twice', 'measure thrice'],
      [undefined, 'measure twice'],
    ])
  })

  it('take a reference to a secret as one value, and give no masked one back', async () => {
    const { contractor } = await openShop()
    const { sites, secrets } = contractor
    await secrets.put({ name: 'pw', value: 'open sesame' })
    await sites.update('lab', { configValues: { deep: { $secret: 'pw' } } })
    expect((await sites.get('lab')).configValues.deep).toEqual({ $secret: 'pw' })
  })
})

describe('an event', () => {
  it('names what it happened to, and its version', async () => {
    const { contractor } = await openShop()
    await contractor.sites.update('lab', { description: 'x' })
    const events = await contractor.events.list({ limit: 1000 })
    expect(events.filter(one => one.type.startsWith('site.'))).toMatchObject([
      { type: 'site.created', subject: { kind: 'Site', id: 'lab', version: 1 } },
      { type: 'site.changed', subject: { kind: 'Site', id: 'lab', version: 2 } },
    ])
    expect(events.find(one => one.type === 'structure.created')).toMatchObject({
      subject: { kind: 'Structure', id: 1 },
    })
  })
})
