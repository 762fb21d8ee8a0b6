import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { createHandlerContext, pluginLaws } from '@contractor/plugin/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { openRig } from '../../../../test/rig.ts'
import { handlers } from '../src/handlers/index.ts'
import { quirks } from '../src/quirks.ts'
import { redfish } from '../src/redfish.ts'
import { tasks } from '../src/tasks.ts'
import { type FakeRedfish, startRedfish } from './fake-redfish.ts'

const override = { device: 'pxe', persistent: false, uefi: true }
const inventory = {
  ...{
    manufacturer: 'ACME',
    model: 'X1',
    serial: 'S-1',
    uuid: '00000000-0000-0000-0000-000000000001',
    bios_version: '2.1',
  },
  ...{ cpu_count: 2, memory_size: 65_536, health: 'OK', mac_list: ['00:11:22:33:44:55'] },
}
const image = 'http://10.0.0.1/rescue.iso'

describe('the laws of plugins', () => {
  const laws = pluginLaws(redfish, handlers, {
    fields: { redfish_ip_address: '10.0.0.7', redfish_password: 'geheim' },
    args: {
      set_boot_device: [{ device: 'pxe' }],
      set_bios: [{ attributes: { BootMode: 'Uefi' } }],
      insert_media: [{ image }],
      update_firmware: [{ image }],
      subscribe: [{ destination: 'https://10.0.0.1/events' }],
      unsubscribe: [{ destination: 'https://10.0.0.1/events' }],
    },
    replies: {
      set_power: [
        { state: 'on', sent: true },
        { state: 'off', sent: false },
        { state: 'on', sent: false },
      ],
      power_state: [{ state: 'on' }, { state: 'off' }],
      link_test: [{ good: true, last: '' }],
      read_boot: [override],
      set_boot: [override],
      read_bios: [{ attributes: {} }],
      set_bios: [{ changed: ['BootMode'] }],
      insert_media: [{ slot: 'Cd' }],
      eject_media: [{ ejected: 1 }],
      read_firmware: [{ firmware: [] }],
      update_firmware: [{ state: 'Completed' }],
      read_inventory: [inventory],
      identify: [{}],
      subscribe: [{ subscription: '/1' }],
      unsubscribe: [{ removed: 1 }],
      reset_bmc: [{ seconds: 60 }],
    },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('a Redfish service', () => {
  let bmc: FakeRedfish
  beforeAll(async () => {
    bmc = await startRedfish()
  })
  afterAll(() => bmc.stop())
  beforeEach(() => {
    bmc.quirks.clear()
    bmc.told.length = 0
    bmc.faults.length = 0
    bmc.sessions.clear()
    machine().PowerState = 'Off'
  })
  const machine = () => bmc.resources['/redfish/v1/Systems/1'] as Record<string, unknown>
  const login = () => ({
    ...{ host: '127.0.0.1', port: bmc.port, username: bmc.username, password: bmc.password },
    ...{ fingerprint: bmc.fingerprint, system: null },
  })
  const run = (task: string, more: object = {}, signal = new AbortController().signal) =>
    handlers.run(task, { ...login(), ...more }, createHandlerContext({ signal }))
  const setBoot = (device: string, more: object = {}) =>
    run('set_boot', { device, persistent: false, uefi: null, ...more })

  it('reads and changes power, and leaves no session behind', async () => {
    expect(await run('power_state')).toEqual({ state: 'off' })
    expect(await run('set_power', { action: 'off' })).toEqual({ state: 'off', sent: false })
    expect(bmc.told).toEqual([])
    expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
    expect(await run('power_state')).toEqual({ state: 'on' })
    machine().PowerState = 'PoweringOn'
    expect(await run('power_state')).toEqual({ state: 'on' })
    expect(bmc.sessions.size).toBe(0)
  })

  it('tells boot device, BIOS, firmware and what the machine is, and changes what may be changed', async () => {
    expect(await setBoot('pxe')).toEqual({ device: 'pxe', persistent: false, uefi: true })
    expect(await run('read_boot')).toEqual({ device: 'pxe', persistent: false, uefi: true })
    expect(await setBoot('disk', { persistent: true, uefi: false })).toEqual({
      device: 'disk',
      persistent: true,
      uefi: false,
    })
    expect(await setBoot('none')).toEqual({ device: 'none', persistent: false, uefi: false })
    expect(await run('read_bios')).toEqual({ attributes: { BootMode: 'Uefi', NumLock: true } })
    expect(await run('set_bios', { attributes: { BootMode: 'Legacy', NumLock: true } })).toEqual({
      changed: ['BootMode'],
    })
    await expect(run('set_bios', { attributes: { Turbo: 1 } })).rejects.toMatchObject({ code: 'DEVICE_UNSUPPORTED' })
    expect(await run('read_firmware')).toEqual({
      firmware: [{ id: 'BIOS', name: 'BIOS', version: '2.1', updateable: true }],
    })
    expect(await run('read_inventory')).toEqual(inventory)
    await run('identify', { on: true })
    expect(machine().IndicatorLED).toBe('Blinking')
  })

  it('fetches firmware, and says why it could not', async () => {
    expect(await run('update_firmware', { image, targets: [] })).toEqual({ state: 'Completed' })
    await expect(run('update_firmware', { image: 'http://10.0.0.1/bad.bin', targets: [] })).rejects.toThrow(
      'The image is not signed.',
    )
  })

  it('sends its events where it is told, once, and no more', async () => {
    const destination = 'https://10.0.0.1/events'
    const first = await run('subscribe', { destination, context: 'c' })
    expect(await run('subscribe', { destination, context: 'c' })).toEqual(first)
    expect(await run('unsubscribe', { destination })).toEqual({ removed: 1 })
    expect(await run('unsubscribe', { destination })).toEqual({ removed: 0 })
  })

  const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
    async 'refuses-what-is-so'() {
      bmc.quirks.add('refuses-what-is-so')
      expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
    },
    async 'on-refused-after-off'() {
      bmc.quirks.add('on-refused-after-off')
      await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
      expect(tasks.set_power.retry?.attempts).toBeGreaterThan(3)
      expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
    },
    async 'boot-refused-during-post'() {
      bmc.quirks.add('boot-refused-during-post')
      await expect(setBoot('pxe')).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
      expect(await setBoot('pxe')).toMatchObject({ device: 'pxe' })
    },
    async 'few-sessions'() {
      bmc.quirks.add('few-sessions')
      for (let at = 0; at < 5; at++) await run('power_state')
      await expect(run('read_boot', { system: 'none such' })).rejects.toThrow()
      expect(bmc.sessions.size).toBe(0)
      expect(tasks.power_state.limitOf(login())).toEqual(
        tasks.set_boot.limitOf({ ...login(), device: 'pxe', persistent: false, uefi: null }),
      )
    },
    async 'session-lost'() {
      const before = bmc.opened
      bmc.quirks.add('session-lost')
      expect(await run('power_state')).toEqual({ state: 'off' })
      expect(bmc.opened - before).toBe(2)
    },
    async 'no-session-service'() {
      bmc.quirks.add('no-session-service')
      expect(await run('power_state')).toEqual({ state: 'off' })
    },
    async 'wants-all-boot-fields'() {
      await setBoot('cdrom')
      expect(machine().Boot).toEqual({
        BootSourceOverrideEnabled: 'Once',
        BootSourceOverrideTarget: 'Cd',
        BootSourceOverrideMode: expect.any(String),
      })
    },
    async 'media-in-its-slot'() {
      expect(await run('insert_media', { image })).toEqual({ slot: 'Cd' })
      bmc.told.length = 0
      expect(await run('insert_media', { image })).toEqual({ slot: 'Cd' })
      expect(bmc.told).toEqual([])
      await run('insert_media', { image: 'http://10.0.0.1/other.iso' })
      expect(bmc.told.map(one => one.split('.').at(-1))).toEqual(['EjectMedia', 'InsertMedia'])
      expect(await run('eject_media')).toEqual({ ejected: 1 })
      expect(await run('eject_media')).toEqual({ ejected: 0 })
    },
    async 'empty-etag'() {
      bmc.quirks.add('empty-etag')
      expect(await setBoot('pxe')).toMatchObject({ device: 'pxe' })
    },
    async 'etag-changes'() {
      bmc.quirks.add('etag-changes')
      expect(await setBoot('disk')).toMatchObject({ device: 'disk' })
    },
    async 'settings-elsewhere'() {
      const path = '/redfish/v1/Systems/1/Bios'
      const settings = `${path}/Settings`
      bmc.resources[settings] = { Attributes: {} }
      const bios = bmc.resources[path] as Record<string, unknown>
      bios['@Redfish.Settings'] = { SettingsObject: { '@odata.id': settings } }
      await run('set_bios', { attributes: { NumLock: false } })
      expect(bmc.resources[settings]).toEqual({ Attributes: { NumLock: false } })
      delete bios['@Redfish.Settings']
    },
    async 'redirects-changes'() {
      bmc.quirks.add('redirects-changes')
      expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
      expect(machine().PowerState).toBe('On')
    },
    async 'unknown-system'() {
      await expect(run('power_state', { system: '2' })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: "BMC 127.0.0.1: it has no system '2': it has 1",
      })
      const all = bmc.resources['/redfish/v1/Systems'] as { Members: object[] }
      all.Members.push({ '@odata.id': '/redfish/v1/Systems/2' })
      await expect(run('power_state')).rejects.toThrow('it has 1, 2; set redfish_system')
      expect(await run('power_state', { system: '1' })).toEqual({ state: 'off' })
      all.Members.pop()
    },
    async 'no-graceful-shutdown'() {
      const action = (machine().Actions as Record<string, Record<string, unknown>>)['#ComputerSystem.Reset'] as Record<
        string,
        unknown
      >
      const values = action['ResetType@Redfish.AllowableValues']
      machine().PowerState = 'On'
      action['ResetType@Redfish.AllowableValues'] = ['On', 'PushPowerButton']
      expect(await run('set_power', { action: 'soft' })).toEqual({ state: 'on', sent: true })
      machine().PowerState = 'On'
      await expect(run('set_power', { action: 'off' })).rejects.toMatchObject({
        code: 'DEVICE_UNSUPPORTED',
        message: expect.stringContaining('it knows On, PushPowerButton'),
      })
      action['ResetType@Redfish.AllowableValues'] = values
    },
  }
  describe('with what surprises', () => {
    it.each(quirks)('$name: $does', ({ name }) => laws[name]())
  })

  it.each([
    ['a wrong password', { password: 'falsch' }, 'DEVICE_UNAUTHENTICATED', false],
    ['another certificate', { fingerprint: '0'.repeat(64) }, 'DEVICE_UNTRUSTED', false],
    ['a certificate that nobody vouches for', { fingerprint: null }, 'DEVICE_UNTRUSTED', false],
    ['a host that there is not', { host: 'nobody.invalid' }, 'DEVICE_UNREACHABLE', true],
  ])('says what is wrong with %s', async (_, more, code, retryable) => {
    await expect(run('power_state', more)).rejects.toMatchObject({
      code,
      retryable,
      message: expect.not.stringMatching(/geheim|falsch/),
    })
  })

  it('sends no password to a device that is another one', async () => {
    const heard: string[] = []
    const key = (name: string) => readFileSync(join(import.meta.dirname, name))
    const thief = createTlsServer({ key: key('bmc-key.pem'), cert: key('bmc-cert.pem') }, socket =>
      socket.on('data', data => heard.push(String(data))).on('error', () => undefined),
    )
    await new Promise<void>(resolve => thief.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void thief.close())
    const { port } = thief.address() as AddressInfo
    await expect(run('power_state', { port, fingerprint: '1'.repeat(64) })).rejects.toMatchObject({
      code: 'DEVICE_UNTRUSTED',
    })
    expect(heard).toEqual([])
  })

  it.each([
    ['cut', 'DEVICE_ANSWER_INVALID', true],
    ['rubbish', 'DEVICE_ANSWER_INVALID', true],
    [{ status: 503, headers: { 'Retry-After': '7' } }, 'DEVICE_BUSY', true],
    [{ status: 507 }, 'DEVICE_FULL', false],
  ] as const)('an answer that is %j is a failure of its kind', async (fault, code, retryable) => {
    bmc.faults.push(fault)
    await expect(run('power_state')).rejects.toMatchObject({
      ...{ code, retryable, ...(typeof fault === 'object' && 'headers' in fault && { retryAfterMs: 7000 }) },
    })
  })

  it('that is no HTTPS, and a port where nobody is, are told apart, and one that is silent is left when it is aborted', async () => {
    const plain = createTcpServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>(resolve => plain.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void plain.close())
    const { port } = plain.address() as AddressInfo
    await expect(run('power_state', { port })).rejects.toMatchObject({ code: 'DEVICE_ANSWER_INVALID' })
    await expect(run('power_state', { port: await freePort() })).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE' })
    bmc.faults.push('silent')
    const abort = new AbortController()
    const refused = expect(run('power_state', {}, abort.signal)).rejects.toThrow('claim lost')
    // It has come to the service, which says nothing.
    await vi.waitFor(() => expect(bmc.faults).toEqual([]))
    abort.abort(new Error('claim lost'))
    await refused
  })

  it('goes through server and agent from create to destroy, and shows no password', { timeout: 90_000 }, async () => {
    const rig = await openRig({
      plugins: [redfish],
      handlers: [handlers],
      resources: [join(import.meta.dirname, '../resources.toml')],
    })
    const { contractor } = rig
    const fields = {
      redfish_ip_address: '127.0.0.1',
      redfish_port: bmc.port,
      redfish_username: 'admin',
      redfish_password: bmc.password,
      redfish_fingerprint: bmc.fingerprint,
    }
    await contractor.foundations.create({
      locator: 'm1',
      type: 'RedFish',
      site: 'lab',
      blueprint: 'redfish-base',
      fields,
    })
    await contractor.foundations.setLocated('m1')
    await rig.finish(contractor.foundations.doCreate('m1'))
    expect(await contractor.foundations.config('m1')).toMatchObject({
      redfish_ip_address: '127.0.0.1',
      _console: 'ttyS1',
    })
    bmc.quirks.add('on-refused-after-off')
    await rig.finish(contractor.foundations.doJob('m1', 'power_on'))
    expect(await contractor.foundations.read('m1')).toMatchObject({ exists: true, details: { power: 'on' } })
    await rig.finish(contractor.foundations.doDestroy('m1'))
    expect(machine().PowerState).toBe('Off')
    const seen = JSON.stringify([
      await contractor.foundations.get('m1'),
      (await contractor.jobs.list({})).items,
      rig.lines,
    ])
    expect(seen).not.toContain(bmc.password)
    expect(bmc.sessions.size).toBe(0)
  })
})
