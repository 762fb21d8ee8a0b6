import type { ConnectedInterface } from '@contractor/driver'
import { adapterTypes, type VmSpec } from '../vm-spec.ts'
import type { Network } from './inventory.ts'
import { refXml, typed } from './vim.ts'
import {
  type Element,
  elementOf,
  listOf,
  type Node,
  numberOf,
  textOf,
  typeOf,
  type Xml,
  type XmlObject,
} from './xml.ts'

/** The devices of a machine, as `config.hardware.device` has them and a `deviceChange` changes them. */
export type Device = Element

const devicesOf = (hardware: Node | undefined): Device[] => listOf(elementOf(hardware).VirtualDevice).map(elementOf)
const keyOf = (device: Device): number => numberOf(device.key)

/** Each kind of adapter is a type of its own; all of them have a MAC. */
export const adaptersOf = (hardware: Node | undefined): Device[] =>
  devicesOf(hardware)
    .filter(one => 'macAddress' in one)
    .sort((one, other) => keyOf(one) - keyOf(other))

export const macsOf = (hardware: Node | undefined): string[] => adaptersOf(hardware).map(one => textOf(one.macAddress))

export const disksOf = (hardware: Node | undefined): Device[] =>
  devicesOf(hardware)
    .filter(one => typeOf(one) === 'VirtualDisk')
    .sort((one, other) => keyOf(one) - keyOf(other))

const change = (operation: 'add' | 'edit' | 'remove', device: XmlObject, fileOperation?: 'create'): XmlObject =>
  typed('VirtualDeviceConfigSpec', { operation, fileOperation, device })

/** Keys below zero are those of what is new: vSphere gives others. */
const controllerKey = -1
const kibibytesOfGib = 1 << 20

export function newDisk({ disk_size, disk_provisioning }: VmSpec): XmlObject[] {
  const controller = typed('ParaVirtualSCSIController', { key: controllerKey, busNumber: 0, sharedBus: 'noSharing' })
  const backing = typed('VirtualDiskFlatVer2BackingInfo', {
    ...{ fileName: '', diskMode: 'persistent', thinProvisioned: disk_provisioning === 'thin' },
  })
  const disk = typed('VirtualDisk', {
    ...{ key: controllerKey - 1, backing, controllerKey, unitNumber: 0, capacityInKB: disk_size * kibibytesOfGib },
  })
  return [change('add', controller), change('add', disk, 'create')]
}

function backingOf({ ref, name, port }: Network): XmlObject {
  if (!port) return typed('VirtualEthernetCardNetworkBackingInfo', { deviceName: name, network: refXml(ref) })
  return typed('VirtualEthernetCardDistributedVirtualPortBackingInfo', {
    port: { switchUuid: port.switchUuid, portgroupKey: port.key },
  })
}

const macXml = (mac: string | null): XmlObject =>
  mac === null ? { addressType: 'generated' } : { addressType: 'manual', macAddress: mac.toLowerCase() }

/**
 * The adapters that are there become those that are wanted, in their order: plugged into their networks, with their MACs where
 * somebody has said them; what lacks is added, and what is too much goes.
 */
export function adapterChanges(
  { network_interface_class: kind }: VmSpec,
  interfaces: readonly ConnectedInterface[],
  networks: ReadonlyMap<string, Network>,
  present: readonly Device[],
): XmlObject[] {
  const connectable = { startConnected: true, allowGuestControl: true, connected: true }
  const wanted = interfaces.map(({ network, mac }, place): XmlObject => {
    const backing = backingOf(networks.get(network) as Network)
    const before = present[place]
    if (!before) {
      const key = controllerKey - 10 - place
      return change('add', typed(adapterTypes[kind], { key, backing, connectable, ...macXml(mac) }))
    }
    const own = mac === null ? {} : macXml(mac)
    const kept = { key: textOf(before.key), backing, connectable, controllerKey: asXml(before.controllerKey) }
    const { unitNumber, addressType, macAddress } = before
    return change(
      'edit',
      typed(typeOf(before), {
        ...{ ...kept, unitNumber: asXml(unitNumber), addressType: asXml(addressType), macAddress: asXml(macAddress) },
        ...own,
      }),
    )
  })
  const surplus = present.slice(interfaces.length).map(one => {
    return change('remove', typed(typeOf(one), { key: textOf(one.key) }))
  })
  return [...wanted, ...surplus]
}

const asXml = (node: Node | undefined): Xml => (node === undefined ? undefined : textOf(node))

/** A disk can grow, and not shrink. Nothing where it is as large already. */
export function grownDisk(disk: Device | undefined, sizeGib: number): XmlObject[] {
  if (!disk || numberOf(disk.capacityInKB) >= sizeGib * kibibytesOfGib) return []
  const { '@_xsi:type': _, capacityInKB: __, capacityInBytes: ___, deviceInfo: ____, ...rest } = disk
  const { key, backing, controllerKey: controller, unitNumber } = rest
  const same = {
    key: asXml(key),
    backing: backing as Xml,
    controllerKey: asXml(controller),
    unitNumber: asXml(unitNumber),
  }
  return [change('edit', typed('VirtualDisk', { ...same, capacityInKB: sizeGib * kibibytesOfGib }))]
}

/** What it boots from, in its order, by the keys that its devices have. */
export function bootOrderXml({ boot_order }: VmSpec, hardware: Node | undefined): XmlObject[] {
  const [adapter] = adaptersOf(hardware)
  const [disk] = disksOf(hardware)
  return boot_order.flatMap((kind): XmlObject[] => {
    if (kind === 'net')
      return adapter
        ? [typed('VirtualMachineBootOptionsBootableEthernetDevice', { deviceKey: textOf(adapter.key) })]
        : []
    return disk ? [typed('VirtualMachineBootOptionsBootableDiskDevice', { deviceKey: textOf(disk.key) })] : []
  })
}
