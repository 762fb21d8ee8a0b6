import { createServer } from '@contractor/server'
import { describe, expect, it } from 'vitest'
import { machineReport } from '../../core/test/machine.ts'
import { openServer } from './open-server.ts'

/** Two Foundations in a room, and machines that report from anywhere. */
async function openHall() {
  const server = await openServer()
  const { contractor, send } = server
  await contractor.sites.create({ name: 'lab' })
  await contractor.blueprints.put({ kind: 'foundation', name: 'anvil', template: { cpus: { count: 2 } } })
  await contractor.blueprints.put({ kind: 'structure', name: 'web' })
  await send('POST', '/plots', { name: 'room' })
  await send('POST', '/plots', { name: 'rack', parent: 'room' })
  for (const locator of ['f1', 'f2']) {
    const made = { locator, type: 'Lathe', site: 'lab', blueprint: 'anvil', plot: 'rack', fields: { serial: 's' } }
    await contractor.foundations.create(made)
  }
  const app = createServer(contractor, { trustedProxies: ['10.9.9.9'] })
  const machine = async (method: 'GET' | 'POST', path: string, body?: string, headers: Record<string, string> = {}) => {
    const init = { method, headers, ...(body !== undefined && { body }) }
    const reply = await app.request(path, init, { incoming: { socket: { remoteAddress: '10.9.9.9' } } })
    const text = await reply.text()
    return { status: reply.status, body: JSON.parse(text), cache: reply.headers.get('cache-control') }
  }
  return { ...server, machine }
}

