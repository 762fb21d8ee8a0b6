import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uuidOf } from '@contractor/driver/uuid'
import { createHandlerContext, pluginLaws } from '@contractor/plugin/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openRig } from '../../../../test/rig.ts'
import { handlers } from '../src/handlers/index.ts'
import { parseInfo } from '../src/handlers/machine-info.ts'
import { machineSpec } from '../src/machine-spec.ts'
import { quirks } from '../src/quirks.ts'
import { virtualbox } from '../src/virtualbox.ts'

const uuid = '8f1c6f4e-0000-4000-8000-000000000001'
const seen = { state: 'off', id: uuid, details: { status: 'poweroff' } }
const eth0 = { name: 'eth0', physical_location: 'eth0', network: 'vboxnet0', mac: null }

describe('the laws of plugins', () => {
  const args = [{ snapshot: 'before' }]
  const laws = pluginLaws(virtualbox, handlers, {
    fields: { virtualbox_uuid: uuid },
    complexFields: {},
    config: { _foundation_interface_list: [eth0], memory_size: '2048' },
    args: {
      create: [{ vm_spec: { cpu_count: 2 } }],
      set_interface_macs: [{ interface_map: { eth0: '080027000001' } }],
      snapshot_create: args,
      snapshot_restore: args,
      snapshot_delete: args,
      insert_iso: [{ iso: '/isos/debian.iso' }, { iso: null }],
    },
    replies: {
      create: [{ id: uuid, interface_map: { eth0: '08:00:27:00:00:01' } }],
      destroy: [{ destroyed: true }],
      look: [seen, { ...seen, state: 'gone', id: null }],
      interfaces: [{ interface_list: ['08:00:27:00:00:01'] }, { interface_list: [] }],
      set_power: [
        { state: 'on', sent: true },
        { state: 'off', sent: false },
        { state: 'on', sent: false },
      ],
      power_state: [{ state: 'on' }, { state: 'off' }],
      snapshot_create: [{ created: true }],
      snapshot_list: [{ snapshots: [{ name: 'before', details: {} }] }],
      snapshot_restore: [{}],
      snapshot_delete: [{ deleted: true }],
      set_iso: [{ changed: true }],
      list: [
        {
          machines: [
            { name: 'web01', id: uuid },
            { name: 'My machine', id: uuid },
          ],
        },
      ],
    },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('what a machine is to be', () => {
  it('is read in the forms that templates and files from elsewhere give', () => {
    expect(
      machineSpec.parse({ cpu_count: '2', virtualbox_network_adapter_type: 'I82540EM', boot_order: ['net', 'hdd'] }),
    ).toMatchObject({
      ...{ cpu_count: 2, memory_size: 1024, disk_size: 10, virtualbox_guest_type: 'Other' },
      ...{ virtualbox_network_adapter_type: '82540EM', boot_order: ['net', 'disk'] },
    })
  })

  it.each([
    [{ cpu_count: 65 }],
    [{ memory_size: 511 }],
    [{ memory_size: 'much' }],
    [{ virtualbox_guest_type: '--register' }],
    [{ virtualbox_network_adapter_type: 'fast' }],
    [{ disk_list: [{ name: '../x', size: 1 }] }],
    [{ iso: 'relative.iso' }],
    [{ boot_order: ['net', 'net', 'net', 'net', 'net'] }],
  ])('%j is refused', given => {
    expect(machineSpec.safeParse(given).success).toBe(false)
  })
})

it('what VirtualBox says is read with its quotes', () => {
  const info = parseInfo('name="my \\"box\\""\r\nmemory=512\n"SATA-0-0"="/a=b.vdi"\n\nnonsense\n')
  expect([...info]).toEqual([
    ['name', 'my "box"'],
    ['memory', '512'],
    ['SATA-0-0', '/a=b.vdi'],
  ])
})

describe('by a VBoxManage that is as strict as the real one', () => {
  let folder = ''
  const path = process.env.PATH
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vbox-'))
    const program = join(import.meta.dirname, 'fake-vboxmanage.mjs')
    chmodSync(program, 0o755)
    symlinkSync(program, join(folder, 'VBoxManage'))
    vi.stubEnv('PATH', `${folder}:${path}`)
    vi.stubEnv('FAKE_VBOX', folder)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true, force: true })
  })

  const fault = (faults: object) => writeFileSync(join(folder, 'faults.json'), JSON.stringify(faults))
  const told = () => readFileSync(join(folder, 'log'), 'utf8').trim().split('\n')
  interface Kept {
    machines: Record<string, { state: string; attached: Record<string, string>; nics: object[]; boot: string[] }>
  }
  const kept = (): Kept => JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'))
  const machine = (id = uuidOf('call-1')) => {
    const found = kept().machines[id]
    if (!found) throw new Error('There is no such machine')
    return found
  }
  const target = { host: 'vbox1', folder: null, name: 'web01', id: null }
  const spec = { cpu_count: 2, memory_size: 1024, disk_size: 20 }
  const run = (task: string, more: object = {}, signal = new AbortController().signal) =>
    handlers.run(task, { ...target, ...more }, createHandlerContext({ signal }))
  const create = (more: object = {}) => run('create', { spec, interface_list: [eth0], callId: 'call-1', ...more })

  it('makes a machine with what it is to have, and tells its MACs', async () => {
    const made = await create({
      spec: {
        ...spec,
        boot_order: ['net', 'hdd'],
        disk_list: [
          { name: 'sda', size: 5 },
          { name: 'sdb', size: 7 },
        ],
      },
      interface_list: [eth0, { ...eth0, name: 'eth1', physical_location: null, mac: '02:00:00:00:00:07' }],
    })
    expect(made).toEqual({
      id: uuidOf('call-1'),
      interface_map: { eth0: expect.stringMatching(/^08:00:27(:[0-9a-f]{2}){3}$/), eth1: '02:00:00:00:00:07' },
    })
    expect(machine()).toMatchObject({
      ...{ cpus: 2, memory: 1024, boot: ['net', 'disk', 'none', 'none'], groups: '/contractor', state: 'poweroff' },
      nics: [{ kind: 'hostonly', network: 'vboxnet0' }, { kind: 'hostonly' }, { kind: 'none' }, {}, {}, {}, {}, {}],
      attached: {
        0: expect.stringMatching(/VMs\/contractor\/web01\/sda\.vdi$/),
        1: expect.stringMatching(/sdb\.vdi$/),
        29: 'emptydrive',
      },
    })
    expect(readFileSync(machine().attached[1] as string, 'utf8')).toBe(String(7 * 1024))
    expect(await run('interfaces')).toEqual({ interface_list: [expect.any(String), '02:00:00:00:00:07'] })
  })

  it('switches it, looks at it and removes it, each as often as it is asked', async () => {
    expect(await run('look')).toEqual({ state: 'gone', id: null, details: {} })
    await create()
    expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
    expect(await run('set_power', { action: 'on' })).toEqual({ state: 'on', sent: false })
    expect(await run('power_state')).toEqual({ state: 'on' })
    expect(await run('set_power', { action: 'reset' })).toEqual({ state: 'on', sent: true })
    expect(await run('set_power', { action: 'soft' })).toEqual({ state: 'on', sent: true })
    expect(await run('set_power', { action: 'off' })).toEqual({ state: 'off', sent: false })
    await run('set_power', { action: 'on' })
    expect(await run('look')).toEqual({
      ...{ state: 'on', id: uuidOf('call-1') },
      details: { status: 'running', name: 'web01', cpu_count: 2, memory_size: 1024 },
    })
    expect(await run('list')).toEqual({ machines: [{ name: 'web01', id: uuidOf('call-1') }] })
    expect(await run('destroy', { callId: null })).toEqual({ destroyed: true })
    expect(await run('destroy', { callId: null })).toEqual({ destroyed: false })
    expect(readdirSync(join(folder, 'VMs/contractor'))).toEqual([])
  })

  it('takes snapshots, goes back to them, and removes them', async () => {
    await create()
    expect(await run('snapshot_list')).toEqual({ snapshots: [] })
    await run('snapshot_create', { snapshot: 'first' })
    await run('snapshot_create', { snapshot: 'second' })
    expect(await run('snapshot_list')).toMatchObject({ snapshots: [{ name: 'first' }, { name: 'second' }] })
    await run('snapshot_restore', { snapshot: 'first' })
    await expect(run('snapshot_restore', { snapshot: 'third' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await run('set_power', { action: 'on' })
    await expect(run('snapshot_restore', { snapshot: 'first' })).rejects.toThrow('switch it off before it goes back')
    expect(await run('snapshot_delete', { snapshot: 'first' })).toEqual({ deleted: true })
    expect(await run('snapshot_delete', { snapshot: 'first' })).toEqual({ deleted: false })
  })

  it('puts an ISO into its drive, and takes it out', async () => {
    const iso = join(folder, 'debian.iso')
    writeFileSync(iso, 'iso')
    await create({ spec: { ...spec, iso } })
    expect(machine().attached[29]).toBe(iso)
    expect(await run('set_iso', { iso })).toEqual({ changed: false })
    expect(await run('set_iso', { iso: null })).toEqual({ changed: true })
    await expect(run('set_iso', { iso: '/nowhere.iso' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
    async 'locked-after-power-off'() {
      await create()
      await run('set_power', { action: 'on' })
      fault({ keepsLock: 2 })
      await expect(run('destroy', { callId: null })).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
      await expect(run('destroy', { callId: null })).rejects.toMatchObject({ code: 'DEVICE_BUSY' })
      expect(await run('destroy', { callId: null })).toEqual({ destroyed: true })
      const { destroy, set_power } = virtualbox.tasks
      expect(destroy.retry?.attempts).toBeGreaterThan(5)
      const key = { ...target, callId: null }
      expect(destroy.limitOf(key)).toEqual(set_power.limitOf({ ...target, action: 'on' }))
    },
    async 'started-by-somebody-else'() {
      await create()
      fault({ startedByOther: true })
      expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
    },
    async 'files-outlive-the-machine'() {
      fault({ killedBeforeRegister: true })
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_REFUSED' })
      fault({})
      await expect(create({ callId: 'call-2' })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
        message: expect.stringContaining('web01.vbox is of a machine that is not registered'),
      })
      expect(await create()).toMatchObject({ id: uuidOf('call-1') })
      expect(told().some(line => line.startsWith('registervm '))).toBe(true)
    },
    async 'half-made'() {
      // What is killed has said nothing: the agent with it, so that nothing is removed.
      const killed = async (faults: object) => {
        fault(faults)
        const abort = new AbortController()
        const refused = expect(
          run('create', { spec, interface_list: [eth0], callId: 'call-1' }, abort.signal),
        ).rejects.toThrow()
        await refused
      }
      fault({ hangs: true })
      const abort = new AbortController()
      const lost = expect(
        run('create', { spec, interface_list: [eth0], callId: 'call-1' }, abort.signal),
      ).rejects.toThrow('claim lost')
      await vi.waitFor(() => expect(existsSync(join(folder, 'log'))).toBe(true))
      abort.abort(new Error('claim lost'))
      await lost
      await killed({ killedInModify: true })
      await killed({ killedInDisk: true })
      fault({})
      expect(await create()).toMatchObject({ id: uuidOf('call-1') })
      expect(machine().attached[0]).toMatch(/sda\.vdi$/)
      expect(Object.keys(kept().machines)).toHaveLength(1)
    },
    async 'saved-is-off'() {
      await create()
      await run('set_power', { action: 'on' })
      spawnSync(join(folder, 'VBoxManage'), ['controlvm', 'web01', 'savestate'])
      expect(machine().state).toBe('saved')
      expect(await run('power_state')).toEqual({ state: 'off' })
      expect(await run('set_power', { action: 'off' })).toEqual({ state: 'off', sent: false })
      expect(await run('destroy', { callId: null })).toEqual({ destroyed: true })
    },
    async 'names-are-not-unique'() {
      await create()
      expect(await run('snapshot_create', { snapshot: 'before' })).toEqual({ created: true })
      expect(await run('snapshot_create', { snapshot: 'before' })).toEqual({ created: false })
    },
    async 'unknown-network'() {
      await create({ interface_list: [{ ...eth0, network: 'vboxnet9' }] })
      await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({
        code: 'DEVICE_REFUSED',
        message: expect.stringContaining("Nonexistent host networking interface, name 'vboxnet9'"),
      })
    },
  }
  describe('with what surprises', () => {
    it.each(quirks)('$name: $does', ({ name }) => laws[name]())
  })

  it('removes what has failed for good, and leaves nothing', async () => {
    fault({ diskFull: true })
    await expect(create()).rejects.toMatchObject({ code: 'DEVICE_FULL', retryable: false })
    expect(kept().machines).toEqual({})
    expect(readdirSync(join(folder, 'VMs/contractor'))).toEqual([])
  })

  it('takes back what a call has made, and only that', async () => {
    await create()
    expect(await run('destroy', { callId: 'call-2' })).toEqual({ destroyed: false })
    expect(await run('destroy', { callId: 'call-1' })).toEqual({ destroyed: true })
  })

  it('leaves a machine alone that somebody else has made', async () => {
    spawnSync(join(folder, 'VBoxManage'), ['createvm', '--name', 'web01', '--register'])
    await expect(create()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect(await run('look')).toMatchObject({ state: 'gone' })
    expect(await run('destroy', { callId: null })).toEqual({ destroyed: false })
    await expect(run('power_state')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(Object.keys(kept().machines)).toHaveLength(1)
    // Taken in, it is ours by its UUID.
    const [id] = Object.keys(kept().machines)
    expect(await run('power_state', { id })).toEqual({ state: 'off' })
  })

  it.each([
    [{ noVirtualization: true }, 'set_power', { action: 'on' }, 'DEVICE_UNSUPPORTED', false],
    [{ noService: true }, 'power_state', {}, 'DEVICE_UNREACHABLE', true],
    [{ cutsShort: true }, 'power_state', {}, 'DEVICE_ANSWER_INVALID', true],
  ])('with %j, %s is a failure of its kind', async (faults, task, more, code, retryable) => {
    await create()
    fault(faults)
    await expect(run(task, more)).rejects.toMatchObject({ code, retryable })
  })

  it.each([
    [
      'a guest type that there is not',
      { spec: { ...spec, virtualbox_guest_type: 'Amiga' } },
      'DEVICE_REFUSED',
      "'Amiga' is invalid",
    ],
    ['an ISO that there is not', { spec: { ...spec, iso: '/nowhere.iso' } }, 'NOT_FOUND', '/nowhere.iso'],
    ['nine ports', { interface_list: Array.from({ length: 9 }, () => eth0) }, 'DEVICE_UNSUPPORTED', 'eight'],
  ])('says what is wrong with %s, and makes nothing', async (_, more, code, message) => {
    await expect(create(more)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect(existsSync(join(folder, 'state.json')) ? kept().machines : {}).toEqual({})
  })

  it('says so where there is no VirtualBox', async () => {
    vi.stubEnv('PATH', '/nowhere')
    await expect(run('power_state')).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      message: expect.stringContaining('install VirtualBox there'),
    })
  })

  it('goes through server and agent from create to destroy', { timeout: 90_000 }, async () => {
    const rig = await openRig({
      plugins: [virtualbox],
      handlers: [handlers],
      resources: [join(import.meta.dirname, '../resources.toml')],
    })
    const { contractor } = rig
    await contractor.complexes.create({ name: 'vbox1', site: 'lab', type: 'VirtualBox' })
    await contractor.networks.create({ name: 'vboxnet0', site: 'lab' })
    const own = { type: 'VirtualBox', site: 'lab', blueprint: 'virtualbox-vm-base', complex: 'vbox1' } as const
    await contractor.foundations.create({ ...own, locator: 'web01' })
    await contractor.interfaces.create({ kind: 'real', foundation: 'web01', name: 'eth0', network: 'vboxnet0' })
    await contractor.blueprints.put({
      ...{ kind: 'structure', name: 'web', foundationBlueprints: ['virtualbox-vm-base'] },
      configValues: { cpu_count: 2, memory_size: 2048, virtualbox_guest_type: 'Debian_64' },
    })
    await contractor.structures.create({ hostname: 'web01', site: 'lab', blueprint: 'web', foundation: 'web01' })
    await rig.finish(contractor.foundations.doCreate('web01'))
    const { fields } = await contractor.foundations.get('web01')
    expect(machine(String(fields.virtualbox_uuid))).toMatchObject({ memory: 2048, osType: 'Debian_64' })
    const { items } = await contractor.interfaces.list({ foundation: 'web01' })
    expect(items).toMatchObject([{ name: 'eth0', mac: expect.stringMatching(/^08:00:27/) }])
    expect(await contractor.foundations.config('web01')).toMatchObject({ _virtualbox_complex: 'vbox1' })
    fault({ noAcpi: true, keepsLock: 1 })
    await rig.finish(contractor.foundations.doJob('web01', 'power_on'))
    expect(await contractor.foundations.read('web01')).toMatchObject({ exists: true, details: { power: 'on' } })
    await rig.finish(contractor.foundations.doDestroy('web01'))
    expect(kept().machines).toEqual({})
    expect(await contractor.foundations.read('web01')).toMatchObject({ exists: false })
    await contractor.foundations.create({ ...own, locator: '1web' })
    await contractor.structures.create({ hostname: 'web02', site: 'lab', blueprint: 'web', foundation: '1web' })
    expect(await rig.standing(contractor.foundations.doCreate('1web'))).toContain(
      "The locator '1web' cannot be the name",
    )
  })
})
