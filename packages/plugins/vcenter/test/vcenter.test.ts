import { join } from 'node:path'
import { pluginLaws } from '@contractor/plugin/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { openRig } from '../../../../test/rig.ts'
import { vcenterComplex } from '../src/connection.ts'
import { handlers } from '../src/handlers/index.ts'
import { at, elementOf, listOf, type Node, textOf } from '../src/handlers/xml.ts'
import { quirks } from '../src/quirks.ts'
import { tasks } from '../src/tasks.ts'
import { vcenter } from '../src/vcenter.ts'
import { vmSpec } from '../src/vm-spec.ts'
import { eth0, useVcenter, vm_spec } from './use-vcenter.ts'

const uuid = '50000000-0000-0000-0000-000000000001'
const seen = {
  ...{
    state: 'on',
    uuid,
    status: 'poweredOn',
    host: 'host-1.lab',
    cpu_count: 2,
    memory_size: 2048,
    is_template: false,
  },
  ...{ macs: ['00:50:56:00:00:01'], address_list: ['10.0.0.5'], call: 'call-1', isWhole: true },
}
const gone = { ...seen, state: 'gone', uuid: null, host: null, call: null, isWhole: false, macs: [] }

describe('the laws of plugins', () => {
  const laws = pluginLaws(vcenter, handlers, {
    complexFields: {
      ...{ vcenter_host: '10.0.0.9', vcenter_username: 'ops', vcenter_password: 'geheim', vcenter_cluster: 'cluster1' },
    },
    config: {
      ...{ ...vm_spec, vcenter_guest_id: 'debian12_64Guest', vcenter_hostname: 'host-1.lab' },
      _foundation_interface_list: [{ ...eth0, kind: 'real' }],
    },
    args: {
      create: [
        { host: 'host-1.lab', datastore: 'local1', vm_spec },
        { host: 'host-1.lab', datastore: 'local1', vm_spec: { ...vm_spec, template: 'debian', hostname: 'web' } },
      ],
      create_datastore: [{ name: 'local2', model: 'PERC H730' }],
      host_list: [{ min_memory: 1024, min_cpu: 2 }],
      datastore_list: [{ host: 'host-1.lab', min_free_space: 10, name_regex: 'shared' }],
      network_list: [{ host: 'host-1.lab' }],
      set_interface_macs: [{ interface_map: { eth0: '00:50:56:00:00:01' } }],
      execute: [{ username: 'root', password: 'x', command: 'true' }],
      mark_as_template: [{}, { as_template: false }],
      export: [{ url: 'http://10.0.0.1/images/' }],
    },
    replies: {
      set_power: [
        { state: 'on', sent: true },
        { state: 'off', sent: false },
        { state: 'on', sent: false },
      ],
      power_state: [{ state: 'on' }, { state: 'off' }],
      create: [{ uuid, macs: ['00:50:56:00:00:01'], places: ['eth0'] }],
      destroy: [{ destroyed: true }],
      state: [seen, gone],
      interfaces: [{ interface_list: ['00:50:56:00:00:01'] }],
      execute: [{ rc: 0 }, { rc: 3 }],
      find_execution: [{ isThere: true }, { isThere: false }],
      mark_template: [{ changed: true }],
      export: [{ location: 'http://10.0.0.1/images/web.ovf' }],
      list: [
        {
          machines: [
            { name: 'web', uuid, status: 'poweredOn' },
            { name: 'a.b', uuid, status: 'poweredOff' },
          ],
        },
      ],
      list_hosts: [{ names: ['host-1.lab'] }],
      list_datastores: [{ names: ['shared1'] }],
      list_networks: [{ names: ['lan'] }],
      create_datastore: [{ created: true }],
    },
    abortable: {
      state: {
        ...{ host: 'nobody.invalid', port: 443, fingerprint: null, username: 'ops', password: 'x' },
        ...{ datacenter: 'dc1', cluster: 'c', name: 'web', uuid: null },
      },
    },
    entry: new URL('../src/index.ts', import.meta.url),
  })
  for (const { name, run } of laws) it(name, run)
})

