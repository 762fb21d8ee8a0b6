import { createServer as createNetServer } from 'node:net'
import { createServer, listen } from '@contractor/server'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { openServer } from './open-server.ts'

describe('the server', () => {
  it('can be mounted in another hono app', async () => {
    const { contractor, adminToken } = await openServer()
    const host = new Hono().get('/', c => c.text('mine')).route('/contractor', createServer(contractor))
    const response = await host.request('/contractor/api/v1/sites', {
      headers: { Authorization: `Bearer ${adminToken}` },
    })
    expect(await response.json()).toEqual({ items: [] })
    expect(await (await host.request('/')).text()).toBe('mine')
    expect((await host.request('/contractor/api/v1/sites')).status).toBe(401)
  })

  it('says so when its port is taken', async () => {
    const { app } = await openServer()
    const other = createNetServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    await expect(listen(app, { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `Port ${port} of 127.0.0.1 is taken by another process. Stop that, or use another port with --port.`,
    })
    await new Promise(resolve => other.close(resolve))
  })

  it('serves over HTTP and ends what waits when it closes', async () => {
    const { contractor } = await openServer()
    await contractor.sites.create({ name: 'lab' })
    const closing = new AbortController()
    const server = await listen(createServer(contractor, { signal: closing.signal }), { host: '127.0.0.1', port: 0 })
    const { secret } = await contractor.tokens.create({
      kind: 'agent',
      name: 'other',
      sites: ['lab'],
      modules: ['lathe'],
    })
    const waiting = fetch(`${server.url}/api/v1/dispatch/claim`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ agent: 'a', modules: { lathe: { slots: 1 } }, waitMs: 60_000 }),
    })
    expect((await fetch(`${server.url}/api/v1/health`)).status).toBe(200)
    closing.abort()
    expect(await (await waiting).json()).toEqual({ tasks: [] })
    await server.close()
  })

  it('tells an agent what a DHCP server of its Site has to know, and only that it knows it already', async () => {
    const { app, contractor, send } = await openServer()
    for (const [name, parent] of [['lab'], ['hall', 'lab'], ['yard']] as const)
      await contractor.sites.create({ name, ...(parent && { parent }) })
    await contractor.addressBlocks.create({ name: 'lan', site: 'hall', subnet: '10.0.0.0/24' })
    await contractor.addresses.create({ kind: 'dynamic', addressBlock: 'lan', ip: '10.0.0.9' })
    const { secret } = await contractor.tokens.create({
      kind: 'agent',
      name: 'dhcp',
      sites: ['lab'],
      modules: ['dhcp'],
    })
    const found = await send('GET', '/dispatch/dhcp/hall', undefined, secret)
    expect(found).toMatchObject({
      status: 200,
      body: { site: 'hall', subnets: [{ addressBlock: 'lan', pools: [{ first: '10.0.0.9', last: '10.0.0.9' }] }] },
    })
    const { digest } = found.body as { digest: string }
    const headers = { Authorization: `Bearer ${secret}`, 'If-None-Match': `"${digest}"` }
    expect((await app.request('/api/v1/dispatch/dhcp/hall', { headers })).status).toBe(304)
    expect(await send('GET', '/dispatch/dhcp/yard', undefined, secret)).toMatchObject({ status: 403 })
    expect(await send('GET', '/dispatch/dhcp/hall')).toMatchObject({ status: 403 })
  })

  it('takes secrets, and does not give them out', async () => {
    const { send } = await openServer({ secretKey: Buffer.alloc(32, 7).toString('base64') })
    const stored = await send('POST', '/secrets', { name: 'lab/root', value: 'hunter2' })
    expect(stored).toMatchObject({ status: 200, body: { name: 'lab/root' } })
    const listed = await send('GET', '/secrets')
    expect(listed).toMatchObject({ status: 200, body: { items: [{ name: 'lab/root' }] } })
    expect(JSON.stringify([stored, listed])).not.toContain('hunter2')
    expect(await send('DELETE', '/secrets/lab%2Froot')).toMatchObject({ status: 204 })
    expect(await send('DELETE', '/secrets/lab%2Froot')).toMatchObject({ status: 404 })
    const { send: without } = await openServer()
    expect(await without('POST', '/secrets', { name: 'a', value: 'b' })).toMatchObject({
      status: 503,
      body: { code: 'SECRET_KEY_MISSING', detail: expect.stringContaining('CONTRACTOR_SECRET_KEY') },
    })
  })
})
