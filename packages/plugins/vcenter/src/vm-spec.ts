import { machineSize } from '@contractor/driver'
import { z } from 'zod'

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const onOff = z.union([z.boolean().transform(on => (on ? 'hvOn' : 'hvOff')), z.enum(['hvAuto', 'hvOn', 'hvOff'])])
const mmuOnOff = z.union([z.boolean().transform(on => (on ? 'on' : 'off')), z.enum(['automatic', 'on', 'off'])])

/** The kinds of virtual adapters, as scripts and resource files call them. */
export const adapterTypes = { E1000: 'VirtualE1000', E1000e: 'VirtualE1000e', vmxnet3: 'VirtualVmxnet3' } as const
const adapterType = z.string().transform((given, context) => {
  const found = Object.keys(adapterTypes).find(one => one.toLowerCase() === given.toLowerCase().replace(/^virtual/, ''))
  if (found !== undefined) return found as keyof typeof adapterTypes
  context.addIssue({ code: 'custom', message: `must be one of ${Object.keys(adapterTypes).join(', ')}` })
  return z.NEVER
})

/** What a machine is to be: of nothing, of a template, or of an appliance (OVA). */
export const vmSpec = z
  .object({
    cpu_count: machineSize.shape.cpu_count,
    memory_size: machineSize.shape.memory_size,
    disk_size: z.coerce.number().int().min(2).max(10_240).default(10),
    /** The URL of an OVA, or of an OVF beside its disks, as the hosts reach it. */
    ova: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null),
    deployment_option: z.string().max(200).default(''),
    ip_protocol: z.enum(['IPv4', 'IPv6']).default('IPv4'),
    disk_provisioning: z.enum(['thin', 'thick']).default('thin'),
    template: z.string().min(1).max(80).nullable().default(null),
    hostname: z
      .string()
      .regex(/^[a-zA-Z0-9-]{1,63}$/, 'must be a host name without dots')
      .nullable()
      .default(null),
    domain: z.string().max(253).default(''),
    dnsserver_list: z.array(z.string().max(253)).max(10).default([]),
    dnssuffix_list: z.array(z.string().max(253)).max(10).default([]),
    /** What the guest finds in its OVF environment. */
    property_map: z.record(z.string(), text).default({}),
    guest_id: z
      .string()
      .regex(/^[a-zA-Z0-9_-]{1,60}$/)
      .default('otherGuest'),
    virtual_exec_usage: onOff.nullable().default(null),
    virtual_mmu_usage: mmuOnOff.nullable().default(null),
    virtual_vhv: z.boolean().nullable().default(null),
    network_interface_class: adapterType.default('E1000'),
    boot_order: z
      .array(z.enum(['net', 'hdd']))
      .max(2)
      .default(['net', 'hdd']),
  })
  .refine(({ ova, template }) => ova === null || template === null, 'has an ova and a template: it can be of one only')
export type VmSpec = z.output<typeof vmSpec>

/** Of the config of the Structure on it. */
export const specKeys = {
  cpu_count: 'cpu_count',
  memory_size: 'memory_size',
  disk_size: 'disk_size',
  ova: 'ova',
  template: 'template',
  property_map: 'vcenter_property_map',
  disk_provisioning: 'vcenter_disk_provisioning',
} as const
export const ovaKeys = { deployment_option: 'vcenter_deployment_option', ip_protocol: 'vcenter_ip_protocol' } as const
export const templateKeys = {
  hostname: 'vcenter_hostname',
  domain: 'vcenter_domain',
  dnsserver_list: 'vcenter_dnsserver_list',
  dnssuffix_list: 'vcenter_dnssuffix_list',
} as const
export const scratchKeys = {
  guest_id: 'vcenter_guest_id',
  virtual_exec_usage: 'vcenter_virtual_exec_usage',
  virtual_mmu_usage: 'vcenter_virtual_mmu_usage',
  virtual_vhv: 'vcenter_virtual_vhv',
  network_interface_class: 'vcenter_network_interface_class',
} as const

export const specDefaults = { cpu_count: 1, memory_size: 1024, disk_size: 10 } as const

export const vmName = z
  .string()
  .max(80)
  .regex(/^[a-zA-Z][a-zA-Z0-9._-]*$/, 'must begin with a letter: it is the machine’s name')