describe('what a machine is to be', () => {
  it('is read in the forms that people and templates write', () => {
    const spec = { ...vm_spec, cpu_count: '2', network_interface_class: 'VirtualVmxnet3', virtual_exec_usage: true }
    expect(vmSpec.parse({ ...spec, property_map: { size: 3 } })).toMatchObject({
      ...{ cpu_count: 2, network_interface_class: 'vmxnet3', virtual_exec_usage: 'hvOn', property_map: { size: '3' } },
    })
  })

  it.each([
    [{ cpu_count: 0 }, '1'],
    [{ disk_size: 1 }, '2'],
    [{ network_interface_class: 'ne2000' }, 'must be one of E1000'],
    [{ ova: 'file:///etc/passwd' }, 'ova'],
    [{ ova: 'http://10.0.0.1/a.ova', template: 't' }, 'of one only'],
    [{ hostname: 'web.lab' }, 'without dots'],
    [{ guest_id: 'a b' }, 'guest_id'],
  ])('%j is refused', (given, message) => {
    const { success, error } = vmSpec.safeParse({ ...vm_spec, ...given })
    expect(success).toBe(false)
    expect(JSON.stringify(error?.issues)).toContain(message)
  })

  it.each([[{ vcenter_host: '-x' }], [{ vcenter_cluster: '' }], [{ vcenter_fingerprint: 'ab' }]])(
    'a Complex with %j is refused',
    given => {
      const own = { vcenter_host: 'vc.lab', vcenter_username: 'ops', vcenter_password: 'x', vcenter_cluster: 'c' }
      expect(vcenterComplex.fields.safeParse(own).success).toBe(true)
      expect(vcenterComplex.fields.safeParse({ ...own, ...given }).success).toBe(false)
    },
  )
})

