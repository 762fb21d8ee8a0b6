import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { createHandlerContext } from '@contractor/plugin/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openRig } from '../../../../test/rig.ts'
import type { Connection } from '../src/connection.ts'
import { handlers } from '../src/handlers/index.ts'
import { ipmi } from '../src/ipmi.ts'
import { type SimulatedBmc, startBmc } from './simulated-bmc.ts'

const missing = ['ipmitool', 'ipmi_sim'].some(one => spawnSync(one, ['-V']).error !== undefined)
const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'
const resources = [join(import.meta.dirname, '../resources.toml')]

describe.skipIf(missing && !required)('IPMI (needs ipmitool and ipmi_sim, of packages ipmitool and openipmi)', () => {
  let bmc: SimulatedBmc
  beforeAll(async () => {
    bmc = await startBmc()
  })
  afterAll(() => bmc.stop())
  beforeEach(() => {
    bmc.fault = 'none'
    bmc.setOn(false)
  })
  const connection = (more: Partial<Connection> = {}) => ({
    ...{ host: '127.0.0.1', port: bmc.port, username: bmc.user, password: bmc.password, cipher: null, quirks: [] },
    ...more,
  })
  const run = (task: string, more: object = {}, signal = new AbortController().signal) =>
    handlers.run(task, { ...connection(), ...more }, createHandlerContext({ signal }))

  it('reads and changes power, and sends nothing for what is so already', async () => {
    expect(await run('power_state')).toEqual({ state: 'off' })
    expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
    expect(bmc.isOn()).toBe(true)
    const before = bmc.told().length
    expect(await run('set_power', { action: 'on' })).toEqual({ state: 'on', sent: false })
    expect(bmc.told()).toHaveLength(before)
    expect(await run('set_power', { action: 'soft' })).toEqual({ state: 'on', sent: true })
    expect(bmc.isOn()).toBe(false)
    expect(await run('set_power', { action: 'off' })).toEqual({ state: 'off', sent: false })
  })

  it('sets the boot device and reads it back', async () => {
    expect(await run('set_boot_device', { device: 'pxe', persistent: false, uefi: null })).toMatchObject({
      device: 'pxe',
    })
    expect(await run('read_boot_device')).toMatchObject({ device: 'pxe' })
    expect(await run('set_boot_device', { device: 'disk', persistent: true, uefi: true })).toEqual({
      ...{ device: 'disk', persistent: true, uefi: true },
    })
  })

  it('reads and empties the event log, reads the address, and lights the identify light', async () => {
    const sel = await run('read_sel', { newest: 10 })
    expect(sel).toMatchObject({
      total: 1,
      all: null,
      entries: [{ id: '1', sensor: expect.stringContaining('Temperature') }],
    })
    expect(await run('clear_sel')).toEqual({ cleared: 1 })
    expect(await run('clear_sel')).toEqual({ cleared: 0 })
    expect(await run('read_lan', { channel: 1 })).toMatchObject({ address: '0.0.0.0', source: 'other', vlan: null })
    await run('identify', { seconds: 5 })
    expect(bmc.told().at(-1)).toBe('set identify 5 0')
    expect(await run('read_sensors')).toEqual({ sensors: [] })
    expect(await run('link_test', { count: 3, delayMs: 1 })).toEqual({ score: 1, last: '' })
  })

  it('sets a password, which nobody sees, and knows it when it was set before', async () => {
    const renew = { user: bmc.user, new_password: 'neu-34', channel: 1 }
    await run('set_password', renew)
    await expect(run('power_state')).rejects.toMatchObject({ code: 'DEVICE_UNAUTHENTICATED' })
    // Its answer was lost: the old password opens nothing any more.
    await run('set_password', renew)
    await run('set_password', { password: 'neu-34', user: bmc.user, new_password: bmc.password, channel: 1 })
    expect(await run('power_state')).toEqual({ state: 'off' })
    await expect(run('set_password', { ...renew, user: 'nobody' })).rejects.toThrow("it has no user 'nobody'")
    await expect(run('set_password', { ...renew, new_password: 'two words' })).rejects.toThrow('without spaces')
  })

  it.each([
    ['a wrong password', { password: 'falsch' }, 'DEVICE_UNAUTHENTICATED', false],
    ['a wrong user', { username: 'nobody' }, 'DEVICE_UNAUTHENTICATED', false],
    ['a cipher suite that it does not know', { cipher: 17 }, 'DEVICE_UNSUPPORTED', false],
    ['a host that there is not', { host: 'nobody.invalid' }, 'DEVICE_UNREACHABLE', true],
  ])('says what is wrong with %s', async (_, more, code, retryable) => {
    const refused = expect(run('power_state', more)).rejects
    await refused.toMatchObject({ code, retryable, message: expect.not.stringMatching(/geheim|falsch/) })
  })

  it('says so of a BMC that is silent, and leaves it alone then; the test of the way to it does not', {
    timeout: 150_000,
  }, async () => {
    const other = await startBmc()
    onTestFinished(() => other.stop())
    other.fault = 'silent'
    const silent = { port: other.port }
    for (let at = 0; at < 3; at++)
      await expect(run('power_state', silent)).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE', retryable: true })
    await expect(run('power_state', silent)).rejects.toThrow('has not answered 3 times in a row')
    other.fault = 'none'
    expect(await run('link_test', { ...silent, count: 3, delayMs: 1 })).toEqual({ score: 1, last: '' })
  })

  it('goes through server and agent from create to destroy, over a BMC that is silent for a while, and shows no password', async () => {
    const own = await startBmc()
    onTestFinished(() => own.stop())
    const rig = await openRig({ plugins: [ipmi], handlers: [handlers], resources })
    const { contractor } = rig
    const fields = {
      ipmi_ip_address: '127.0.0.1',
      ipmi_port: own.port,
      ipmi_username: 'admin',
      ipmi_password: own.password,
    }
    await contractor.foundations.create({ locator: 'm1', type: 'IPMI', site: 'lab', blueprint: 'ipmi-base', fields })
    await contractor.foundations.setLocated('m1')
    own.setOn(true)
    await rig.finish(contractor.foundations.doCreate('m1'))
    expect(own.isOn()).toBe(false)
    expect(await contractor.foundations.config('m1')).toMatchObject({ ipmi_ip_address: '127.0.0.1', _console: 'ttyS1' })
    own.fault = 'silent'
    const job = await contractor.foundations.doJob('m1', 'power_on')
    const finished = rig.finish(Promise.resolve(job))
    await vi.waitFor(() => expect(own.lost).toBeGreaterThan(2), { timeout: 30_000 })
    own.fault = 'none'
    await finished
    expect(own.isOn()).toBe(true)
    expect((await contractor.foundations.read('m1')) as object).toMatchObject({
      exists: true,
      details: { power: 'on' },
    })
    const renewed = await rig.run('m1', "foundation.set_password( new_password='neu-56' )")
    await rig.finish(Promise.resolve(renewed))
    await rig.finish(contractor.foundations.doDestroy('m1'))
    expect(own.isOn()).toBe(false)
    const seen = JSON.stringify([
      await contractor.foundations.get('m1'),
      ...(await contractor.jobs.list({})).items,
      rig.lines,
    ])
    expect(seen).not.toMatch(/geheim-12|neu-56/)
  }, 180_000)
})
