import { secret } from '@contractor/plugin'
import { z } from 'zod'
import { resourceName } from './connection.ts'

/** Templates give texts: numbers and truths may be some. */
const truth = z.union([z.boolean(), z.enum(['true', 'false', 'True', 'False']).transform(text => /^t/i.test(text))])
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String)
/** It may hold passwords, as a startup script does. */
const metadata = z.union([secret(z.string().max(262_144)), z.number().transform(String), z.boolean().transform(String)])
/** `NAME`, `PROJECT/NAME`, or a whole path. */
const reference = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9.:/_-]{0,499}$/, 'must be a name, PROJECT/NAME, or a path')
const labelKey = z
  .string()
  .regex(/^(?!contractor-)[a-z][a-z0-9_-]{0,62}$/, 'must be a label: small letters, digits, _ and -')
const labelValue = text.pipe(z.string().regex(/^[a-z0-9_-]{0,63}$/, 'must be small letters, digits, _ and -'))

/** What a machine is to be, in the names that scripts read as `foundation.gce_vmspec`. */
export const vmSpec = z
  .object({
    machine_type: z
      .string()
      .regex(/^[a-z][a-z0-9-]{1,62}$/, 'must be a machine type, as e2-medium')
      .default('e2-medium'),
    image: reference.nullable().default(null),
    image_family: reference.nullable().default(null),
    /** In GiB; null for as much as the image has. */
    disk_size: z.coerce.number().int().min(1).max(65_536).nullable().default(null),
    disk_type: z
      .string()
      .regex(/^[a-z][a-z0-9-]{1,62}$/)
      .default('pd-balanced'),
    /** Of the first interface, where its own Network does not say it. */
    network: reference.nullable().default(null),
    subnetwork: reference.nullable().default(null),
    internal_address: z.ipv4().nullable().default(null),
    /** `ephemeral`, `none`, or one that is reserved. */
    external_address: z.union([z.enum(['ephemeral', 'none']), z.ipv4()]).default('ephemeral'),
    /** Its mail address, or `default`; null for a machine without one. */
    service_account: z.string().max(254).nullable().default(null),
    /** `startup-script`, `ssh-keys` … */
    metadata_map: z.record(z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/), metadata).default({}),
    tag_list: z.array(resourceName).max(64).default([]),
    label_map: z.record(labelKey, labelValue).default({}),
    spot: truth.default(false),
  })
  .refine(
    ({ image, image_family }) => (image === null) !== (image_family === null),
    'needs gce_image or gce_image_family, one of the two',
  )
export type VmSpec = z.output<typeof vmSpec>

/** In which config values it is written: `gce_machine_type` … */
export const specKeys = Object.fromEntries(Object.keys(vmSpec.shape).map(name => [name, `gce_${name}`]))

/** One interface of a machine. */
export const nic = z.object({
  /** As the Foundation calls it. */
  name: z.string(),
  network: reference.nullable(),
  subnetwork: reference.nullable(),
  address: z.ipv4().nullable(),
})
export type Nic = z.output<typeof nic>

const planned = z.object({
  name: z.string(),
  network: z.string().nullable().default(null),
  address_list: z.array(z.looseObject({ address: z.string() })).default([]),
})

/** The interfaces of a machine: those of its Foundation, with their Networks and addresses, or one by the spec alone. */
export function nicsOf(spec: VmSpec, interfaces: unknown): Nic[] {
  const own = z.array(planned).parse(interfaces ?? [])
  const all = own.length ? own : [{ name: 'eth0', network: null, address_list: [] }]
  return all.map(({ name, network, address_list }, at) => {
    const address = address_list.map(one => one.address).find(one => z.ipv4().safeParse(one).success)
    if (at > 0) return { name, network, subnetwork: null, address: address ?? null }
    return {
      name,
      network: spec.network ?? (spec.subnetwork === null ? network : null),
      subnetwork: spec.subnetwork,
      address: spec.internal_address ?? address ?? null,
    }
  })
}