describe('a vCenter', () => {
  const { vc, run, create, vm, methodsTold } = useVcenter()
  const disk = (gib: number) => ({
    ...{
      '@_xsi:type': 'VirtualDisk',
      key: 2000,
      deviceInfo: { label: 'Hard disk 1' },
      controllerKey: 1000,
      unitNumber: 0,
    },
    ...{
      backing: {
        '@_xsi:type': 'VirtualDiskFlatVer2BackingInfo',
        fileName: '[local1] t/t.vmdk',
        diskMode: 'persistent',
      },
    },
    capacityInKB: gib << 20,
  })
  const adapter = (key: number) => ({
    ...{ '@_xsi:type': 'VirtualVmxnet3', key, deviceInfo: { label: 'Network adapter' }, controllerKey: 100 },
    ...{ unitNumber: key - 3993, addressType: 'assigned', macAddress: `00:50:56:aa:00:0${key - 4000}` },
    backing: { '@_xsi:type': 'VirtualEthernetCardNetworkBackingInfo', deviceName: 'old' },
  })
  const template = (gib = 4) =>
    vc.addVm('vm-template', {
      ...{ name: 'debian', isTemplate: true, devices: [disk(gib), adapter(4000), adapter(4001)] },
      extra: { 'contractor.foundation': 'debian', 'contractor.call': 'old', 'contractor.whole': 'true' },
    })

  it('makes a machine of nothing, switches it, tells of it, and removes it', async () => {
    const eth1 = { ...eth0, name: 'eth1', physical_location: 'eth1', mac: '02:00:00:00:00:07' }
    const spec = {
      virtual_vhv: true,
      virtual_exec_usage: 'hvOn',
      property_map: { role: 'web' },
      guest_id: 'debian12_64Guest',
    }
    const made = await create({ spec, interfaces: [eth0, eth1] })
    expect(made).toEqual({
      uuid: vm().uuid,
      places: ['eth0', 'eth1'],
      macs: ['00:50:56:00:00:00', '02:00:00:00:00:07'],
    })
    expect(vm()).toMatchObject({
      config: {
        ...{ numCPUs: '2', memoryMB: '2048', nestedHVEnabled: 'true', guestId: 'debian12_64Guest' },
        ...{ files: { vmPathName: '[local1]' }, flags: { virtualExecUsage: 'hvOn' } },
        vAppConfig: { property: { operation: 'add', info: { key: '5', id: 'role', value: 'web' } } },
      },
      devices: [
        { '@_xsi:type': 'ParaVirtualSCSIController', key: 1000 },
        { '@_xsi:type': 'VirtualDisk', capacityInKB: '20971520', backing: { thinProvisioned: 'true' } },
        { '@_xsi:type': 'VirtualE1000', key: 4000, backing: { deviceName: 'lan' } },
        { '@_xsi:type': 'VirtualE1000', key: 4001, addressType: 'manual' },
      ],
    })
    // By the keys that vSphere has given.
    const order = listOf(at(vm().config as Node, 'bootOptions', 'bootOrder'))
    expect(order.map(one => textOf(at(one, 'deviceKey')))).toEqual(['4000', '2000'])
    const own = { uuid: made.uuid }
    expect(await run('interfaces', own)).toEqual({ interface_list: made.macs })
    expect(await run('power_state', own)).toEqual({ state: 'off' })
    expect(await run('set_power', { ...own, action: 'off' })).toEqual({ state: 'off', sent: false })
    expect(await run('set_power', { ...own, action: 'on' })).toEqual({ state: 'off', sent: true })
    expect(await run('set_power', { ...own, action: 'reset' })).toEqual({ state: 'on', sent: true })
    expect(await run('state')).toMatchObject({
      ...{ state: 'on', uuid: made.uuid, host: 'host-1.lab', cpu_count: 2, memory_size: 2048, call: 'call-1' },
      address_list: ['10.0.0.5', 'fe80::1'],
    })
    expect(await run('set_power', { ...own, action: 'soft' })).toEqual({ state: 'on', sent: true })
    expect(await run('power_state', own)).toEqual({ state: 'off' })
    vm().powerState = 'poweredOn'
    expect(await run('destroy', own)).toEqual({ destroyed: true })
    expect(await run('destroy', own)).toEqual({ destroyed: false })
    expect(await run('state', own)).toMatchObject({ state: 'gone', uuid: null })
    expect(vc.sessions.size).toBe(0)
  })

  it('makes a clone of a template what it is to be', async () => {
    template()
    const address = { address: '10.0.0.5', prefix: 24, netmask: '255.255.255.0', gateway: '10.0.0.1', primary: true }
    const { macs } = await create({
      spec: {
        template: 'debian',
        hostname: 'web',
        domain: 'lab',
        dnsserver_list: ['10.0.0.2'],
        property_map: { user: 'ops', role: 'web' },
      },
      interfaces: [{ ...eth0, address_list: [address] }],
    })
    expect(macs).toEqual(['00:50:56:aa:00:00'])
    expect(vm()).toMatchObject({
      config: {
        numCPUs: '2',
        memoryMB: '2048',
        vAppConfig: {
          property: [
            { operation: 'edit', info: { key: '4', id: 'user', value: 'ops' } },
            { operation: 'add', info: { key: '5', id: 'role' } },
          ],
        },
      },
      devices: [
        { '@_xsi:type': 'VirtualDisk', capacityInKB: '20971520' },
        { key: '4000', backing: { deviceName: 'lan' } },
      ],
      customization: {
        identity: { hostName: { name: 'web' }, domain: 'lab' },
        globalIPSettings: { dnsServerList: '10.0.0.2' },
        nicSettingMap: { adapter: { ip: { ipAddress: '10.0.0.5' }, subnetMask: '255.255.255.0', gateway: '10.0.0.1' } },
      },
      extra: { 'contractor.foundation': 'web', 'contractor.call': 'call-1', 'contractor.whole': 'true' },
    })
    expect(vm('debian').devices).toHaveLength(3)
  })

  it('makes one machine for one call, however often it is asked, and leaves others’ alone', async () => {
    const first = await create()
    expect(await create()).toEqual(first)
    expect(methodsTold()).toEqual(['CreateVM_Task', 'ReconfigVM_Task'])
    await expect(create({ callId: 'call-2' })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      message: expect.stringContaining('from another call. Destroy it first'),
    })
    vc.addVm('vm-9', { name: 'foreign' })
    await expect(create({ name: 'foreign' })).rejects.toThrow("the machine 'foreign' was not made for this Foundation")
    expect(await run('destroy', { name: 'foreign' })).toEqual({ destroyed: false })
    // By its uuid, though another Foundation made it.
    expect(await run('destroy', { name: 'two', uuid: first.uuid })).toEqual({ destroyed: false })
    expect(vc.vms.size).toBe(2)
  })

  it('takes in what it did not make, and lists what there is', async () => {
    const old = vc.addVm('vm-9', { name: 'old' })
    template()
    expect(await run('list')).toEqual({ machines: [{ name: 'old', uuid: old.uuid, status: 'poweredOff' }] })
    expect(await run('set_power', { name: 'old', uuid: old.uuid, action: 'on' })).toEqual({ state: 'off', sent: true })
    expect(await run('destroy', { name: 'old', uuid: old.uuid })).toEqual({ destroyed: true })
  })

  it('lists hosts, datastores and networks, the best first', async () => {
    const hosts = (more: object) =>
      run('list_hosts', { min_memory: 0, min_cpu: 0, cpu_scaler: 1, memory_scaler: 1, ...more })
    expect(await hosts({})).toEqual({ names: ['host-1.lab', 'host-2.lab'] })
    expect(await hosts({ cpu_scaler: 0 })).toEqual({ names: ['host-2.lab', 'host-1.lab'] })
    expect(await hosts({ min_memory: 8000 })).toEqual({ names: ['host-2.lab'] })
    expect(await hosts({ min_cpu: 9 })).toEqual({ names: [] })
    const stores = (more: object) =>
      run('list_datastores', { vmHost: 'host-1.lab', min_free_space: 0, name_regex: null, ...more })
    expect(await stores({})).toEqual({ names: ['shared1', 'local1'] })
    expect(await stores({ min_free_space: 100 })).toEqual({ names: ['shared1'] })
    expect(await stores({ name_regex: 'loc' })).toEqual({ names: ['local1'] })
    expect(await stores({ name_regex: '1$' })).toEqual({ names: [] })
    await expect(stores({ name_regex: '(' })).rejects.toMatchObject({
      code: 'DEVICE_REFUSED',
      message: expect.stringContaining('no regular expression'),
    })
    expect(await run('list_networks', { vmHost: 'host-1.lab', name_regex: null })).toEqual({
      names: ['backend/blue', 'lan'],
    })
  })

  it('makes a datastore of the first free disk of a model, once', async () => {
    const make = (more = {}) =>
      run('create_datastore', { vmHost: 'host-2.lab', datastore: 'local2', model: 'PERC H730', ...more })
    expect(await make()).toEqual({ created: true })
    expect(elementOf(at(vc.told[0]?.xml.spec, 'vmfs'))).toMatchObject({
      volumeName: 'local2',
      extent: { diskName: '/vmfs/devices/disks/a' },
    })
    expect(await make()).toEqual({ created: false })
    await expect(make({ datastore: 'x', model: 'NVMe' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining("no free disk of model 'NVMe': it has USB stick, PERC H730"),
    })
    vc.fails.push(['HostConfigFault', 'Unable to create Filesystem'])
    await expect(make({ datastore: 'y' })).rejects.toThrow('HostConfigFault: Unable to create Filesystem')
  })

  describe('in a guest', () => {
    const execute = (command: string, more = {}, context = {}) =>
      run(
        'execute',
        {
          guest_username: 'root',
          guest_password: 'gast-geheim',
          command,
          dir: '/',
          runMs: 60_000,
          callId: 'call-5',
          ...more,
        },
        context,
      )
    beforeEach(async () => {
      await create()
      vm().powerState = 'poweredOn'
      vc.exits = { false: 1, sleep: 0 }
    })

    it('runs a command, and tells how it has ended', async () => {
      expect(await execute("echo 'it works'")).toEqual({ rc: 0 })
      expect(vc.processes[0]?.cmdLine).toBe("/bin/sh -c ': contractor.call=call-5; echo '\\''it works'\\'''")
      expect(await execute('false', { callId: 'call-6' })).toEqual({ rc: 1 })
    })

    it('runs a call’s command once, though it is asked again', async () => {
      const find = () =>
        run('find_execution', { guest_username: 'root', guest_password: 'gast-geheim', callId: 'call-5' })
      expect(await find()).toEqual({ isThere: false })
      const abort = new AbortController()
      const refused = expect(execute('sleep', {}, { signal: abort.signal })).rejects.toThrow(/claim lost|aborted/)
      await vi.waitFor(() => expect(vc.processes).toHaveLength(1))
      abort.abort(new Error('claim lost'))
      await refused
      expect(await find()).toEqual({ isThere: true })
      Object.assign(vc.processes[0] ?? {}, { isEnded: true })
      expect(await execute('sleep')).toEqual({ rc: 0 })
      expect(vc.processes).toHaveLength(1)
    })

    it('ends one that takes too long', async () => {
      await expect(execute('sleep', { runMs: 1000 })).rejects.toMatchObject({
        code: 'DEVICE_TIMED_OUT',
        retryable: false,
      })
      expect(vc.processes[0]).toMatchObject({ isEnded: true })
    })

    it('says that the guest does not let one in, or has no tools', async () => {
      await expect(execute('true', { guest_password: 'falsch' })).rejects.toMatchObject({
        code: 'DEVICE_UNAUTHENTICATED',
        message: expect.not.stringContaining('falsch'),
      })
      vm().hasTools = false
      await expect(execute('true')).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
    })
  })

  it('makes a machine a template, and a machine again', async () => {
    await create()
    expect(await run('mark_template', { asTemplate: true })).toEqual({ changed: true })
    expect(await run('mark_template', { asTemplate: true })).toEqual({ changed: false })
    expect(await run('state')).toMatchObject({ is_template: true })
    expect(await run('mark_template', { asTemplate: false })).toEqual({ changed: true })
    expect(vm().isTemplate).toBe(false)
  })

  const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
    async 'task-fails-later'() {
      vc.fails.push(['NoDiskSpace', 'Insufficient disk space on datastore local1.'])
      await expect(create()).rejects.toMatchObject({
        code: 'DEVICE_FULL',
        retryable: false,
        message: expect.stringContaining('NoDiskSpace: Insufficient disk space on datastore local1.'),
      })
      vc.fails.push(['HostNotConnected', 'Unable to communicate with the remote host.'])
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE', retryable: true })
    },
    async 'sessions-are-few'() {
      vc.quirks.add('sessions-are-few')
      for (let time = 0; time < 5; time++) await run('list')
      await expect(run('power_state')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(vc.sessions.size).toBe(0)
    },
    async 'session-lost'() {
      vc.quirks.add('session-lost')
      expect(await run('list')).toEqual({ machines: [] })
      expect(vc.logins).toBe(2)
    },
    async 'lists-in-pages'() {
      vc.addVm('vm-8', { name: 'one' })
      vc.addVm('vm-9', { name: 'two' })
      vc.quirks.add('lists-in-pages')
      expect(await run('list')).toMatchObject({ machines: [{ name: 'one' }, { name: 'two' }] })
    },
    async 'names-are-escaped'() {
      vc.addVm('vm-8', { name: 'a/b%c' })
      expect(await run('list')).toMatchObject({ machines: [{ name: 'a/b%c' }] })
    },
    async 'says-nothing-while-it-is-made'() {
      const lose = async (more = {}) => {
        const abort = new AbortController()
        const before = vc.vms.size
        const refused = expect(create(more, { signal: abort.signal })).rejects.toThrow(/claim lost|aborted/)
        await vi.waitFor(() => expect(vc.vms.size).toBe(before + 1))
        abort.abort(new Error('claim lost'))
        await refused
      }
      await lose()
      expect(vm().isBorn).toBe(false)
      expect(await run('state')).toMatchObject({ state: 'gone' })
      expect(await create({}, { attempt: 2 })).toMatchObject({ uuid: vm().uuid })
      // Without being told that it was asked before, by its name.
      await lose({ name: 'two' })
      const again = create({ name: 'two' })
      await vi.waitFor(() => expect(methodsTold().filter(method => method === 'CreateVM_Task')).toHaveLength(3))
      const extra = { 'contractor.foundation': 'two', 'contractor.call': 'call-1', 'contractor.whole': 'false' }
      Object.assign(vm('two'), { isBorn: true, extra })
      expect(await again).toMatchObject({ uuid: vm('two').uuid })
      template()
      await lose({ name: 'three', spec: { template: 'debian' } })
      expect(await create({ name: 'three', spec: { template: 'debian' } }, { attempt: 2 })).toMatchObject({
        uuid: vm('three').uuid,
      })
      expect(vc.vms.size).toBe(4)
    },
    async 'made-and-not-set-up'() {
      const busy = ['TaskInProgress', 'The operation is not allowed: another task is in progress.'] as [string, string]
      vc.fails.push(['', ''], busy)
      await expect(create()).rejects.toMatchObject({ code: 'DEVICE_BUSY', retryable: true })
      expect(await run('state')).toMatchObject({ call: 'call-1', isWhole: false })
      expect(await create({}, { attempt: 2 })).toMatchObject({ uuid: vm().uuid })
      expect(await run('state')).toMatchObject({ call: 'call-1', isWhole: true })
      expect(methodsTold()).toEqual(['CreateVM_Task', 'ReconfigVM_Task', 'ReconfigVM_Task'])
      vc.fails.push(['', ''], busy)
      await expect(create({ name: 'two' })).rejects.toMatchObject({ code: 'DEVICE_BUSY' })
      const { uuid: first } = vm('two')
      expect(await create({ name: 'two', callId: 'call-2' })).not.toMatchObject({ uuid: first })
      // What cannot be finished is not left behind.
      vc.fails.push(['', ''], ['NoPermission', 'Permission to perform this operation was denied.'])
      await expect(create({ name: 'three' })).rejects.toMatchObject({ code: 'DEVICE_REFUSED' })
      expect([...vc.vms.values()].map(({ name }) => name)).toEqual(['web', 'two'])
    },
    async 'power-as-it-is'() {
      await create()
      vc.fails.push(['InvalidPowerState', 'The attempted operation cannot be performed in the current state.'])
      const sent = run('set_power', { action: 'on' })
      await vi.waitFor(() => expect(methodsTold()).toContain('PowerOnVM_Task'))
      vm().powerState = 'poweredOn'
      expect(await sent).toEqual({ state: 'off', sent: true })
    },
    async 'no-tools'() {
      await create()
      Object.assign(vm(), { powerState: 'poweredOn', hasTools: false })
      expect(await run('set_power', { action: 'soft' })).toEqual({ state: 'on', sent: true })
      expect(vm().powerState).toBe('poweredOff')
      expect(methodsTold().slice(-2)).toEqual(['ShutdownGuest', 'PowerOffVM_Task'])
    },
    async 'waits-for-an-answer'() {
      await create()
      vc.quirks.add('waits-for-an-answer')
      await expect(run('set_power', { action: 'on' })).rejects.toMatchObject({
        code: 'DEVICE_REFUSED',
        message: expect.stringContaining('did you move it, or copy it?'),
      })
    },
    async 'suspended-is-neither'() {
      await create()
      vm().powerState = 'suspended'
      expect(await run('set_power', { action: 'off' })).toEqual({ state: 'off', sent: false })
      expect(await run('set_power', { action: 'on' })).toEqual({ state: 'off', sent: true })
      expect(vm().powerState).toBe('poweredOn')
    },
    async 'distributed-port-groups'() {
      await create({ interfaces: [{ ...eth0, network: 'backend/blue' }] })
      expect(vm().devices.at(-1)?.backing).toEqual({
        '@_xsi:type': 'VirtualEthernetCardDistributedVirtualPortBackingInfo',
        port: { switchUuid: '50 1a 2b', portgroupKey: 'dvportgroup-77' },
      })
    },
    async 'disks-only-grow'() {
      template(40)
      const lines: string[] = []
      await create({ spec: { template: 'debian' } }, { log: (line: string) => void lines.push(line) })
      expect(vm().devices[0]?.capacityInKB).toBe(40 << 20)
      expect(lines).toEqual([expect.stringContaining('has 40 GiB, as in its template, and not 20')])
    },
    async 'licence-for-reading'() {
      vc.quirks.add('licence-for-reading')
      await expect(create()).rejects.toMatchObject({
        code: 'DEVICE_UNSUPPORTED',
        retryable: false,
        message: expect.stringContaining('its licence lets programs read only'),
      })
    },
    async 'host-has-no-templates'() {
      await create()
      vc.isHost = true
      expect(await run('mark_template', { asTemplate: true })).toEqual({ changed: false })
    },
    async 'lease-must-be-ended'() {
      await create()
      await expect(run('export', { url: `http://127.0.0.1:${await freePort()}/` })).rejects.toMatchObject({
        code: 'DEVICE_UNREACHABLE',
      })
      expect([...vc.leases.values()]).toEqual(['aborted'])
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
    ['a datacenter', { datacenter: 'dc9' }, "no datacenter 'dc9': it has dc1"],
    ['a cluster', { cluster: 'c9' }, "no cluster 'c9': it has cluster1"],
    ['a host', { vmHost: 'host-9' }, "no host 'host-9': it has host-1.lab, host-2.lab, host-3.lab"],
    ['a datastore', { datastore: 'ds9' }, "'ds9': it has local1, shared1, shared2"],
    ['a network', { interfaces: [{ ...eth0, network: 'x' }] }, "'x': it has lan, backend/blue"],
    ['a template', { spec: { template: 't9' } }, "no template 't9'"],
  ])('says that %s is not there, and leaves nothing behind', async (_, more, words) => {
    await expect(create(more)).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining(words) })
    expect(methodsTold()).toEqual([])
  })

  it('says what a user may not do', async () => {
    vc.fails.push(['NoPermission', 'Permission to perform this operation was denied.'])
    await expect(create()).rejects.toMatchObject({
      code: 'DEVICE_REFUSED',
      message: expect.stringContaining('NoPermission: Permission to perform'),
    })
  })

  it('refuses a locator that no machine can have', async () => {
    await expect(create({ name: '1web' })).rejects.toThrow('must begin with a letter')
  })

  it.each([
    ['cut', 'DEVICE_ANSWER_INVALID', true],
    ['rubbish', 'DEVICE_ANSWER_INVALID', true],
    [{ status: 200, body: '<Envelope><Body><Other/></Body></Envelope>' }, 'DEVICE_ANSWER_INVALID', true],
    [{ status: 200, body: '<Envelope><Body><Half' }, 'DEVICE_ANSWER_INVALID', true],
    [{ status: 503, headers: { 'Retry-After': '7' } }, 'DEVICE_BUSY', true],
    [{ status: 404, body: 'not here' }, 'DEVICE_REFUSED', false],
  ] as const)('an answer that is %j is a failure of its kind', async (fault, code, retryable) => {
    vc.faults.push(fault)
    await expect(run('list')).rejects.toMatchObject({
      ...{ code, retryable, ...(typeof fault === 'object' && 'headers' in fault && { retryAfterMs: 7000 }) },
    })
  })

  it('leaves a silent one when it is aborted', async () => {
    vc.faults.push('silent')
    const abort = new AbortController()
    const refused = expect(run('list', {}, { signal: abort.signal })).rejects.toThrow(/claim lost|aborted/)
    await vi.waitFor(() => expect(vc.faults).toEqual([]))
    abort.abort(new Error('claim lost'))
    await refused
  })

  it('goes through server and agent from create to destroy, and shows no password', { timeout: 120_000 }, async () => {
    const rig = await openRig({
      plugins: [vcenter],
      handlers: [handlers],
      resources: [join(import.meta.dirname, '../resources.toml')],
    })
    const { contractor } = rig
    await contractor.complexes.create({
      ...{ name: 'vc', site: 'lab', type: 'VCenter' },
      fields: {
        ...{ vcenter_host: '127.0.0.1', vcenter_port: vc.port, vcenter_fingerprint: vc.fingerprint },
        ...{
          vcenter_username: vc.username,
          vcenter_password: vc.password,
          vcenter_datacenter: 'dc1',
          vcenter_cluster: 'cluster1',
        },
      },
    })
    const configValues = { ...vm_spec, vcenter_guest_id: 'debian12_64Guest' }
    // The Job is for the Foundation: what it reads of the config has to be above it.
    await contractor.sites.update('lab', { configValues: { vcenter_ds_name_regex: 'local' } })
    await contractor.blueprints.put({
      kind: 'structure',
      name: 'web',
      configValues,
      foundationBlueprints: ['vcenter-vm-base'],
    })
    await contractor.foundations.create({
      locator: 'web',
      type: 'VCenter',
      site: 'lab',
      blueprint: 'vcenter-vm-base',
      complex: 'vc',
    })
    await contractor.networks.create({ name: 'lan', site: 'lab' })
    await contractor.interfaces.create({
      kind: 'real',
      foundation: 'web',
      name: 'eth0',
      physicalLocation: 'eth0',
      network: 'lan',
    })
    await contractor.structures.create({ hostname: 'web', site: 'lab', blueprint: 'web', foundation: 'web' })
    await rig.finish(contractor.foundations.doCreate('web'))
    expect((await contractor.foundations.get('web')).fields).toEqual({ vcenter_uuid: vm().uuid })
    expect(vm().config).toMatchObject({ files: { vmPathName: '[local1]' } })
    expect(await contractor.foundations.config('web')).toMatchObject({
      ...{ _vcenter_uuid: vm().uuid, _vcenter_complex: 'vc', _vcenter_datacenter: 'dc1', _vcenter_cluster: 'cluster1' },
      _foundation_interface_list: [{ mac: '00:50:56:00:00:00' }],
    })
    await rig.finish(contractor.foundations.doJob('web', 'power_on'))
    expect(await contractor.foundations.read('web')).toMatchObject({
      exists: true,
      differences: [],
      details: { power: 'on' },
    })
    const old = vc.addVm('vm-99', { name: 'old' })
    expect(await contractor.foundations.discover({ type: 'VCenter', complex: 'vc' })).toMatchObject([
      { locator: 'old', fields: { vcenter_uuid: old.uuid } },
    ])
    vc.exits = { false: 1 }
    await rig.finish(rig.run('web', "foundation.execute( username='root', password='gast-geheim', command='true' )\n"))
    expect(
      await rig.standing(
        rig.run('web', "foundation.execute( username='root', password='gast-geheim', command='false' )\n"),
      ),
    ).toContain("'false' ended with 1, not with 0")
    const { items } = await contractor.jobs.list({ foundation: 'web' })
    for (const { id, state } of items) if (state === 'error') await contractor.jobs.cancel(id)
    await rig.finish(contractor.foundations.doDestroy('web'))
    expect([...vc.vms.keys()]).toEqual(['vm-99'])
    expect((await contractor.foundations.get('web')).fields).toEqual({})
    const shown = [await contractor.complexes.get('vc'), (await contractor.jobs.list({})).items, rig.lines]
    expect(JSON.stringify(shown)).not.toContain(vc.password)
    expect(vc.sessions.size).toBe(0)
  })
})

it('asks for as much retrying as a busy vCenter needs', () => {
  expect(tasks.create.retry?.attempts).toBeGreaterThan(3)
})
