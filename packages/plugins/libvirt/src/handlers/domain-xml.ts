import type { MachineInterface } from '@contractor/driver'
import { XMLBuilder } from 'fast-xml-parser'
import type { MachineSpec } from '../machine-spec.ts'
import { nameSpace } from './domain.ts'

const machines = { x86_64: 'q35', aarch64: 'virt' } as const
/** What a port's Network is the name of. */
const sources = { bridge: 'bridge', network: 'network', direct: 'dev' } as const

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true })

export interface WantedDomain {
  readonly id: string
  readonly name: string
  readonly callId: string
  readonly spec: MachineSpec
  readonly ports: readonly MachineInterface[]
  readonly pool: string
}

/** Its disks, with the volumes that they are. */
export const disksOf = ({ name, spec }: Pick<WantedDomain, 'name' | 'spec'>) =>
  (spec.disk_list ?? [{ name: 'sda', size: spec.disk_size }]).map(disk => ({
    volume: `${name}-${disk.name}.qcow2`,
    size: disk.size,
  }))

/** A machine, as libvirt takes it (https://libvirt.org/formatdomain.html). */
export function toXml(wanted: WantedDomain): string {
  const { id, name, callId, spec, ports, pool } = wanted
  const { domain_type, arch, firmware, cpu_count, memory_size, boot_order, iso } = spec
  const disks = disksOf(wanted).map(({ volume }, at) => ({
    '@type': 'volume',
    '@device': 'disk',
    driver: { '@name': 'qemu', '@type': 'qcow2', '@discard': 'unmap' },
    source: { '@pool': pool, '@volume': volume },
    target: { '@dev': `vd${String.fromCharCode(97 + at)}`, '@bus': 'virtio' },
  }))
  const drive = {
    '@type': 'file',
    '@device': 'cdrom',
    driver: { '@name': 'qemu', '@type': 'raw' },
    ...(iso !== null && { source: { '@file': iso } }),
    target: { '@dev': 'sda', '@bus': arch === 'x86_64' ? 'sata' : 'scsi' },
    readonly: '',
  }
  return builder.build({
    domain: {
      '@type': domain_type,
      name,
      uuid: id,
      metadata: { 'contractor:machine': { '@xmlns:contractor': nameSpace, '@name': name, '@call': callId } },
      memory: { '@unit': 'MiB', '#text': memory_size },
      vcpu: cpu_count,
      os: {
        ...(firmware === 'efi' && { '@firmware': 'efi' }),
        type: { '@arch': arch, '@machine': machines[arch], '#text': 'hvm' },
        ...(firmware === 'efi' && { firmware: { feature: { '@enabled': 'no', '@name': 'secure-boot' } } }),
        boot: boot_order.map(device => ({ '@dev': device })),
      },
      features: { acpi: '', ...(arch === 'x86_64' && { apic: '' }) },
      ...(domain_type === 'kvm' && { cpu: { '@mode': 'host-passthrough' } }),
      on_poweroff: 'destroy',
      on_reboot: 'restart',
      on_crash: 'destroy',
      devices: {
        disk: [...disks, drive],
        interface: ports.map(port => toPort(spec, port)),
        serial: { '@type': 'pty' },
        channel: { '@type': 'unix', target: { '@type': 'virtio', '@name': 'org.qemu.guest_agent.0' } },
        graphics: { '@type': 'vnc', '@autoport': 'yes', '@listen': '127.0.0.1' },
        rng: { '@model': 'virtio', backend: { '@model': 'random', '#text': '/dev/urandom' } },
      },
    },
  })
}

function toPort({ network_type, network_model }: MachineSpec, { mac, network }: MachineInterface) {
  const isOn = network_type !== 'user' && network !== null
  return {
    '@type': isOn ? network_type : 'user',
    ...(mac !== null && { mac: { '@address': mac } }),
    ...(isOn && { source: { [`@${sources[network_type]}`]: network } }),
    model: { '@type': network_model },
  }
}
