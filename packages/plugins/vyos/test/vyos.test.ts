import { join } from 'node:path'
import type { Json } from '@contractor/plugin'
import { createFunctionContext, createHandlerContext, pluginLaws } from '@contractor/plugin/testing'
import { manual } from '@contractor/plugin-manual'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { openRig } from '../../../../test/rig.ts'
import { commandsOf } from '../src/attribute.ts'
import { handlers } from '../src/handlers/index.ts'
import { quirks } from '../src/quirks.ts'
import { tasks } from '../src/tasks.ts'
import { vyos } from '../src/vyos.ts'
import { type FakeVyos, find, startVyos } from './fake-vyos.ts'

const address = (text: string, sub_interface: number | null = null) => ({ address: text, prefix: 24, sub_interface })
const eth0 = { name: 'eth0', kind: 'real', address_list: [address('10.0.0.1'), address('10.0.7.1', 7)] }
const eth1 = { name: 'eth1', kind: 'real', address_list: [] }
const config: Record<string, Json> = {
  _primary_address: address('10.0.0.1'),
  _interface_map: { eth0, eth1 },
  _foundation_interface_list: [eth0, eth1],
  vyos_dhcp_relay_server: '10.0.0.2',
}
const configWith = (more: Record<string, Json> = {}) => {
  const all: Record<string, Json> = { ...config, ...more }
  return (name: string) => all[name] ?? undefined
}
const relay = (...path: string[]) => ({ op: 'set', path: ['service', 'dhcp-relay', ...path] })

