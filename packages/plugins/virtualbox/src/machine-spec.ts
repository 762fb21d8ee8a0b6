import { machineSize } from '@contractor/driver'
import { z } from 'zod'

/** Names of VirtualBox's programming interface, which files from elsewhere write, to those of VBoxManage. */
const adapterNames: Readonly<Record<string, string>> = {
  I82540EM: '82540EM',
  I82543GC: '82543GC',
  I82545EM: '82545EM',
  Virtio: 'virtio',
}
const adapters = ['Am79C970A', 'Am79C973', 'Am79C960', '82540EM', '82543GC', '82545EM', 'virtio'] as const

const adapterType = z
  .string()
  .transform(name => adapterNames[name] ?? name)
  .pipe(z.enum(adapters))

/** `hdd` as well as `disk`. */
const bootDevice = z
  .enum(['none', 'floppy', 'dvd', 'disk', 'hdd', 'net'])
  .transform(name => (name === 'hdd' ? 'disk' : name))

const diskName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,39}$/, 'must be letters, digits, _ and -')

export const isoPath = z
  .string()
  .max(1000)
  .regex(/^\/[^\p{Cc}]*$/u, 'must be an absolute path on the host')

const size = machineSize.shape.disk_size

/** What a machine is to be; sizes of disks are in GiB. */
export const machineSpec = machineSize.extend({
  virtualbox_guest_type: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$/, 'must be a guest type, as Debian_64: see VBoxManage list ostypes')
    .default('Other'),
  virtualbox_network_adapter_type: adapterType.default('82540EM'),
  /** How its ports are on their Networks, whose names are the host's own for them. */
  network_type: z.enum(['hostonly', 'bridged', 'intnet', 'natnetwork']).default('hostonly'),
  /** One of `disk_size` unless said. */
  disk_list: z
    .array(z.object({ name: diskName, size }))
    .max(29)
    .nullable()
    .default(null),
  boot_order: z.array(bootDevice).max(4).default(['net', 'disk']),
  iso: isoPath.nullable().default(null),
})
export type MachineSpec = z.output<typeof machineSpec>

/** Where the parts of a spec are in the Structure's config. */
export const specKeys = {
  cpu_count: 'cpu_count',
  memory_size: 'memory_size',
  disk_size: 'disk_size',
  virtualbox_guest_type: 'virtualbox_guest_type',
  virtualbox_network_adapter_type: 'virtualbox_network_adapter_type',
  network_type: 'virtualbox_network_type',
  disk_list: 'virtualbox_disk_list',
  boot_order: 'virtualbox_boot_order',
  iso: 'virtualbox_iso',
} as const
