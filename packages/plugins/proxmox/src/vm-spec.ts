import { machineSize } from '@contractor/driver'
import { secret } from '@contractor/plugin'
import { z } from 'zod'
import { nodeName, storageName } from './connection.ts'

/** What Proxmox takes as a value in a list of them: no comma, and no line of its own. */
const plain = z
  .string()
  .max(500)
  .regex(/^[^,\s\p{Cc}]+$/u, 'must be without spaces and commas')

/** `[net0, scsi0]`, or in one text with semicolons. */
const bootOrder = z
  .union([z.array(z.string()), z.string().transform(text => text.replace(/^order=/, '').split(/[;,\s]+/))])
  .pipe(z.array(z.string().regex(/^(net|scsi|virtio|sata|ide)\d{1,2}$/, 'must be devices, as net0 and scsi0')).max(20))

/** What a machine is to be. */
export const vmSpec = z.object({
  cpu_count: machineSize.shape.cpu_count,
  memory_size: machineSize.shape.memory_size,
  disk_size: z.coerce.number().int().min(2).max(10_240).default(10),
  /** Proxmox’s word for the guest: `l26`, `win11`, `other` … */
  ostype: plain.default('l26'),
  storage: storageName.nullable().default(null),
  node: nodeName.nullable().default(null),
  pool: plain.nullable().default(null),
  /** The name or id of a template that it is a clone of. */
  template: z
    .union([z.string().min(1).max(100), z.number().int()])
    .transform(String)
    .nullable()
    .default(null),
  /** False: it shares its template's disk, and cannot be without it. */
  full_clone: z.boolean().default(true),
  /** An image in its drive: `local:iso/debian.iso`. */
  iso: plain
    .regex(/^[^:]+:/, 'must be STORAGE:iso/FILE')
    .nullable()
    .default(null),
  boot_order: bootOrder.nullable().default(null),
  bios: z.enum(['seabios', 'ovmf']).default('seabios'),
  machine: plain.nullable().default(null),
  cpu_type: plain.nullable().default(null),
  scsi_controller: plain.default('virtio-scsi-single'),
  network_model: z.enum(['virtio', 'e1000', 'e1000e', 'rtl8139', 'vmxnet3']).default('virtio'),
  guest_agent: z.boolean().default(true),
  start_on_boot: z.boolean().default(false),
  /** A drive for cloud-init, with the addresses of its interfaces, and this user. */
  cloud_init: z.boolean().default(false),
  user: z.string().max(100).nullable().default(null),
  password: secret(z.string().min(5).max(200)).nullable().default(null),
  ssh_key_list: z.array(z.string().max(10_000)).max(100).default([]),
  nameserver_list: z.array(z.string().max(253)).max(10).default([]),
  search_domain: z.string().max(253).nullable().default(null),
})
export type VmSpec = z.output<typeof vmSpec>

/** Of the config of the Structure on it. */
export const specKeys = {
  cpu_count: 'cpu_count',
  memory_size: 'memory_size',
  disk_size: 'disk_size',
  ostype: 'proxmox_ostype',
  storage: 'proxmox_storage',
  node: 'proxmox_node',
  pool: 'proxmox_pool',
  template: 'proxmox_template',
  full_clone: 'proxmox_full_clone',
  iso: 'proxmox_iso',
  boot_order: 'proxmox_boot_order',
  bios: 'proxmox_bios',
  machine: 'proxmox_machine',
  cpu_type: 'proxmox_cpu_type',
  scsi_controller: 'proxmox_scsi_controller',
  network_model: 'proxmox_network_model',
  guest_agent: 'proxmox_guest_agent',
  start_on_boot: 'proxmox_start_on_boot',
  cloud_init: 'proxmox_cloud_init',
  user: 'proxmox_user',
  password: 'proxmox_password',
  ssh_key_list: 'proxmox_ssh_key_list',
  nameserver_list: 'proxmox_nameserver_list',
  search_domain: 'proxmox_search_domain',
} as const

export const specDefaults = { cpu_count: 1, memory_size: 1024, disk_size: 10 } as const

/** Foundations are named so that Proxmox can have their names: it takes DNS names only. */
export const vmName = z
  .string()
  .regex(
    /^[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/,
    'must be letters, digits and dashes, beginning with a letter: Proxmox takes the locator as the machine’s name',
  )
