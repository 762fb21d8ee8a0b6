import { join } from 'node:path'
import { createHandlerContext, pluginLaws } from '@contractor/plugin/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { openRig } from '../../../../test/rig.ts'
import { proxmoxComplex } from '../src/connection.ts'
import { handlers } from '../src/handlers/index.ts'
import { proxmox } from '../src/proxmox.ts'
import { quirks } from '../src/quirks.ts'
import { tasks } from '../src/tasks.ts'
import { vmSpec } from '../src/vm-spec.ts'
import { type FakeProxmox, startProxmox } from './fake-proxmox.ts'

const eth0 = { name: 'eth0', physical_location: 'eth0', mac: null, network: 'vmbr0' }
const seen = {
  ...{ state: 'on', id: 105, node: 'pve1', status: 'running', lock: null, cpu_count: 1, memory_size: 1024 },
  ...{ macs: ['BC:24:11:00:00:01'], address_map: { eth0: ['10.0.0.5'] }, call: 'call-1', isWhole: true },
}
const gone = { ...seen, state: 'gone', id: null, node: null, call: null, isWhole: false, macs: [] }
const vm_spec = { cpu_count: 2, memory_size: 2048, disk_size: 20 }

describe('the laws of plugins', () => {
  const laws = pluginLaws(proxmox, handlers, {
    complexFields: { proxmox_host: '10.0.0.9', proxmox_password: 'geheim' },
    config: { ...vm_spec, proxmox_ostype: 'l26', _foundation_interface_list: [{ ...eth0, kind: 'real' }] },
    args: {
      create: [{ vm_spec }, { vm_spec: { ...vm_spec, template: 9000, boot_order: 'net0;scsi0' } }],
      set_interface_macs: [{ interface_map: { eth0: '00:11:22:33:44:55' } }],
      create_snapshot: [{ name: 'before' }],
      rollback_snapshot: [{ name: 'before', start: true }],
      delete_snapshot: [{ name: 'before' }],
    },
    replies: {
      set_power: [
        { state: 'on', sent: true },
        { state: 'off', sent: false },
        { state: 'on', sent: false },
      ],
      power_state: [{ state: 'on' }, { state: 'off' }],
      create: [{ id: 105, node: 'pve1', macs: ['BC:24:11:00:00:01'], places: ['eth0'] }],
      destroy: [{ destroyed: true }],
      state: [seen, gone],
      interfaces: [{ interface_list: ['BC:24:11:00:00:01'] }, { interface_list: [] }],
      create_snapshot: [{ snapshot: 'before' }],
      list_snapshots: [{ snapshots: [{ name: 'before', description: '', at: 1, parent: null, memory: false }] }],
      rollback_snapshot: [{}],
      delete_snapshot: [{ deleted: true }],
      list: [
        {
          machines: [
            { id: 105, name: 'web', node: 'pve1', status: 'running' },
            { id: 106, name: 'a.b', node: 'pve1', status: 'stopped' },
          ],
        },
      ],
      list_nodes: [{ nodes: ['pve1'] }],
    },
    abortable: {
      state: {
        ...{ host: 'nobody.invalid', port: 8006, fingerprint: null, username: 'root@pam', password: 'x' },
        ...{ token_id: null, token_secret: null, name: 'web', id: null },
      },
    },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('what a machine is to be', () => {
  it('is read in the forms that people and templates write', () => {
    const spec = { cpu_count: '2', memory_size: '2048', boot_order: 'order=scsi0;net0', template: 9000 }
    expect(vmSpec.parse(spec)).toMatchObject({
      ...{ cpu_count: 2, memory_size: 2048, disk_size: 10, boot_order: ['scsi0', 'net0'], template: '9000' },
    })
  })

  it.each([
    [{ cpu_count: 65 }, '64'],
    [{ memory_size: 256 }, '512'],
    [{ disk_size: 1 }, '2'],
    [{ disk_size: 20_000 }, '10240'],
    [{ iso: 'debian.iso' }, 'STORAGE:iso/FILE'],
    [{ ostype: 'l26,evil=1' }, 'without spaces and commas'],
    [{ boot_order: ['floppy'] }, 'must be devices'],
    [{ node: 'a/b' }, 'name of a node'],
  ])('%j is refused', (given, message) => {
    const { success, error } = vmSpec.safeParse({ cpu_count: 1, memory_size: 1024, ...given })
    expect(success).toBe(false)
    expect(JSON.stringify(error?.issues)).toContain(message)
  })

  it.each([
    [{ proxmox_host: '-x' }],
    [{ proxmox_username: 'root' }],
    [{ proxmox_token_id: 'a b' }],
    [{ proxmox_fingerprint: 'ab' }],
  ])('a Complex with %j is refused', given => {
    expect(proxmoxComplex.fields.safeParse({ proxmox_host: 'pve.lab' }).success).toBe(true)
    expect(proxmoxComplex.fields.safeParse({ proxmox_host: 'pve.lab', ...given }).success).toBe(false)
  })
})

describe('a cluster of Proxmox VE', () => {
  let pve: FakeProxmox
  beforeAll(async () => {
    pve = await startProxmox()
  })
  afterAll(() => pve.stop())
  beforeEach(() => {
    pve.quirks.clear()
    pve.vms.clear()
    pve.told.length = pve.faults.length = pve.ends.length = pve.logins = 0
    for (const name of ['pve1', 'pve2']) Object.assign(pve.nodes.get(name) ?? {}, { status: 'online' })
  })
  const login = () => ({
    ...{ host: '127.0.0.1', port: pve.port, fingerprint: pve.fingerprint, username: pve.username },
    ...{ password: pve.password, token_id: null, token_secret: null },
  })
  const token = () => ({ password: null, token_id: 'contractor', token_secret: pve.token })
  const run = <Result = unknown>(task: string, more: object = {}, context = {}) =>
    handlers.run(task, { ...login(), name: 'web', id: null, ...more }, createHandlerContext(context)) as Promise<Result>
  const create = ({ spec = {}, ...more }: { spec?: object; [name: string]: unknown } = {}, context = {}) =>
    run<{ id: number; node: string; macs: string[] }>(
      'create',
      {
        ...{ callId: 'call-1', interfaces: [eth0], defaults: { node: null, storage: 'local-lvm' } },
        ...{ spec: { ...vm_spec, ...spec }, ...more },
      },
      context,
    )
  const vm = (id = 100) => {
    const found = pve.vms.get(id)
    if (!found) throw new Error(`There is no machine ${id}`)
    return found
  }
  const template = () =>
    pve.add(9000, {
      config: {
        name: 'debian',
        template: 1,
        boot: 'order=scsi0',
        scsi0: 'local-lvm:base-9000-disk-0,size=4G',
        net0: 'virtio=BC:24:11:AA:AA:AA,bridge=vmbr9',
        net1: 'virtio=BC:24:11:AA:AA:AB,bridge=vmbr9',
      },
    })
  const toldPaths = () => pve.told.map(({ what }) => what)

  it('makes a machine where most memory is free, switches it, tells of it, and removes it', async () => {
    const made = await create({
      interfaces: [
        eth0,
        { ...eth0, name: 'eth1', physical_location: 'eth1', mac: '02:00:00:00:00:07', network: 'vmbr1' },
      ],
    })
    expect(made).toMatchObject({
      id: 100,
      node: 'pve2',
      places: ['eth0', 'eth1'],
      macs: [expect.stringMatching(/^BC:24:11/), '02:00:00:00:00:07'],
    })
    expect(vm().config).toMatchObject({
      ...{ name: 'web', cores: '2', sockets: '1', memory: '2048', ostype: 'l26', boot: 'order=net0;scsi0' },
      ...{ scsi0: 'local-lvm:vm-100-disk-0,size=20G', net1: 'virtio=02:00:00:00:00:07,bridge=vmbr1' },
    })
    expect(await run('interfaces', { id: 100 })).toEqual({ interface_list: made.macs })
    expect(await run('power_state', { id: 100 })).toEqual({ state: 'off' })
    expect(await run('set_power', { id: 100, action: 'off' })).toEqual({ state: 'off', sent: false })
    expect(await run('set_power', { id: 100, action: 'on' })).toEqual({ state: 'off', sent: true })
    expect(await run('set_power', { id: 100, action: 'reset' })).toEqual({ state: 'on', sent: true })
    expect(await run('state')).toMatchObject({
      state: 'on',
      id: 100,
      node: 'pve2',
      address_map: { eth0: ['10.0.0.5'] },
      call: 'call-1',
      cpu_count: 2,
      memory_size: 2048,
    })
    expect(await run('set_power', { id: 100, action: 'soft' })).toEqual({ state: 'on', sent: true })
    expect(await run('power_state', { id: 100 })).toEqual({ state: 'off' })
    vm().status = 'running'
    expect(await run('destroy', { id: 100 })).toEqual({ destroyed: true })
    expect(pve.told.at(-1)).toEqual({
      what: 'DELETE /nodes/pve2/qemu/100',
      form: { purge: '1', 'destroy-unreferenced-disks': '1' },
    })
    expect(await run('destroy', { id: 100 })).toEqual({ destroyed: false })
    expect(await run('state', { id: 100 })).toMatchObject({ state: 'gone', id: null })
  })

  it('does all that by a token as well, and never sends a ticket then', async () => {
    expect(await create(token())).toMatchObject({ id: 100 })
    expect(await run('power_state', { ...token(), token_id: 'root@pam!contractor', id: 100 })).toEqual({ state: 'off' })
    expect(pve.logins).toBe(0)
  })

  it('makes a clone of a template what it is to be', async () => {
    template()
    const { id, node, macs } = await create({
      spec: { template: 'debian', cloud_init: true, user: 'ops', password: 'sehr-geheim', disk_size: 30 },
      interfaces: [
        { ...eth0, address_list: [{ address: '10.0.0.5', prefix: 24, gateway: '10.0.0.1', primary: true }] },
      ],
    })
    expect({ id, node }).toEqual({ id: 100, node: 'pve1' })
    expect(vm().config).toMatchObject({
      ...{
        name: 'web',
        cores: '2',
        memory: '2048',
        scsi0: 'local-lvm:base-9000-disk-0,size=30G',
        ide0: 'local-lvm:cloudinit',
      },
      ...{
        ipconfig0: 'ip=10.0.0.5/24,gw=10.0.0.1',
        ciuser: 'ops',
        cipassword: 'sehr-geheim',
        net0: 'virtio=BC:24:11:AA:AA:AA,bridge=vmbr0',
      },
    })
    expect(vm().config.net1).toBeUndefined()
    expect(macs).toEqual(['BC:24:11:AA:AA:AA'])
    expect(await create({ spec: { template: 9000, full_clone: false, node: 'pve2' }, name: 'two' })).toMatchObject({
      id: 101,
      node: 'pve2',
    })
    expect(pve.told.find(({ form }) => form.newid === '101')?.form).toMatchObject({ full: '0', target: 'pve2' })
  })

  it('makes one machine for one call, however often it is asked, and leaves others’ alone', async () => {
    const first = await create()
    expect(await create()).toEqual(first)
    expect(toldPaths()).toEqual(['POST /nodes/pve2/qemu', 'POST /nodes/pve2/qemu/100/config'])
    await expect(create({ callId: 'call-2' })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      message: expect.stringContaining('from another call. Destroy it first'),
    })
    pve.add(200, { config: { name: 'foreign' } })
    await expect(create({ name: 'foreign' })).rejects.toThrow(
      "machine 200 is named 'foreign', was not made by Contractor",
    )
    expect(await run('destroy', { name: 'foreign' })).toEqual({ destroyed: false })
    expect(pve.vms.has(200)).toBe(true)
  })

  it('takes in what it did not make, and lists what there is', async () => {
    pve.add(200, { config: { name: 'old' } })
    pve.add(201, { type: 'lxc', config: { name: 'box' } })
    template()
    expect(await run('list')).toEqual({ machines: [{ id: 200, name: 'old', node: 'pve1', status: 'stopped' }] })
    expect(await run('set_power', { name: 'old', id: 200, action: 'on' })).toEqual({ state: 'off', sent: true })
    expect(await run('destroy', { name: 'old', id: 200 })).toEqual({ destroyed: true })
  })

  it('chooses nodes by memory and cores', async () => {
    expect(await run('list_nodes', { min_memory: 0, min_cores: 0 })).toEqual({ nodes: ['pve2', 'pve1'] })
    expect(await run('list_nodes', { min_memory: 5000, min_cores: 0 })).toEqual({ nodes: ['pve2'] })
    expect(await run('list_nodes', { min_memory: 0, min_cores: 8 })).toEqual({ nodes: ['pve1'] })
    expect(await create({ spec: { node: 'pve1' } })).toMatchObject({ node: 'pve1' })
    expect(await create({ name: 'two', defaults: { node: 'pve1', storage: 'local-lvm' } })).toMatchObject({
      node: 'pve1',
    })
    await expect(create({ name: 'big', spec: { memory_size: 100_000 } })).rejects.toMatchObject({
      code: 'DEVICE_FULL',
      message: expect.stringContaining('100000 MiB of memory free'),
    })
  })

  it('takes snapshots, once a call, goes back to them, and removes them', async () => {
    await create()
    const take = (more = {}) =>
      run('create_snapshot', { snapshot: 'before', description: 'as new', memory: false, callId: 'call-7', ...more })
    await take()
    expect(await take()).toEqual({ snapshot: 'before' })
    await expect(take({ callId: 'call-8' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await take({ snapshot: 'after', callId: 'call-9' })
    expect(await run('list_snapshots')).toEqual({
      snapshots: [
        { name: 'before', description: 'as new', at: 1_700_000_000, parent: '', memory: false },
        { name: 'after', description: 'as new', at: 1_700_000_001, parent: 'before', memory: false },
      ],
    })
    vm().config.memory = '4096'
    await run('rollback_snapshot', { snapshot: 'before', start: true })
    expect(vm()).toMatchObject({ status: 'running', config: { memory: '2048' } })
    await expect(run('rollback_snapshot', { snapshot: 'never', start: false })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining("'never' does not exist"),
    })
    expect(await run('delete_snapshot', { snapshot: 'before' })).toEqual({ deleted: true })
    expect(await run('delete_snapshot', { snapshot: 'before' })).toEqual({ deleted: false })
  })

  const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
    async 'task-fails-behind-200'() {
      await create()
      pve.ends.push('start failed: QEMU exited with code 1')
      await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({
        code: 'DEVICE_REFUSED',
        message: expect.stringMatching(
          /'start' of machine 100 has failed \(start failed: QEMU exited with code 1; .*detail of the log/,
        ),
      })
      pve.ends.push('command lvcreate failed: not enough free space')
      await expect(create({ name: 'two' })).rejects.toMatchObject({ code: 'DEVICE_FULL', retryable: false })
    },
    async 'warnings-are-success'() {
      pve.ends.push('WARNINGS: 2')
      expect(await create()).toMatchObject({ id: 100 })
    },
    async 'words-in-the-reason-phrase'() {
      await create()
      pve.faults.push({ status: 500, reason: 'got no worker upid - start worker failed', body: { data: null } })
      await expect(run('power_state')).rejects.toThrow('got no worker upid')
      await expect(create({ name: 'two', interfaces: [{ ...eth0, network: 'a b' }] })).rejects.toMatchObject({
        code: 'DEVICE_REFUSED',
        message: expect.stringMatching(/Parameter verification failed; net0: invalid format/),
      })
    },
    async 'id-not-reserved'() {
      pve.add(100, { config: { name: 'quick' } })
      pve.quirks.add('id-not-reserved')
      expect(await create()).toMatchObject({ id: 101 })
      expect(vm(100).config).toEqual({ name: 'quick' })
    },
    async 'id-given-to-another'() {
      pve.add(100, { status: 'running', config: { name: 'db7' } })
      await expect(run('set_power', { id: 100, action: 'off' })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringContaining("machine 100 is 'db7', and not its"),
      })
      expect(await run('destroy', { id: 100 })).toEqual({ destroyed: false })
      expect(await run('state', { id: 100 })).toMatchObject({ state: 'gone' })
      // Made by us, for another Foundation, though somebody has named it so.
      await create({ name: 'other' })
      vm(101).config.name = 'web'
      expect(await run('destroy', { id: 101 })).toEqual({ destroyed: false })
      expect([...pve.vms.keys()]).toEqual([100, 101])
    },
    async 'locked-by-a-backup'() {
      await create()
      vm().config.lock = 'backup'
      await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({
        code: 'DEVICE_BUSY',
        retryable: true,
        message: expect.stringContaining('VM is locked (backup)'),
      })
      expect(tasks.set_power.retry?.attempts).toBeGreaterThan(3)
      delete vm().config.lock
      expect(await run('set_power', { action: 'on' })).toMatchObject({ sent: true })
    },
    async 'lock-file-taken'() {
      await create()
      pve.quirks.add('lock-file-taken')
      await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
      const named = { ...login(), name: 'web', id: null }
      expect(tasks.set_power.limitOf({ ...named, action: 'on' })).toEqual(tasks.destroy.limitOf({ ...named, id: 100 }))
      expect(tasks.destroy.limitOf(named)).not.toEqual(tasks.destroy.limitOf({ ...named, name: 'two' }))
    },
    async 'nameless-while-it-is-made'() {
      const abort = new AbortController()
      const refused = expect(create({}, { signal: abort.signal })).rejects.toThrow(/claim lost|aborted/)
      await vi.waitFor(() => expect(pve.vms.has(100)).toBe(true))
      abort.abort(new Error('claim lost'))
      await refused
      expect(vm().config).toEqual({ lock: 'create' })
      expect(await run('state')).toMatchObject({ state: 'gone' })
      // Its task goes on by itself, and is waited for.
      expect(await create({}, { attempt: 2 })).toMatchObject({ id: 100 })
      expect(toldPaths()).toEqual(['POST /nodes/pve2/qemu', 'POST /nodes/pve2/qemu/100/config'])
    },
    async 'clone-is-the-templates-task'() {
      template()
      const spec = { template: 'debian' }
      const abort = new AbortController()
      const refused = expect(create({ spec }, { signal: abort.signal })).rejects.toThrow(/claim lost|aborted/)
      await vi.waitFor(() => expect(pve.vms.has(100)).toBe(true))
      abort.abort(new Error('claim lost'))
      await refused
      expect(vm().config).toEqual({ lock: 'clone' })
      expect(await create({ spec }, { attempt: 2 })).toMatchObject({ id: 100 })
      expect(toldPaths().map(what => what.replace(/.*\//, ''))).toEqual(['clone', 'resize', 'config'])
    },
    async 'locked-by-a-node-that-broke-down'() {
      pve.quirks.add('locked-by-a-node-that-broke-down')
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE', retryable: true })
      pve.quirks.clear()
      expect(await create({}, { attempt: 2 })).toMatchObject({ id: 101 })
      expect(vm(100).config).toEqual({ lock: 'create' })
    },
    async 'not-set-up'() {
      template()
      const spec = { template: 'debian' }
      const busy = "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"
      // The second task would have grown its disk.
      pve.ends.push('OK', busy)
      await expect(create({ spec })).rejects.toMatchObject({ code: 'DEVICE_BUSY' })
      expect(await run('state')).toMatchObject({ call: 'call-1', isWhole: false })
      expect(await create({ spec }, { attempt: 2 })).toMatchObject({ id: 100 })
      expect(vm().config).toMatchObject({ memory: '2048', scsi0: expect.stringContaining('size=20G') })
      expect(await run('state')).toMatchObject({ call: 'call-1', isWhole: true })
      expect(toldPaths().filter(what => what.endsWith('/clone'))).toHaveLength(1)
      pve.ends.push('OK', busy)
      await expect(create({ name: 'two' })).rejects.toMatchObject({ code: 'DEVICE_BUSY' })
      expect(await create({ name: 'two', callId: 'call-2' })).toMatchObject({ id: 101 })
      expect(toldPaths()).toContain('DELETE /nodes/pve2/qemu/101')
      expect(pve.vms.size).toBe(3)
      // A disk that is there is not made once more.
      pve.ends.push('OK', busy)
      await expect(create({ name: 'three' })).rejects.toMatchObject({ code: 'DEVICE_BUSY' })
      Object.assign(vm(102).config, { scsi0: 'local-lvm:vm-102-disk-0,size=20G' })
      await create({ name: 'three' }, { attempt: 2 })
      expect(pve.told.at(-1)?.form).not.toHaveProperty('scsi0')
    },
    async 'no-guest-agent'() {
      await create()
      vm().status = 'running'
      pve.quirks.add('no-guest-agent')
      expect(await run('state')).toMatchObject({ state: 'on', address_map: {} })
    },
    async 'ticket-expires'() {
      pve.quirks.add('ticket-expires')
      expect(await run('list')).toEqual({ machines: [] })
      expect(pve.logins).toBe(2)
    },
    async 'second-factor'() {
      pve.quirks.add('second-factor')
      await expect(run('list')).rejects.toMatchObject({
        code: 'DEVICE_UNSUPPORTED',
        message: expect.stringContaining('give its Complex an API token'),
      })
    },
    async 'node-does-not-answer'() {
      await create()
      Object.assign(pve.nodes.get('pve2') ?? {}, { status: 'offline' })
      for (let at = 0; at < 4; at++)
        await expect(run('power_state')).rejects.toMatchObject({
          code: 'DEVICE_UNREACHABLE',
          retryable: true,
          message: expect.stringContaining('No route to host'),
        })
      // It is that node alone: the others are spoken to still.
      expect(await run('list')).toMatchObject({ machines: [{ id: 100 }] })
    },
    async 'shutdown-without-acpi'() {
      await create()
      vm().status = 'running'
      pve.quirks.add('shutdown-without-acpi')
      expect(await run('set_power', { action: 'soft' })).toEqual({ state: 'on', sent: true })
      expect(Number(pve.told.at(-1)?.form.timeout)).toBeLessThan(60)
      // While it goes on, the machine is locked for everything else.
      await expect(run('set_power', { action: 'off' })).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
      pve.endTasks()
      // One that fails at once is seen by the state as well.
      pve.quirks.clear()
      pve.ends.push('VM quit/powerdown failed')
      expect(await run('set_power', { action: 'soft' })).toEqual({ state: 'on', sent: true })
      expect(await run('set_power', { action: 'off' })).toEqual({ state: 'on', sent: true })
      expect(vm().status).toBe('stopped')
    },
    async 'stop-only-asked-for'() {
      await create()
      vm().status = 'running'
      pve.quirks.add('stop-only-asked-for')
      expect(await run('destroy')).toEqual({ destroyed: true })
      expect(pve.vms.size).toBe(0)
    },
    async 'name-not-listed-yet'() {
      const first = await create()
      pve.quirks.add('name-not-listed-yet')
      expect(await create()).toEqual(first)
      expect(pve.vms.size).toBe(1)
    },
    async 'machine-moves'() {
      await create()
      pve.quirks.add('machine-moves')
      expect(await run('state', { id: 100 })).toMatchObject({ id: 100, node: 'pve1' })
    },
    async 'keys-encoded-twice'() {
      await create({ spec: { cloud_init: true, ssh_key_list: ['ssh-ed25519 AAAA+b/c= ops@lab'] } })
      expect(vm().config.sshkeys).toBe('ssh-ed25519%20AAAA%2Bb%2Fc%3D%20ops%40lab')
    },
    async 'disks-only-grow'() {
      template()
      const lines: string[] = []
      await create({ spec: { template: 'debian', disk_size: 2 } }, { log: (line: string) => void lines.push(line) })
      expect(vm().config.scsi0).toContain('size=4G')
      expect(lines).toEqual([expect.stringContaining('has 4 GiB, as in its template, and not 2')])
    },
  }
  describe('with what surprises', () => {
    it.each(quirks)('$name: $does', ({ name }) => laws[name]())
  })

  it.each([
    ['a wrong password', { password: 'falsch' }, 'DEVICE_UNAUTHENTICATED', false],
    ['no password and no token', { password: null }, 'DEVICE_UNAUTHENTICATED', false],
    ['a wrong token', { token_id: 'contractor', token_secret: 'falsch' }, 'DEVICE_UNAUTHENTICATED', false],
    ['another certificate', { fingerprint: '0'.repeat(64) }, 'DEVICE_UNTRUSTED', false],
    ['a certificate that nobody vouches for', { fingerprint: null }, 'DEVICE_UNTRUSTED', false],
    ['a host that there is not', { host: 'nobody.invalid' }, 'DEVICE_UNREACHABLE', true],
  ])('says what is wrong with %s', async (_, more, code, retryable) => {
    await expect(run('list', more)).rejects.toMatchObject({
      code,
      retryable,
      message: expect.not.stringMatching(/geheim|falsch/),
    })
  })

  it('says that nobody is at a port', async () => {
    await expect(run('list', { port: await freePort() })).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE' })
  })

  it.each([
    ['a template', { spec: { template: 'none' } }, 'NOT_FOUND', "no template 'none': it has debian"],
    ['a storage', { spec: { storage: 'ceph' } }, 'NOT_FOUND', "no storage 'ceph': it has local, local-lvm"],
    ['a storage for disks', { spec: { storage: 'local' } }, 'DEVICE_REFUSED', 'for no disks'],
    ['room', { spec: { disk_size: 200 } }, 'DEVICE_FULL', 'has 100 GiB left'],
    ['a node', { spec: { node: 'pve9' } }, 'DEVICE_REFUSED', 'pve9'],
    ['an image', { spec: { iso: 'local:iso/none.iso' } }, 'NOT_FOUND', "'local:iso/none.iso' does not exist"],
  ])('says that %s is not there, and leaves nothing behind', async (_, more, code, words) => {
    template()
    await expect(create(more)).rejects.toMatchObject({ code, message: expect.stringContaining(words) })
    expect([...pve.vms.keys()]).toEqual([9000])
  })

  it('says that a template’s name is that of two', async () => {
    template()
    pve.add(9001, { config: { name: 'debian', template: 1 } })
    await expect(create({ spec: { template: 'debian' } })).rejects.toThrow('Name one by its id')
  })

  it('leaves one that is protected, and says who can change that', async () => {
    await create()
    vm().config.protection = 1
    await expect(run('destroy')).rejects.toMatchObject({
      code: 'DEVICE_REFUSED',
      message: expect.stringContaining('take its protection away'),
    })
    expect(pve.vms.size).toBe(1)
  })

  it('shows no password that Proxmox repeats in its refusal', async () => {
    await expect(create({ spec: { cloud_init: true, password: 'sehr geheim' } })).rejects.toMatchObject({
      ...{ code: 'DEVICE_REFUSED', message: expect.stringContaining("cipassword: invalid format - '***'") },
    })
  })

  it('refuses a locator that no machine can have', async () => {
    await expect(create({ name: 'web_1' })).rejects.toThrow('must be letters, digits and dashes')
  })

  it.each([
    ['cut', 'DEVICE_ANSWER_INVALID', true],
    ['rubbish', 'DEVICE_ANSWER_INVALID', true],
    [{ status: 200, body: { data: [{ vmid: 'x' }] } }, 'DEVICE_ANSWER_INVALID', true],
    [{ status: 200, body: [] }, 'DEVICE_ANSWER_INVALID', true],
    [{ status: 503, headers: { 'Retry-After': '7' } }, 'DEVICE_BUSY', true],
    [{ status: 403, reason: 'Permission check failed (/vms/100, VM.Audit)' }, 'DEVICE_REFUSED', false],
  ] as const)('an answer that is %j is a failure of its kind', async (fault, code, retryable) => {
    pve.faults.push(fault)
    await expect(run('list')).rejects.toMatchObject({
      ...{ code, retryable, ...(typeof fault === 'object' && 'headers' in fault && { retryAfterMs: 7000 }) },
    })
  })

  it('leaves a silent one when it is aborted', async () => {
    pve.faults.push('silent')
    const abort = new AbortController()
    const refused = expect(run('list', {}, { signal: abort.signal })).rejects.toThrow(/claim lost|aborted/)
    await vi.waitFor(() => expect(pve.faults).toEqual([]))
    abort.abort(new Error('claim lost'))
    await refused
  })

  it('goes through server and agent from create to destroy, and shows no secret', { timeout: 120_000 }, async () => {
    const rig = await openRig({
      plugins: [proxmox],
      handlers: [handlers],
      resources: [join(import.meta.dirname, '../resources.toml')],
    })
    const { contractor } = rig
    await contractor.complexes.create({
      ...{ name: 'cluster', site: 'lab', type: 'Proxmox' },
      fields: {
        ...{ proxmox_host: '127.0.0.1', proxmox_port: pve.port, proxmox_fingerprint: pve.fingerprint },
        ...{ proxmox_token_id: 'contractor', proxmox_token_secret: pve.token },
      },
    })
    await contractor.blueprints.put({
      kind: 'structure',
      name: 'web',
      configValues: { cpu_count: 2, memory_size: 1024, disk_size: 8 },
      foundationBlueprints: ['proxmox-vm-base'],
    })
    await contractor.foundations.create({
      locator: 'web',
      type: 'Proxmox',
      site: 'lab',
      blueprint: 'proxmox-vm-base',
      complex: 'cluster',
    })
    await contractor.networks.create({ name: 'vmbr0', site: 'lab' })
    await contractor.interfaces.create({
      kind: 'real',
      foundation: 'web',
      name: 'eth0',
      physicalLocation: 'eth0',
      network: 'vmbr0',
    })
    await contractor.structures.create({ hostname: 'web', site: 'lab', blueprint: 'web', foundation: 'web' })
    await rig.finish(contractor.foundations.doCreate('web'))
    expect(await contractor.foundations.get('web')).toMatchObject({ fields: { proxmox_id: 100, proxmox_node: 'pve2' } })
    expect(await contractor.foundations.config('web')).toMatchObject({
      _proxmox_id: 100,
      _proxmox_complex: 'cluster',
      _foundation_interface_list: [{ mac: 'bc:24:11:00:64:00' }],
    })
    await rig.finish(contractor.foundations.doJob('web', 'power_on'))
    expect(await contractor.foundations.read('web')).toMatchObject({
      exists: true,
      differences: [],
      details: { power: 'on' },
    })
    pve.add(300, { config: { name: 'old' } })
    expect(await contractor.foundations.discover({ type: 'Proxmox', complex: 'cluster' })).toMatchObject([
      { locator: 'old', fields: { proxmox_id: 300 } },
    ])
    const job = await rig.finish(
      rig.run(
        'web',
        "foundation.create_snapshot( name='before' )\nif len( array=proxmox.node_list( min_memory=5000 ) ) != 1 then fatal_error( msg='nodes' )\n",
      ),
    )
    expect(job.state).toBe('done')
    await rig.finish(contractor.foundations.doDestroy('web'))
    expect([...pve.vms.keys()]).toEqual([300])
    expect((await contractor.foundations.get('web')).fields).toEqual({})
    const shown = [await contractor.complexes.get('cluster'), (await contractor.jobs.list({})).items, rig.lines]
    expect(JSON.stringify(shown)).not.toContain(pve.token)
  })
})
