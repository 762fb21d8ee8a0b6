import { textOf } from '../src/handlers/xml.ts'
import { type FakeObject, type FakeVcenter, type FakeVm, ref, refs, text } from './fake-objects.ts'

const gib = 1024 ** 3

export function propsOf(vm: FakeVm): FakeObject['props'] {
  const all: FakeObject['props'] = {
    name: () => text(vm.name.replaceAll('%', '%25').replaceAll('/', '%2f')),
    'config.instanceUuid': () => text(vm.uuid),
    'config.template': () => text(vm.isTemplate),
    'config.extraConfig': () => ({
      '@_xsi:type': 'ArrayOfOptionValue',
      OptionValue: Object.entries(vm.extra).map(([key, value]) => ({ key, value: text(value) })),
    }),
    'config.hardware.device': () => ({ '@_xsi:type': 'ArrayOfVirtualDevice', VirtualDevice: vm.devices }),
    'config.hardware.numCPU': () => text(textOf(vm.config.numCPUs)),
    'config.hardware.memoryMB': () => text(textOf(vm.config.memoryMB)),
    'config.vAppConfig': () => ({ '@_xsi:type': 'VmConfigInfo', property: [{ key: 4, id: 'user', value: 'x' }] }),
    'runtime.powerState': () => text(vm.powerState),
    'runtime.host': () => ref('HostSystem', 'host-1'),
    'runtime.question': () =>
      vm.question === undefined
        ? undefined
        : { '@_xsi:type': 'VirtualMachineQuestionInfo', id: '1', text: vm.question },
    'guest.ipAddress': () => (vm.powerState === 'poweredOn' ? text('10.0.0.5') : undefined),
    'guest.net': () => ({
      '@_xsi:type': 'ArrayOfGuestNicInfo',
      GuestNicInfo: vm.powerState === 'poweredOn' ? [{ network: 'lan', ipAddress: ['10.0.0.5', 'fe80::1'] }] : [],
    }),
  }
  const entries = Object.entries(all).map(([path, value]) => [
    path,
    () => (path.startsWith('config.') && !vm.isBorn ? undefined : typeof value === 'function' ? value() : value),
  ])
  return Object.fromEntries(entries)
}

/** A datacenter with a cluster of three hosts, of which one is in maintenance, and networks of both kinds. */
export function fill({ objects }: FakeVcenter): void {
  const put = (id: string, type: string, props: FakeObject['props']) => objects.set(id, { type, props })
  put('datacenter-1', 'Datacenter', {
    name: text('dc1'),
    vmFolder: ref('Folder', 'group-v1'),
    hostFolder: ref('Folder', 'group-h1'),
  })
  put('cluster-1', 'ClusterComputeResource', {
    ...{ name: text('cluster1'), resourcePool: ref('ResourcePool', 'pool-1') },
    host: refs(['host-1', 'host-2', 'host-3'].map(id => ref('HostSystem', id))),
  })
  const host = (id: string, used: number, cpu: number, isDown = false) =>
    put(id, 'HostSystem', {
      ...{
        name: text(`${id}.lab`),
        datastore: refs([ref('Datastore', 'ds-1'), ref('Datastore', 'ds-2'), ref('Datastore', 'ds-3')]),
      },
      network: refs([ref('Network', 'network-1'), ref('DistributedVirtualPortgroup', 'dvpg-1')]),
      ...{ 'runtime.connectionState': text('connected'), 'runtime.inMaintenanceMode': text(isDown) },
      ...{
        'summary.hardware.memorySize': text(16 * gib),
        'summary.hardware.numCpuCores': text(8),
        'summary.hardware.cpuMhz': text(2000),
      },
      ...{ 'summary.quickStats.overallMemoryUsage': text(used), 'summary.quickStats.overallCpuUsage': text(cpu) },
      'configManager.datastoreSystem': ref('HostDatastoreSystem', `dss-${id}`),
    })
  host('host-1', 12_000, 1000)
  host('host-2', 4000, 15_000)
  host('host-3', 0, 0, true)
  const datastore = (id: string, name: string, free: number, isUp = true) =>
    put(id, 'Datastore', {
      name: text(name),
      'summary.accessible': text(isUp),
      'summary.freeSpace': text(free * gib),
      'summary.maintenanceMode': text('normal'),
    })
  datastore('ds-1', 'local1', 50)
  datastore('ds-2', 'shared1', 500)
  datastore('ds-3', 'shared2', 900, false)
  put('network-1', 'Network', { name: text('lan') })
  put('dvpg-1', 'DistributedVirtualPortgroup', {
    name: text('backend%2fblue'),
    key: text('dvportgroup-77'),
    'config.distributedVirtualSwitch': ref('VmwareDistributedVirtualSwitch', 'dvs-1'),
  })
  put('dvs-1', 'VmwareDistributedVirtualSwitch', { uuid: text('50 1a 2b') })
  put('gom', 'GuestOperationsManager', { processManager: ref('GuestProcessManager', 'gpm') })
}
