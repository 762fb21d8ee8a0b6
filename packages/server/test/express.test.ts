import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createListener, createServer } from '@contractor/server'
import express, { type RequestHandler } from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openServer } from './open-server.ts'

/** An application of somebody else's, with the engine in it behind its middleware. */
async function mount(...before: RequestHandler[]) {
  const { contractor, adminToken } = await openServer()
  const host = express()
  for (const one of before) host.use(one)
  host.use('/contractor', createListener(createServer(contractor)))
  host.get('/', (_request, response) => void response.send('mine'))
  const server = await new Promise<Server>(resolve => {
    const listening = host.listen(0, '127.0.0.1', () => resolve(listening))
  })
  onTestFinished(() => new Promise<void>(resolve => void server.close(() => resolve())))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    contractor,
    url,
    async send(method: string, path: string, body?: string, type = 'application/json') {
      const response = await fetch(`${url}/contractor/api/v1${path}`, {
        method,
        headers: { Authorization: `Bearer ${adminToken}`, ...(body !== undefined && { 'Content-Type': type }) },
        ...(body !== undefined && { body }),
      })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    },
  }
}

/** Reads a body and tells nobody. */
const swallow: RequestHandler = (request, _response, next) => void request.resume().on('end', () => next())

describe('mounted in express', () => {
  it.each([
    ['without middleware', []],
    ['behind express.json()', [express.json()]],
    ['behind express.text()', [express.text({ type: '*/*' })]],
    ['behind express.raw()', [express.raw({ type: '*/*' })]],
  ])('%s, it takes bodies, and refuses what is wrong in them', async (_where, before) => {
    const { url, send } = await mount(...before)
    const values = { list: [1, 'ä', { deep: null }] }
    expect(await send('POST', '/sites', JSON.stringify({ name: 'lab', configValues: values }))).toMatchObject({
      status: 201,
      body: { name: 'lab', configValues: values },
    })
    expect(await send('POST', '/sites', '{"name":"x","size":1}')).toMatchObject({ status: 422 })
    expect(await send('POST', '/sites', '{"name":"x","configValues":{"id":9007199254740993}}')).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('configValues.id: is an integer beyond 2^53') },
    })
    expect(await send('POST', '/resources', '[structure.web]', 'application/toml')).toMatchObject({ status: 200 })
    expect(await send('GET', '/sites')).toMatchObject({ status: 200, body: { items: [{ name: 'lab' }] } })
    expect(await (await fetch(url)).text()).toBe('mine')
  })

  it('a body that was read and thrown away is answered as none, and not waited for', async () => {
    const { send } = await mount(swallow)
    expect(await send('POST', '/sites', '{"name":"lab"}')).toMatchObject({
      status: 400,
      body: { detail: 'The body is not valid JSON' },
    })
  })

  it('its description says where it is', async () => {
    const { send } = await mount()
    expect((await send('GET', '/openapi.json')).body).toMatchObject({ servers: [{ url: '/contractor' }] })
  })
})
