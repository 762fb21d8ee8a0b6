import { randomBytes } from 'node:crypto'
import { type Contractor, createContractor } from '@contractor/core'
import { defineFoundation } from '@contractor/plugin'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { postgresKind } from '../../../test/databases.ts'
import { createServer } from '../src/create-server.ts'

const metal = defineFoundation({ type: 'Metal', fields: z.object({}), functions: {}, console: 'ttyS1,115200' })

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Two machines, `web1` at 10.0.0.11 and `web2` at 10.0.0.12, that are installed; and a range for machines that nobody knows. */
async function openHall() {
  const database = await postgresKind.create()
  cleanups.push(() => database.drop())
  const contractor = await createContractor({
    ...{ database: database.option, plugins: [metal], foreman: false },
    ...{ url: 'http://contractor', pxeUrl: 'http://static/pxe/', secretKey: randomBytes(32).toString('base64') },
  })
  cleanups.push(() => contractor.close())
  await contractor.secrets.put({ name: 'root', value: 'hunter2' })
  await contractor.sites.create({ name: 'lab', configValues: { dns_servers: ['10.0.0.2'], flag: true } })
  await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.0.0.0/24', gateway: '10.0.0.1' })
  await contractor.pxes.put({
    name: 'install',
    bootScript: 'kernel {{ __pxe_location }}vmlinuz ks={{ __pxe_template_location }} console={{ _console }}\nboot',
    template: `host {{ _hostname }} {{ _interface_map.eth0.address_list.0.address }} {{ dns_servers.0 }}
proxy {{ proxy }}|{{ flag }}|{{ gone|default( 'none' ) }}
{% set counter = [ 0 ] %}{% for one in _interface_map.values() %}{{ counter.0 }}={{ one.name }} {% set _ = counter.append( counter.pop() + 1 ) %}{% endfor %}`,
  })
  await contractor.pxes.put({ name: 'secretive', bootScript: 'echo {{ root_password }}' })
  await contractor.pxes.put({
    name: 'discover',
    bootScript: 'chain {{ __pxe_template_location }}',
    template: 'survey of {{ _site }}',
  })
  await contractor.addresses.create({ kind: 'dynamic', addressBlock: 'lan', ip: '10.0.0.200', pxe: 'discover' })
  await contractor.blueprints.put({ kind: 'foundation', name: 'base', configValues: { firmware: 7 } })
  await contractor.blueprints.put({
    kind: 'structure',
    name: 'web',
    configValues: { root_password: { $secret: 'root' }, motd: 'welcome to {{ _hostname }}' },
  })
  const ids: number[] = []
  for (const n of [1, 2]) {
    await contractor.foundations.create({ locator: `m${n}`, type: 'Metal', site: 'lab', blueprint: 'base' })
    const one = await contractor.structures.create({
      hostname: `web${n}`,
      site: 'lab',
      blueprint: 'web',
      foundation: `m${n}`,
    })
    await contractor.interfaces.create({
      kind: 'real',
      foundation: `m${n}`,
      name: 'eth0',
      provisioning: true,
      pxe: 'install',
    })
    await contractor.addresses.create({ kind: 'static', ip: `10.0.0.1${n}`, structure: one.id, interface: 'eth0' })
    ids.push(one.id)
  }
  return { contractor, ids }
}

function asker(contractor: Contractor, trustedProxies: string[] = []) {
  const app = createServer(contractor, { trustedProxies })
  return async (path: string, from = '10.0.0.99', headers: Record<string, string> = {}) => {
    const reply = await app.request(path, { headers }, { incoming: { socket: { remoteAddress: from } } })
    return { status: reply.status, text: await reply.text(), type: reply.headers.get('content-type') }
  }
}

