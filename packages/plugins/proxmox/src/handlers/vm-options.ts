import type { ConnectedInterface } from '@contractor/driver'
import type { VmSpec } from '../vm-spec.ts'
import type { Parameters } from './api.ts'
import { adaptersOf, type VmConfig } from './find-vm.ts'

/** A machine without disks, which is made at once: the parameters of `POST /nodes/NODE/qemu`. */
export const toShell = (spec: VmSpec, interfaces: readonly ConnectedInterface[]): Parameters => ({
  ...sizeOptions(spec),
  ...networkOptions(spec, interfaces),
  ...{ ostype: spec.ostype, bios: spec.bios, scsihw: spec.scsi_controller },
  ...(spec.machine !== null && { machine: spec.machine }),
  ...(spec.pool !== null && { pool: spec.pool }),
})

/** What a machine is to have besides: what it has already is set again, but for disks, so that a second try does no harm. */
export function toChanges(
  spec: VmSpec,
  interfaces: readonly ConnectedInterface[],
  storage: string,
  present: VmConfig,
): Parameters {
  const surplus = adaptersOf(present)
    .map(({ key }) => key)
    .filter(key => Number(key.slice(3)) >= interfaces.length)
  const hasDrive = Object.values(present).some(value => /cloudinit/.test(String(value)))
  return {
    ...sizeOptions(spec),
    ...cloudInitOptions(spec, interfaces),
    ...networkOptions(spec, interfaces, present),
    ...(spec.template === null && diskOptions(spec, storage, present)),
    ...(spec.cloud_init && !hasDrive && { ide0: `${storage}:cloudinit` }),
    ...(spec.iso !== null && { ide2: `${spec.iso},media=cdrom` }),
    ...bootOptions(spec, interfaces),
    ...(surplus.length && { delete: surplus.join(',') }),
  }
}

const diskOptions = ({ disk_size, bios }: VmSpec, storage: string, present: VmConfig): Parameters => ({
  ...(present.scsi0 === undefined && { scsi0: `${storage}:${disk_size}` }),
  // UEFI keeps its variables on a disk of its own.
  ...(bios === 'ovmf' && present.efidisk0 === undefined && { efidisk0: `${storage}:1,efitype=4m` }),
})

/** A template's own order stays, unless another is said. */
function bootOptions({ boot_order, iso, template }: VmSpec, interfaces: readonly ConnectedInterface[]): Parameters {
  if (boot_order === null && template !== null) return {}
  const devices = boot_order ?? (iso === null ? ['net0', 'scsi0'] : ['scsi0', 'ide2', 'net0'])
  // A device that is not there is refused.
  const present = devices.filter(one => !/^net/.test(one) || Number(one.slice(3)) < interfaces.length)
  return { boot: `order=${present.join(';')}` }
}

const sizeOptions = (spec: VmSpec): Parameters => ({
  sockets: 1,
  cores: spec.cpu_count,
  memory: spec.memory_size,
  agent: `enabled=${Number(spec.guest_agent)}`,
  onboot: spec.start_on_boot,
  ...(spec.cpu_type !== null && { cpu: spec.cpu_type }),
})

/** An adapter on another bridge keeps its MAC; one without is given one by Proxmox, from the cluster's range. */
function networkOptions(spec: VmSpec, interfaces: readonly ConnectedInterface[], present: VmConfig = {}): Parameters {
  const before = new Map(adaptersOf(present).map(one => [one.key, one]))
  return Object.fromEntries(
    interfaces.map(({ mac, network }, at) => {
      const key = `net${at}`
      const own = mac ?? before.get(key)?.mac
      return [key, `${spec.network_model}${own ? `=${own.toUpperCase()}` : ''},bridge=${network}`]
    }),
  )
}

function cloudInitOptions(spec: VmSpec, interfaces: readonly ConnectedInterface[]): Parameters {
  if (!spec.cloud_init) return {}
  return {
    ...Object.fromEntries(interfaces.map((one, at) => [`ipconfig${at}`, addressOf(one)])),
    ...(spec.user !== null && { ciuser: spec.user }),
    ...(spec.password !== null && { cipassword: spec.password }),
    // Encoded by itself, and with the form once more.
    ...(spec.ssh_key_list.length && { sshkeys: encodeURIComponent(spec.ssh_key_list.join('\n')) }),
    ...(spec.nameserver_list.length && { nameserver: spec.nameserver_list.join(' ') }),
    ...(spec.search_domain !== null && { searchdomain: spec.search_domain }),
  }
}

/** Proxmox takes one address of each family. */
function addressOf({ address_list }: ConnectedInterface): string {
  const isV6 = ({ address }: { address: string }) => address.includes(':')
  const first = (list: ConnectedInterface['address_list']) => list.find(one => one.primary) ?? list[0]
  const v4 = first(address_list.filter(one => !isV6(one)))
  const v6 = first(address_list.filter(isV6))
  const parts = [
    ...(v4 ? [`ip=${v4.address}/${v4.prefix}`, ...(v4.gateway ? [`gw=${v4.gateway}`] : [])] : []),
    ...(v6 ? [`ip6=${v6.address}/${v6.prefix}`, ...(v6.gateway ? [`gw6=${v6.gateway}`] : [])] : []),
  ]
  return parts.join(',') || 'ip=dhcp'
}
