import { machineSize } from '@contractor/driver'
import { z } from 'zod'

const bootDevices = {
  net: 'network',
  network: 'network',
  hdd: 'hd',
  hd: 'hd',
  disk: 'hd',
  cdrom: 'cdrom',
  dvd: 'cdrom',
} as const

/** `net` and `hdd` as well as libvirt's own names. */
const bootDevice = z.enum(['net', 'network', 'hdd', 'hd', 'disk', 'cdrom', 'dvd']).transform(name => bootDevices[name])

const diskName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,39}$/, 'must be letters, digits, _ and -')

export const isoPath = z
  .string()
  .max(1000)
  .regex(/^\/[^\p{Cc}]*$/u, 'must be an absolute path on the host')

/** What a machine is to be; sizes of disks are in GiB. */
export const machineSpec = machineSize.extend({
  /** What runs it: `kvm`, or `qemu` without the processor's help, which is slow. */
  domain_type: z.enum(['kvm', 'qemu']).default('kvm'),
  arch: z.enum(['x86_64', 'aarch64']).default('x86_64'),
  firmware: z.enum(['bios', 'efi']).default('bios'),
  /** How its ports are on their Networks, whose names are the host's own for them; `user` needs none. */
  network_type: z.enum(['bridge', 'network', 'direct', 'user']).default('bridge'),
  network_model: z.enum(['virtio', 'e1000', 'e1000e', 'rtl8139']).default('virtio'),
  /** One of `disk_size` unless said. */
  disk_list: z
    .array(z.object({ name: diskName, size: machineSize.shape.disk_size }))
    .min(1)
    .max(20)
    .nullable()
    .default(null),
  /** A volume of the pool that the first disk begins as a copy of, as an image of a cloud. */
  image: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,199}$/, 'must be the name of a volume')
    .nullable()
    .default(null),
  boot_order: z.array(bootDevice).max(3).default(['network', 'hd']),
  iso: isoPath.nullable().default(null),
})
export type MachineSpec = z.output<typeof machineSpec>

/** Where the parts of a spec are in the Structure's config. */
export const specKeys = {
  cpu_count: 'cpu_count',
  memory_size: 'memory_size',
  disk_size: 'disk_size',
  domain_type: 'libvirt_domain_type',
  arch: 'libvirt_arch',
  firmware: 'libvirt_firmware',
  network_type: 'libvirt_network_type',
  network_model: 'libvirt_network_model',
  disk_list: 'libvirt_disk_list',
  image: 'libvirt_image',
  boot_order: 'libvirt_boot_order',
  iso: 'libvirt_iso',
} as const