describe('a machine without a token', () => {
  it('reports itself, and is told which it is and what to do; nothing of what was reported comes back', async () => {
    const { contractor, machine } = await openHall()
    const configUuid = '11111111-2222-4333-8444-555555555555'
    const body = JSON.stringify(machineReport({ configUuid }))
    const first = await machine('POST', '/survey/SYS-1', body, { 'X-Forwarded-For': '10.0.0.77' })
    const message = 'Nothing of what it reported is known. Assign it, or tell of one of them.'
    const waits = { identifier: 'SYS-1', state: 'unmatched', message, next: 'report', foundation: null }
    expect(first).toEqual({ status: 200, body: waits, cache: 'no-store' })
    expect(await contractor.cartographers.get('SYS-1')).toMatchObject({ address: '10.0.0.77' })

    await contractor.foundations.update('f1', { serials: ['BRD-1'] })
    const matched = { state: 'matched', foundation: 'f1', next: 'boot' }
    expect(await machine('POST', '/survey/SYS-1', body)).toMatchObject({ status: 200, body: matched })
    const asked = await machine('GET', '/survey/SYS-1')
    expect(asked).toMatchObject({ status: 200, body: matched, cache: 'no-store' })
    expect(Object.keys(asked.body).sort()).toEqual(['foundation', 'identifier', 'message', 'next', 'state'])
    expect(JSON.stringify(await contractor.cartographers.get('SYS-1'))).not.toContain(configUuid)
  })

  it.each([
    ['an identifier that is none', '/survey/a%20b', '{}', 422, 'VALIDATION_FAILED'],
    ['no JSON', '/survey/m', 'cpus', 400, 'VALIDATION_FAILED'],
    ['nothing', '/survey/m', '', 400, 'VALIDATION_FAILED'],
    ['what is no object', '/survey/m', '[{"cpus":[]}]', 422, 'VALIDATION_FAILED'],
    ['too much', '/survey/m', `{"x":"${'x'.repeat(1024 * 1024)}"}`, 413, 'VALIDATION_FAILED'],
  ])('that sends %s is refused, and not kept', async (_, path, body, status, code) => {
    const { contractor, machine } = await openHall()
    expect(await machine('POST', path, body)).toMatchObject({ status, body: { code } })
    expect((await contractor.cartographers.list()).items).toEqual([])
    expect(await machine('GET', '/survey/m')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
  })
})

describe('an operator', () => {
  it('sees the machines, and assigns, releases, looks again and deletes', async () => {
    const { contractor, send, machine } = await openHall()
    await machine('POST', '/survey/m', JSON.stringify(machineReport({ cpus: [] })))
    expect(await send('GET', '/cartographers?state=unmatched')).toMatchObject({
      ...{
        status: 200,
        body: { items: [{ identifier: 'm', hardware: { system: { serial: 'SYS-1' } }, evidence: [] }] },
      },
    })
    expect(await send('POST', '/cartographers/m/assign', { foundation: 'f1' })).toMatchObject({
      ...{
        status: 409,
        body: { code: 'HARDWARE_MISMATCH', data: { differences: [{ path: 'cpus.count', found: 0 }] } },
      },
    })
    await machine('POST', '/survey/m', JSON.stringify(machineReport()))
    expect(await send('POST', '/cartographers/m/assign', { foundation: 'f1' })).toMatchObject({
      ...{
        status: 200,
        body: { state: 'matched', foundation: 'f1', message: expect.stringContaining('assigned by ann') },
      },
    })
    expect(await send('POST', '/cartographers/m/release')).toMatchObject({ status: 200, body: { state: 'unmatched' } })
    expect(await send('POST', '/cartographers/m/retry')).toMatchObject({ status: 200, body: { state: 'unmatched' } })
    expect(await send('GET', '/cartographers/m')).toMatchObject({ status: 200, body: { foundation: null } })
    expect(await send('DELETE', '/cartographers/m')).toMatchObject({ status: 204 })
    expect(await send('GET', '/cartographers/m')).toMatchObject({ status: 404 })
    expect(await send('GET', '/cartographers', undefined, null)).toMatchObject({ status: 401 })
    const { secret } = await contractor.tokens.create({ kind: 'agent', name: 'a', sites: ['lab'], modules: ['lathe'] })
    expect(await send('GET', '/cartographers', undefined, secret)).toMatchObject({ status: 403 })
  })

  it('locates a Foundation with its id map', async () => {
    const { send } = await openHall()
    expect(await send('POST', '/foundations/f1/set-located')).toMatchObject({
      status: 409,
      body: { code: 'WRONG_STATE' },
    })
    const idMap = machineReport()
    expect(await send('POST', '/foundations/f1/set-located', { idMap: { ...idMap, cpus: [] } })).toMatchObject({
      ...{ status: 409, body: { code: 'HARDWARE_MISMATCH' } },
    })
    expect(await send('POST', '/foundations/f1/set-located', { idmap: idMap })).toMatchObject({ status: 422 })
    expect(await send('POST', '/foundations/f1/set-located', { idMap })).toMatchObject({
      ...{ status: 200, body: { state: 'located', idMap: { bios: { version: '2.4.1' } } } },
    })
  })

  it('keeps Plots, and asks what stands where', async () => {
    const { send } = await openHall()
    expect(await send('GET', '/plots')).toMatchObject({
      body: { items: [{ name: 'rack', parent: 'room' }, { name: 'room' }] },
    })
    expect(await send('GET', '/plots/room/contents')).toMatchObject({
      ...{ status: 200, body: { items: [{ plot: 'rack', locator: 'f1', structure: null }, { locator: 'f2' }] } },
    })
    expect(await send('GET', '/plots/room/contents?deep=false')).toMatchObject({ status: 200, body: { items: [] } })
    expect(await send('GET', '/plots/room/contents?deep=no')).toMatchObject({ status: 422 })
    expect(await send('PATCH', '/plots/room', { parent: 'rack' })).toMatchObject({ status: 422 })
    expect(await send('PATCH', '/plots/room', { description: 'Cold' })).toMatchObject({ body: { description: 'Cold' } })
    expect(await send('DELETE', '/plots/rack')).toMatchObject({ status: 409, body: { code: 'IN_USE' } })
    await send('POST', '/plots', { name: 'attic' })
    expect(await send('DELETE', '/plots/attic')).toMatchObject({ status: 204 })
    expect(await send('GET', '/plots/attic')).toMatchObject({ status: 404 })
  })
})