describe('the laws of plugins', () => {
  const auth_key = 'k'
  const laws = pluginLaws(vyos, handlers, {
    config,
    args: {
      apply: [
        { attribute: 'dhcp_relay', auth_key },
        { attribute: 'nonsense', auth_key },
      ],
      configure: [{ command_list: [{ op: 'set', path: ['system', 'host-name', 'r1'] }], auth_key, host: '10.0.0.9' }],
      show_config: [{ auth_key }, { path: ['interfaces'], auth_key }],
    },
    replies: { configure: [{ changed: true }], show: [{ config: { interfaces: {} } }, { config: null }] },
    abortable: { show: { host: 'nobody.invalid', port: 443, fingerprint: null, auth_key, path: [] } },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('an attribute', () => {
  it.each([
    ['dhcp_relay', {}, [relay('server', '10.0.0.2'), relay('interface', 'eth0'), relay('interface', 'eth1')]],
    [
      'dhcp_relay',
      { vyos_dhcp_relay_server: ['10.0.0.2', '10.0.0.3'], vyos_dhcp_relay_upstream: 'eth0' },
      [
        ...[relay('server', '10.0.0.2'), relay('server', '10.0.0.3')],
        ...[relay('upstream-interface', 'eth0'), relay('listen-interface', 'eth1')],
      ],
    ],
    [
      'interface:ethernet:eth0',
      {},
      [{ op: 'set', path: ['interfaces', 'ethernet', 'eth0', 'address', '10.0.0.1/24'] }],
    ],
    [
      'interface:ethernet:eth0:7',
      {},
      [{ op: 'set', path: ['interfaces', 'ethernet', 'eth0', 'vif', '7', 'address', '10.0.7.1/24'] }],
    ],
  ])('%s is made of the config %j', (attribute, more, commands) => {
    expect(commandsOf(attribute, configWith(more))).toEqual({ commands })
  })

  it.each([
    ['dns', {}, "no attribute 'dns'"],
    ['interface:ethernet', {}, 'no attribute'],
    ['interface:ethernet:eth0:7:8', {}, 'no attribute'],
    ['interface:wireless:wlan0', {}, "type 'wireless'"],
    ['interface:ethernet:eth9', {}, "no interface 'eth9': it has eth0, eth1"],
    ['interface:ethernet:eth1', {}, 'has no address without alias'],
    ['interface:ethernet:eth0:8', {}, 'has no address with the alias 8'],
    ['interface:ethernet:eth0:x', {}, "'x' is no number"],
    ['dhcp_relay', { vyos_dhcp_relay_server: null }, 'no vyos_dhcp_relay_server'],
    ['dhcp_relay', { _foundation_interface_list: [] }, 'has no interfaces'],
    ['dhcp_relay', { vyos_dhcp_relay_upstream: 'eth9' }, 'names eth9: it has eth0, eth1'],
    ['dhcp_relay', { vyos_dhcp_relay_upstream: 7 }, 'no name of an interface'],
  ])('%s with the config %j ends the Job, and says why', (attribute, more, words) => {
    const start = () => {
      const context = createFunctionContext({ config: { ...config, ...(more as Record<string, Json>) } })
      const { apply } = vyos.functions
      return apply?.outcome(apply.start(apply.args.parse({ attribute, auth_key: 'k' }), context))
    }
    expect(start()).toEqual({ kind: 'aborted', message: expect.stringContaining(words) })
  })

  it('goes to the target’s primary address, unless another host is said', () => {
    const { apply } = vyos.functions
    const ask = (more: object, configured: Record<string, Json> = {}) => {
      const context = createFunctionContext({ config: { ...config, ...configured } })
      const state = apply?.start(apply.args.parse({ attribute: 'dhcp_relay', auth_key: 'k', ...more }), context)
      return apply?.request?.(apply.state.parse(state))?.params
    }
    expect(ask({})).toMatchObject({ host: '10.0.0.1', port: 443, fingerprint: null, save: false })
    const pinned = { vyos_port: 8443, vyos_fingerprint: `${'AB:'.repeat(31)}AB` }
    expect(ask({}, pinned)).toMatchObject({ port: 8443, fingerprint: 'ab'.repeat(32) })
    expect(ask({ host: 'r1.lab', port: 444, fingerprint: 'any' }, pinned)).toMatchObject({
      host: 'r1.lab',
      port: 444,
      fingerprint: 'any',
    })
    expect(() => ask({}, { _primary_address: null })).toThrow('no primary address')
  })

  it('ends the Job where the router refuses, and is an error that can be reset where later may do', () => {
    const { apply } = vyos.functions
    const after = (code: string) => {
      const context = createFunctionContext({ config })
      const state = apply?.start(apply.args.parse({ attribute: 'dhcp_relay', auth_key: 'k' }), context)
      const error = { code, message: 'its words', retryable: false }
      return apply?.outcome(apply.receive?.(apply.state.parse(state), { now: 0, kind: 'failed', error }))
    }
    expect(after('DEVICE_REFUSED')).toEqual({ kind: 'aborted', message: 'its words' })
    expect(after('DEVICE_UNREACHABLE')).toEqual({ kind: 'error', message: 'its words' })
    expect(after('DEVICE_UNAUTHENTICATED')).toEqual({ kind: 'error', message: 'its words' })
  })
})

describe('a VyOS router', () => {
  let router: FakeVyos
  beforeAll(async () => {
    router = await startVyos()
  })
  afterAll(() => router.stop())
  beforeEach(() => {
    router.quirks.clear()
    router.told.length = router.faults.length = 0
    Object.assign(router, { running: { system: { 'host-name': { vyos: {} } } }, saved: {} })
  })
  const login = () => ({ host: '127.0.0.1', port: router.port, fingerprint: router.fingerprint, auth_key: router.key })
  const run = (task: string, more: object = {}, context = {}) =>
    handlers.run(task, { ...login(), ...more }, createHandlerContext(context))
  const configure = (commands: object[], more: object = {}) => run('configure', { commands, save: false, ...more })
  const all = [relay('server', '10.0.0.2'), relay('interface', 'eth0'), relay('interface', 'eth1')]
  const set = (...path: string[]) => ({ op: 'set', path })
  const remove = (...path: string[]) => ({ op: 'delete', path })
  const hostNames = () => Object.keys(router.running.system?.['host-name'] ?? {})

  it('is configured, and shows its configuration', async () => {
    expect(await configure(all)).toEqual({ changed: true })
    expect(await run('show', { path: ['service'] })).toEqual({
      config: { 'dhcp-relay': { server: { '10.0.0.2': {} }, interface: { eth0: {}, eth1: {} } } },
    })
    expect(await run('show', { path: [] })).toMatchObject({ config: { system: {} } })
    expect(await configure(all)).toEqual({ changed: false })
    expect(router.told).toEqual(['/configure'])
  })

  it('has what a list changes twice as the list says', async () => {
    expect(await configure([remove('system', 'host-name'), set('system', 'host-name', 'vyos')])).toEqual({
      changed: true,
    })
    expect(hostNames()).toEqual(['vyos'])
    expect(await configure([set('system', 'host-name', 'r1'), remove('system', 'host-name', 'r1')])).toEqual({
      changed: true,
    })
    expect(hostNames()).toEqual(['vyos'])
  })

  const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
    async 'commits-each-request'() {
      await expect(configure([relay('server', '10.0.0.2')])).rejects.toMatchObject({
        ...{
          code: 'DEVICE_REFUSED',
          retryable: false,
          message: expect.stringContaining('Must set at least one DHCP interface'),
        },
      })
      expect(await configure(all)).toEqual({ changed: true })
      expect(router.told).toHaveLength(2)
      // All of it, or nothing.
      await expect(configure([set('system', 'host-name', 'r9'), set('nonsense', 'x')])).rejects.toThrow(
        '[nonsense x] is not valid',
      )
      expect(hostNames()).toEqual(['vyos'])
    },
    async 'exists-already'() {
      router.quirks.add('exists-already')
      await configure(all)
      expect(await configure([...all, relay('interface', 'eth2')])).toEqual({ changed: true })
      expect(find(router.running, ['service', 'dhcp-relay', 'interface', 'eth2'])).toEqual({})
    },
    async 'deletes-what-is-not-there'() {
      expect(await configure([remove('service', 'dhcp-relay')])).toEqual({ changed: false })
      await configure(all)
      expect(await configure([remove('service', 'dhcp-relay'), remove('service', 'https')])).toEqual({ changed: true })
    },
    async 'commit-in-progress'() {
      router.quirks.add('commit-in-progress')
      await expect(configure(all)).rejects.toMatchObject({
        code: 'DEVICE_BUSY',
        retryable: true,
        message: expect.stringContaining('another commit in progress'),
      })
      expect(tasks.configure.retry?.attempts).toBeGreaterThan(5)
      const params = { ...login(), commands: [{ op: 'set', path: ['a'] }], save: false }
      expect(tasks.configure.limitOf(params)).toEqual({
        atOnce: 1,
        spacingMs: 0,
        key: `vyos 127.0.0.1:${router.port}`,
      })
    },
    async 'cuts-itself-off'() {
      const more = [...all, set('service', 'https', 'listen-address', '10.0.0.1')]
      router.quirks.add('cuts-itself-off')
      await expect(configure(more)).rejects.toMatchObject({ code: 'DEVICE_ANSWER_INVALID', retryable: true })
      expect(await configure(more, { save: true })).toEqual({ changed: false })
      expect(router.told).toEqual(['/configure', '/config-file'])
      expect(find(router.saved, ['service', 'https', 'listen-address', '10.0.0.1'])).toEqual({})
    },
    async 'empty-is-an-error'() {
      expect(await run('show', { path: ['service', 'dhcp-relay'] })).toEqual({ config: null })
      expect(await run('show', { path: ['nonsense'] })).toEqual({ config: null })
    },
    async 'forgets-at-its-next-start'() {
      await configure(all)
      expect(router.saved).toEqual({})
      expect(await configure(all, { save: true })).toEqual({ changed: false })
      expect(router.saved).toEqual(router.running)
    },
  }
  describe('with what surprises', () => {
    it.each(quirks)('$name: $does', ({ name }) => laws[name]())
  })

  it.each([
    ['a wrong key', { auth_key: 'falsch' }, 'DEVICE_UNAUTHENTICATED', false],
    ['another certificate', { fingerprint: '0'.repeat(64) }, 'DEVICE_UNTRUSTED', false],
    ['a certificate that nobody vouches for', { fingerprint: null }, 'DEVICE_UNTRUSTED', false],
    ['a host that there is not', { host: 'nobody.invalid' }, 'DEVICE_UNREACHABLE', true],
  ])('says what is wrong with %s', async (_, more, code, retryable) => {
    await expect(configure(all, more)).rejects.toMatchObject({
      code,
      retryable,
      message: expect.not.stringMatching(/geheim|falsch/),
    })
    expect(router.told).toEqual([])
  })

  it('says that nobody is at a port', async () => {
    await expect(run('show', { path: [], port: await freePort() })).rejects.toMatchObject({
      code: 'DEVICE_UNREACHABLE',
    })
  })

  it.each([
    ['cut', 'DEVICE_ANSWER_INVALID', true],
    ['rubbish', 'DEVICE_ANSWER_INVALID', true],
    [{ status: 200, body: { hello: 1 } }, 'DEVICE_ANSWER_INVALID', true],
    [{ status: 200, body: { success: false, error: 'quite wrong', data: null } }, 'DEVICE_REFUSED', false],
    [{ status: 502, body: '<html>Bad Gateway</html>', headers: { 'Retry-After': '7' } }, 'DEVICE_BUSY', true],
    [{ status: 404, body: '<html>' }, 'DEVICE_UNSUPPORTED', false],
    [{ status: 400, body: { success: false, error: 'write: No space left on device' } }, 'DEVICE_FULL', false],
    [
      { status: 500, body: { success: false, error: 'An internal error occured. Check the logs for details.' } },
      'DEVICE_REFUSED',
      false,
    ],
  ] as const)('an answer that is %j is a failure of its kind', async (fault, code, retryable) => {
    router.faults.push(fault)
    await expect(run('show', { path: [] })).rejects.toMatchObject({
      ...{ code, retryable, ...(JSON.stringify(fault).includes('Retry-After') && { retryAfterMs: 7000 }) },
    })
  })

  it('shows no key that it repeats in its refusal', async () => {
    router.faults.push({ status: 400, body: { success: false, error: `bad: key=${router.key}` } })
    await expect(run('show', { path: [] })).rejects.toThrow('bad: key=***')
  })

  it('leaves a silent one when it is aborted', async () => {
    router.faults.push('silent')
    const abort = new AbortController()
    const refused = expect(run('show', { path: [] }, { signal: abort.signal })).rejects.toThrow(/claim lost|aborted/)
    await vi.waitFor(() => expect(router.faults).toEqual([]))
    abort.abort(new Error('claim lost'))
    await refused
  })

  it('goes through server and agent, and shows no key', { timeout: 120_000 }, async () => {
    const rig = await openRig({
      plugins: [vyos, manual],
      handlers: [handlers],
      resources: [join(import.meta.dirname, '../resources.toml')],
    })
    const { contractor } = rig
    await contractor.secrets.put({ name: 'lab/vyos', value: router.key })
    const configValues = {
      ...{ vyos_auth_key: { $secret: 'lab/vyos' }, vyos_fingerprint: router.fingerprint, vyos_port: router.port },
      vyos_dhcp_relay_server: '10.0.0.2',
    }
    await contractor.blueprints.put({ kind: 'foundation', name: 'bare', foundationTypes: ['Manual'], scripts: {} })
    await contractor.blueprints.put({
      kind: 'structure',
      name: 'relay',
      parents: ['vyos-dhcprelay'],
      foundationBlueprints: ['bare'],
      configValues,
    })
    await contractor.foundations.create({ locator: 'r1', type: 'Manual', site: 'lab', blueprint: 'bare' })
    await contractor.interfaces.createMany([
      { kind: 'real', foundation: 'r1', name: 'eth0' },
      { kind: 'real', foundation: 'r1', name: 'eth1' },
    ])
    const { id } = await contractor.structures.create({
      hostname: 'r1',
      site: 'lab',
      blueprint: 'relay',
      foundation: 'r1',
    })
    await contractor.addressBlocks.create({ name: 'loop', site: 'lab', subnet: '127.0.0.0/29' })
    await contractor.addresses.create({
      structure: id,
      addressBlock: 'loop',
      offset: 1,
      interface: 'eth0',
      primary: true,
    })
    await contractor.foundations.setLocated('r1')
    await contractor.foundations.setBuilt('r1')
    await rig.finish(contractor.structures.doCreate(id))
    expect(find(router.saved, ['service', 'dhcp-relay'])).toEqual({
      server: { '10.0.0.2': {} },
      interface: { eth0: {}, eth1: {} },
    })
    const told = router.told.length
    await rig.finish(contractor.structures.doJob(id, 'apply'))
    expect(router.told.slice(told)).toEqual(['/config-file'])
    await contractor.scripts.put({
      name: 'bad',
      source: "vyos.apply( attribute='interface:ethernet:eth9', auth_key=config.vyos_auth_key )\n",
    })
    await contractor.blueprints.put({
      kind: 'structure',
      name: 'relay',
      parents: ['vyos-dhcprelay'],
      foundationBlueprints: ['bare'],
      configValues,
      scripts: { bad: 'bad' },
    })
    expect(await rig.standing(contractor.structures.doJob(id, 'bad'))).toContain("no interface 'eth9'")
    const shown = [await contractor.structures.get(id), (await contractor.jobs.list({})).items, rig.lines]
    expect(JSON.stringify(shown)).not.toContain(router.key)
  })
})