describe('a machine that boots', () => {
  it('is told its config by config UUID, id, locator, address, and by the address from which it asks', async () => {
    const { contractor, ids } = await openHall()
    const ask = asker(contractor)
    const { configUuid } = await contractor.structures.get(ids[0] ?? 0)
    const own = [
      await ask(`/config/config/c/${configUuid}`),
      await ask('/config/config/', '10.0.0.11'),
      await ask('/config/config', '::ffff:10.0.0.11'),
    ]
    for (const { status, text } of own) {
      expect(status).toBe(200)
      expect(JSON.parse(text)).toMatchObject({
        _hostname: 'web1',
        motd: 'welcome to web1',
        root_password: 'hunter2',
        _structure_config_uuid: configUuid,
        __pxe_template_location: `http://contractor/config/pxe_template/c/${configUuid}`,
      })
    }
    for (const path of [`s/${ids[0]}`, 'f/m1', 'a/10.0.0.11']) {
      const { status, text } = await ask(`/config/config/${path}`)
      expect(status).toBe(200)
      expect(JSON.parse(text)).toMatchObject({
        _hostname: 'web1',
        motd: 'welcome to web1',
        __pxe_template_location: `http://contractor/config/pxe_template/${path}`,
      })
      // Anybody may name a machine: its secrets, and what proves that one is it, are for itself.
      for (const secret of ['hunter2', '***', configUuid, 'root_password', 'cookie']) expect(text).not.toContain(secret)
    }
  })

  it('gets the boot script and the template of its PXE, as Jinja2 renders them', async () => {
    const { contractor, ids } = await openHall()
    const ask = asker(contractor)
    const { configUuid } = await contractor.structures.get(ids[1] ?? 0)
    const script = await ask('/config/boot_script/', '10.0.0.12')
    expect(script).toMatchObject({ status: 200, type: expect.stringContaining('text/plain') })
    expect(script.text).toBe(
      `#!ipxe\n\nkernel http://static/pxe/vmlinuz ks=http://contractor/config/pxe_template/c/${configUuid} console=ttyS1,115200\nboot`,
    )
    expect((await ask(`/config/pxe_template/c/${configUuid}`)).text).toBe(
      'host web2 10.0.0.12 10.0.0.2\nproxy |True|none\n0=eth0 ',
    )
  })

  it('gets a secret in a boot script when it asks as itself, and is refused otherwise', async () => {
    const { contractor, ids } = await openHall()
    const ask = asker(contractor)
    const { items } = await contractor.interfaces.list({ foundation: 'm1' })
    await contractor.interfaces.update(items[0]?.id ?? 0, { pxe: 'secretive' })
    const { configUuid } = await contractor.structures.get(ids[0] ?? 0)
    expect((await ask(`/config/boot_script/c/${configUuid}`)).text).toContain('echo hunter2')
    const refused = await ask(`/config/boot_script/s/${ids[0]}`)
    expect(refused).toMatchObject({ status: 403, text: expect.stringContaining('must ask by its config UUID') })
    expect(refused.text).not.toContain('hunter2')
  })

  it('that nobody knows is told what its dynamic address boots, and nothing else', async () => {
    const { contractor } = await openHall()
    const ask = asker(contractor)
    expect((await ask('/config/boot_script', '10.0.0.200')).text).toBe(
      '#!ipxe\n\nchain http://contractor/config/pxe_template/',
    )
    expect((await ask('/config/pxe_template/', '10.0.0.200')).text).toBe('survey of lab')
    expect(await ask('/config/config/', '10.9.9.9')).toMatchObject({
      status: 404,
      text: expect.stringContaining('No machine is known by the address 10.9.9.9'),
    })
  })

  it('is known by what a configured proxy says, and by no other', async () => {
    const { contractor } = await openHall()
    const forwarded = (by: string) => ({ 'X-Forwarded-For': by })
    const hostname = async (ask: ReturnType<typeof asker>, from: string, by: string) => {
      const { status, text } = await ask('/config/config/', from, forwarded(by))
      return status === 200 ? (JSON.parse(text)._hostname ?? 'a new machine') : status
    }
    const open = asker(contractor)
    expect(await hostname(open, '10.0.0.12', '10.0.0.11')).toBe('web2')
    const behind = asker(contractor, ['10.1.0.0/16', '::1'])
    expect(await hostname(behind, '10.1.0.5', '10.0.0.11')).toBe('web1')
    expect(await hostname(behind, '::1', '10.0.0.12, 10.1.3.3')).toBe('web2')
    // What stands before the first address that is no proxy was written by the machine itself.
    expect(await hostname(behind, '10.1.0.5', '10.0.0.12, 10.0.0.11')).toBe('web1')
    expect(await hostname(behind, '10.1.0.5', 'nonsense')).toBe(404)
    expect(() => createServer(contractor, { trustedProxies: ['10.0.0.0/40'] })).toThrow("'10.0.0.0/40' is neither")
  })

  it('whose script asks with a parameter is refused, in words for the person before it', async () => {
    const { contractor } = await openHall()
    const ask = asker(contractor)
    for (const path of ['/config/boot_script?mac=52:54:00:12:34:56', '/config/pxe_template/f/m1?mac=0'])
      expect(await ask(path, '10.0.0.11')).toEqual({
        status: 422,
        text: "The request is not valid: unknown parameter 'mac'; known are none\n",
        type: expect.stringContaining('text/plain'),
      })
    expect(await ask('/config/boot_script/f/none')).toMatchObject({
      status: 404,
      text: "No machine is known by the locator 'none'\n",
    })
    expect(await ask('/config/config?mac=0', '10.0.0.11')).toMatchObject({
      status: 422,
      type: 'application/problem+json',
    })
  })

  it.each([
    ['c/0', 422],
    ['s/abc', 422],
    ['s/999', 404],
    ['f/none', 404],
    ['a/10.0.0.300', 422],
    ['a/10.0.0.77', 404],
    ['x/1', 404],
    ['c/00000000-0000-4000-8000-000000000000', 404],
  ])('by something that is not there is told so: %s', async (path, status) => {
    const { contractor } = await openHall()
    expect(await asker(contractor)(`/config/config/${path}`)).toMatchObject({ status })
  })
})
