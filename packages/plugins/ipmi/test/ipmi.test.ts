import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createHandlerContext, pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Connection } from '../src/connection.ts'
import { createBmc } from '../src/handlers/bmc.ts'
import { handlers } from '../src/handlers/index.ts'
import { ipmi } from '../src/ipmi.ts'
import { quirks } from '../src/quirks.ts'
import { tasks } from '../src/tasks.ts'

const fields = { ipmi_ip_address: '10.0.0.7', ipmi_password: 'geheim' }
const flags = { device: 'pxe', persistent: false, uefi: true }
const address = { source: 'static', address: '10.0.0.7', netmask: '', gateway: '', mac: '', vlan: null }

describe('the laws of plugins', () => {
  const laws = pluginLaws(ipmi, handlers, {
    fields,
    args: {
      set_boot_device: [{ device: 'pxe' }, { device: 'disk', persistent: true, uefi: true }],
      set_lan: [{ address: '10.0.0.8' }, { source: 'dhcp' }],
      set_password: [{ new_password: 'neu' }, { new_password: 'neu', user: 'other' }],
    },
    replies: {
      set_power: [
        { state: 'on', sent: true },
        { state: 'off', sent: false },
        { state: 'on', sent: false },
      ],
      power_state: [{ state: 'on' }, { state: 'off' }],
      link_test: [
        { score: 1, last: '' },
        { score: 0.5, last: 'no answer' },
      ],
      read_boot_device: [flags],
      set_boot_device: [flags],
      read_sensors: [{ sensors: [{ name: 'Temp', value: 30, unit: 'degrees C', status: 'ok' }] }],
      read_sel: [{ total: 0, entries: [], all: null }],
      clear_sel: [{ cleared: 3 }],
      read_fru: [{ fru: { 'Product Serial': 'x' } }],
      identify: [{}],
      reset_bmc: [{ seconds: 30 }],
      read_lan: [address],
      set_lan: [address],
      set_password: [{}],
    },
    abortable: { power_state: { ...connection(), host: '127.0.0.1' } },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

function connection(more: Partial<Connection> = {}): Connection {
  return { host: 'bmc', port: 623, username: 'admin', password: 'geheim', cipher: null, quirks: [], ...more }
}

/** A BMC behind an ipmitool of our own, found before the machine's. */
function fakeBmc(has: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'ipmitool-'))
  const file = join(folder, 'bmc.json')
  const program = join(import.meta.dirname, 'fake-ipmitool.mjs')
  writeFileSync(file, JSON.stringify({ password: 'geheim', power: 'off', boot: 'No override', cipher17: true, ...has }))
  chmodSync(program, 0o755)
  symlinkSync(program, join(folder, 'ipmitool'))
  const { PATH = '' } = process.env
  process.env.PATH = folder + delimiter + PATH
  process.env.FAKE_BMC = file
  onTestFinished(() => {
    process.env.PATH = PATH
    delete process.env.FAKE_BMC
    rmSync(folder, { recursive: true })
  })
  const host = `bmc-${Math.random().toString(36).slice(2)}`
  return {
    host,
    state: () => JSON.parse(readFileSync(file, 'utf8')),
    told: () => readFileSync(`${file}.log`, 'utf8').trim().split('\n'),
    run: (task: string, more: object = {}) =>
      handlers.run(task, { ...connection({ host }), ...more }, createHandlerContext()),
  }
}

/** One for each row of the table. */
const laws: Record<(typeof quirks)[number]['name'], () => void | Promise<void>> = {
  slow() {
    const limit = (own: Partial<Connection>) => tasks.power_state.limitOf(connection(own))
    expect(limit({})).toEqual({ key: 'bmc bmc:623', atOnce: 1, spacingMs: 0 })
    expect(limit({ quirks: ['slow'] })).toMatchObject({ spacingMs: 5000 })
  },
  async 'no-boot-options-raw'() {
    const bmc = fakeBmc({ noRaw: true })
    await bmc.run('set_boot_device', { device: 'pxe', persistent: false, uefi: true, quirks: ['no-boot-options-raw'] })
    expect(bmc.told().filter(line => line.includes('raw'))).toEqual([])
  },
  async 'cipher-17-unknown'() {
    const bmc = fakeBmc({ cipher17: false })
    expect(await bmc.run('power_state')).toEqual({ state: 'off' })
    expect(bmc.told()).toEqual(['17 chassis power status', '3 chassis power status'])
    const strict = fakeBmc()
    await expect(strict.run('power_state', { password: 'falsch' })).rejects.toMatchObject({
      code: 'DEVICE_UNAUTHENTICATED',
    })
    expect(strict.told()).toEqual(['17 chassis power status'])
  },
  async hangs() {
    const bmc = fakeBmc({ hangs: true })
    const waiting = createBmc(connection({ host: bmc.host }), { signal: new AbortController().signal, commandMs: 300 })
    await expect(waiting.power()).rejects.toMatchObject({
      ...{
        code: 'DEVICE_TIMED_OUT',
        retryable: true,
        message: expect.stringContaining('ipmitool was killed after 0.3 s'),
      },
    })
  },
  async 'boot-flags-expire'() {
    const bmc = fakeBmc()
    await bmc.run('set_boot_device', { device: 'pxe', persistent: false, uefi: null })
    expect(bmc.state()).toMatchObject({ keepsFlags: true, boot: 'Force PXE' })
    const old = fakeBmc({ noRaw: true })
    await old.run('set_boot_device', { device: 'pxe', persistent: false, uefi: null })
    expect(old.state()).toMatchObject({ boot: 'Force PXE' })
  },
  async 'boot-device-forgets-uefi'() {
    const bmc = fakeBmc({ uefi: true })
    expect(await bmc.run('set_boot_device', { device: 'disk', persistent: false, uefi: null })).toMatchObject({
      uefi: true,
    })
    expect(bmc.state()).toMatchObject({ uefi: true })
    await bmc.run('set_boot_device', { device: 'disk', persistent: true, uefi: false })
    expect(bmc.state()).toMatchObject({ uefi: false })
  },
  async 'refuses-what-is-so'() {
    const bmc = fakeBmc()
    expect(await bmc.run('set_power', { action: 'off' })).toEqual({ state: 'off', sent: false })
    expect(bmc.told()).toEqual(['17 chassis power status'])
  },
  'power-flickers'() {
    // Its readings are judged where they are counted, in the driver package: here, that they are three.
    const { power_off } = ipmi.functions
    if (!power_off) throw new Error('it has no power_off')
    const answer = (value: object) => ({ now: 0, kind: 'result', value }) as never
    const context = { now: 0, callId: 'c', foundation: { fields: ipmi.fields.parse(fields) } } as never
    let state = power_off.start(power_off.args.parse({}), context)
    state = power_off.receive?.(state, answer({ state: 'on', sent: true }))
    for (const seen of ['off', 'on', 'off', 'off', 'off']) {
      expect(power_off.outcome(power_off.state.parse(state)).kind, seen).toBe('pending')
      state = power_off.receive?.(power_off.receive?.(state, { now: 1, kind: 'timer' }), answer({ state: seen }))
    }
    expect(power_off.outcome(power_off.state.parse(state)).kind).toBe('done')
  },
  async 'busy-for-a-moment'() {
    const bmc = fakeBmc({ busy: 1 })
    await expect(bmc.run('power_state')).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
    expect(await bmc.run('power_state')).toEqual({ state: 'off' })
    expect(tasks.power_state.retry?.attempts).toBeGreaterThan(1)
  },
  async 'sel-is-huge'() {
    const line = (at: number) =>
      `${at.toString(16)},11/26/2026,12:00:00,Temperature #0x30,Upper Critical going high,Asserted`
    const bmc = fakeBmc({ sel: Array.from({ length: 3000 }, (_, at) => line(at + 1)).join('\n') })
    expect(await bmc.run('read_sel', { newest: 2 })).toMatchObject({
      total: 3000,
      entries: [{ id: 'bb8', event: 'Upper Critical going high', asserted: true }, { id: 'bb7' }],
      all: { name: 'sel.csv', contentType: 'text/csv' },
    })
  },
}

describe('what BMCs do that the specification does not say', () => {
  it.each(quirks)('$name: $does', ({ name }) => laws[name]())
})

describe('answers', () => {
  it('that are cut short are no power state', async () => {
    expect(await fakeBmc({ cutsShort: true }).run('power_state')).toEqual({ state: 'unknown' })
    await expect(fakeBmc({ cutsShort: true }).run('read_boot_device')).rejects.toMatchObject({
      ...{ code: 'DEVICE_ANSWER_INVALID', retryable: true },
    })
  })

  it('of sensors and of what the machine is are read', async () => {
    const bmc = fakeBmc({
      sensors: 'Inlet Temp,23,degrees C,ok\nFan1,,,ns\nPSU1 Status,0x01,discrete,cr\nCPU Temp,98,degrees C,cr',
      fru: ' Board Mfg             : ACME\n Product Serial        : S-1\n',
    })
    expect(await bmc.run('read_sensors')).toEqual({
      sensors: [
        { name: 'Inlet Temp', value: 23, unit: 'degrees C', status: 'ok' },
        { name: 'Fan1', value: null, unit: '', status: 'ns' },
        { name: 'PSU1 Status', value: 1, unit: 'discrete', status: 'cr' },
        { name: 'CPU Temp', value: 98, unit: 'degrees C', status: 'cr' },
      ],
    })
    expect(await bmc.run('read_fru')).toEqual({ fru: { 'Board Mfg': 'ACME', 'Product Serial': 'S-1' } })
  })

  it('that are a refusal have the BMC’s own words, and no password', async () => {
    const bmc = fakeBmc()
    await expect(bmc.run('read_lan', { channel: 2 })).rejects.toMatchObject({
      code: 'DEVICE_UNSUPPORTED',
      message: expect.stringMatching(/^BMC bmc-\w+: it cannot do that \(Invalid command: lan print 2\)$/),
    })
  })
})

describe('fields', () => {
  it.each([
    [{ ...fields, ipmi_ip_address: '-H' }, 'host name'],
    [{ ...fields, ipmi_username: '-Uroot' }, 'not begin with -'],
    [{ ...fields, ipmi_sol_port: 'ttyS9' }, 'ttyS9'],
    [{ ...fields, ipmi_quirks: ['magic'] }, 'slow'],
    [{ ipmi_ip_address: '10.0.0.7' }, 'ipmi_password'],
  ])('%j is refused', (given, message) => {
    expect(JSON.stringify(ipmi.fields.safeParse(given).error?.issues ?? '')).toContain(
      message.replace('ttyS9', 'ttyS0'),
    )
  })
})
