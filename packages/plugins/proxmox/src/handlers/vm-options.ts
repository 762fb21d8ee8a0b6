import type { VmInterface } from '@contractor/driver'
import type { VmSpec } from '../vm-spec.ts'
import type { Parameters } from './api.ts'
import { adaptersOf, type VmConfig } from './find-vm.ts'

/** What a machine is made of: the parameters of `POST /nodes/NODE/qemu`, without those that a template has already. */
export function toOptions(spec: VmSpec, interfaces: readonly VmInterface[], storage: string): Parameters {
  const devices = spec.boot_order ?? [...(spec.iso === null ? ['net0', 'scsi0'] : ['scsi0', 'ide2', 'net0'])]
  return {
    ...sizeOptions(spec),
    ...cloudInitOptions(spec, interfaces),
    ...networkOptions(spec, interfaces),
    ostype: spec.ostype,
    bios: spec.bios,
    scsihw: spec.scsi_controller,
    scsi0: `${storage}:${spec.disk_size}`,
    // UEFI keeps its variables on a disk of its own.
    ...(spec.bios === 'ovmf' && { efidisk0: `${storage}:1,efitype=4m` }),
    ...(spec.machine !== null && { machine: spec.machine }),
    ...(spec.iso !== null && { ide2: `${spec.iso},media=cdrom` }),
    ...(spec.cloud_init && { ide0: `${storage}:cloudinit` }),
    // A device that is not there is refused.
    boot: `order=${devices.filter(one => !/^net/.test(one) || Number(one.slice(3)) < interfaces.length).join(';')}`,
    ...(spec.pool !== null && { pool: spec.pool }),
  }
}

/** What a clone is to have other than its template: what it has, too, is set again, so that a second try does no harm. */
export function toChanges(
  spec: VmSpec,
  interfaces: readonly VmInterface[],
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
    ...(spec.cloud_init && !hasDrive && { ide0: `${storage}:cloudinit` }),
    ...(spec.iso !== null && { ide2: `${spec.iso},media=cdrom` }),
    ...(spec.boot_order !== null && { boot: `order=${spec.boot_order.join(';')}` }),
    ...(surplus.length && { delete: surplus.join(',') }),
  }
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
function networkOptions(spec: VmSpec, interfaces: readonly VmInterface[], present: VmConfig = {}): Parameters {
  const before = new Map(adaptersOf(present).map(one => [one.key, one]))
  return Object.fromEntries(
    interfaces.map(({ mac, network }, at) => {
      const key = `net${at}`
      const own = mac ?? before.get(key)?.mac
      return [key, `${spec.network_model}${own ? `=${own.toUpperCase()}` : ''},bridge=${network}`]
    }),
  )
}

function cloudInitOptions(spec: VmSpec, interfaces: readonly VmInterface[]): Parameters {
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
function addressOf({ address_list }: VmInterface): string {
  const isV6 = ({ address }: { address: string }) => address.includes(':')
  const first = (list: VmInterface['address_list']) => list.find(one => one.primary) ?? list[0]
  const v4 = first(address_list.filter(one => !isV6(one)))
  const v6 = first(address_list.filter(isV6))
  const parts = [
    ...(v4 ? [`ip=${v4.address}/${v4.prefix}`, ...(v4.gateway ? [`gw=${v4.gateway}`] : [])] : []),
    ...(v6 ? [`ip6=${v6.address}/${v6.prefix}`, ...(v6.gateway ? [`gw6=${v6.gateway}`] : [])] : []),
  ]
  return parts.join(',') || 'ip=dhcp'
}
