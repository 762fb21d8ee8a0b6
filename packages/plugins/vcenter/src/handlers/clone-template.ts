import type { ConnectedInterface } from '@contractor/driver'
import { ContractorError, type HandlerContext } from '@contractor/plugin'
import type { Wanted } from '../tasks.ts'
import type { VmSpec } from '../vm-spec.ts'
import { adapterChanges, adaptersOf, disksOf, grownDisk } from './devices.ts'
import { findNamed, markXml, readVm } from './find-vm.ts'
import type { Network } from './inventory.ts'
import type { Making } from './making.ts'
import { runTask } from './task.ts'
import { refXml, typed } from './vim.ts'
import { type Node, numberOf, type XmlObject } from './xml.ts'

export async function cloneTemplate(making: Making, template: string): Promise<void> {
  const { vim, wanted, context, datacenter, cluster, host, datastore } = making
  const { name, callId: call, spec, interfaces } = wanted
  const named = await Promise.all((await findNamed(vim, template)).map(({ ref }) => readVm(vim, ref)))
  const source = named.find(one => one.isTemplate) ?? named[0]
  if (!source) {
    const message = `${vim.name}: there is no template '${template}' in datacenter '${vim.connection.datacenter}'`
    throw new ContractorError('NOT_FOUND', message, { kind: 'template', id: template })
  }
  const cloneSpec: XmlObject = {
    location: {
      ...{ datastore: refXml(datastore), pool: refXml(cluster.pool), host: refXml(host) },
      ...(spec.disk_provisioning === 'thin' && { transform: 'sparse' }),
    },
    template: false,
    // The template's own mark, where it has one, is another's.
    config: { extraConfig: markXml({ foundation: name, call, isWhole: false }) },
    ...(spec.hostname !== null && { customization: customizationXml(spec, spec.hostname, interfaces) }),
    powerOn: false,
  }
  const parameters = { folder: refXml(datacenter.vmFolder), name, spec: cloneSpec }
  const what = `Cloning template '${template}' to machine '${name}'`
  await runTask(vim, what, { method: 'CloneVM_Task', self: source.ref, parameters }, context)
}

/** What is to be other than in its template. */
export function templateChanges(
  { name, spec, interfaces }: Pick<Wanted, 'name' | 'spec' | 'interfaces'>,
  networks: ReadonlyMap<string, Network>,
  hardware: Node | undefined,
  { log }: Pick<HandlerContext, 'log'>,
): XmlObject {
  const [disk] = disksOf(hardware)
  const sizeGib = numberOf(disk?.capacityInKB) / (1 << 20)
  if (sizeGib > spec.disk_size)
    log(`The disk of machine '${name}' has ${sizeGib} GiB, as in its template, and not ${spec.disk_size}`)
  return {
    ...{ numCPUs: spec.cpu_count, memoryMB: spec.memory_size },
    deviceChange: [
      ...grownDisk(disk, spec.disk_size),
      ...adapterChanges(spec, interfaces, networks, adaptersOf(hardware)),
    ],
  }
}

/** What the guest is told as it starts for the first time: its name, and its addresses (for Linux, by its tools). */
function customizationXml(spec: VmSpec, hostname: string, interfaces: readonly ConnectedInterface[]): XmlObject {
  const identity = typed('CustomizationLinuxPrep', {
    hostName: typed('CustomizationFixedName', { name: hostname }),
    ...{ domain: spec.domain, hwClockUTC: true },
  })
  return {
    options: typed('CustomizationLinuxOptions'),
    identity,
    globalIPSettings: { dnsSuffixList: spec.dnssuffix_list, dnsServerList: spec.dnsserver_list },
    nicSettingMap: interfaces.map(one => ({ adapter: adapterXml(one) })),
  }
}

function adapterXml({ address_list }: ConnectedInterface): XmlObject {
  const v4 = address_list.filter(one => !one.address.includes(':'))
  const own = v4.find(one => one.primary) ?? v4[0]
  if (!own) return { ip: typed('CustomizationDhcpIpGenerator') }
  const { address, netmask, gateway } = own
  return {
    ip: typed('CustomizationFixedIp', { ipAddress: address }),
    ...{ subnetMask: netmask, gateway: gateway ?? undefined },
  }
}
