import { type MachineInterface, machineInterface } from '@contractor/driver'
import { secret } from '@contractor/plugin'
import { z } from 'zod'

/** Templates give texts: numbers may be some. */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const name = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,79}$/, 'must be a name of Azure')
/** Of the market, or one of one's own by its whole id. */
const image = z.union([
  z.strictObject({ publisher: text, offer: text, sku: text, version: text }),
  z.string().regex(/^\/subscriptions\/[^?#\s]+$/, 'must be an image’s id, as /subscriptions/…'),
])

/** What a machine is to be, in the names of the config values, which scripts read as `foundation.azure_vmspec`. */
export const vmSpec = z
  .object({
    azure_size: z
      .string()
      .regex(/^[A-Za-z0-9_-]{2,64}$/, 'must be a size, as Standard_B2s')
      .default('Standard_D1_v2'),
    azure_image: image,
    azure_admin_username: z.string().regex(/^[a-zA-Z_][a-zA-Z0-9._-]{0,63}$/, 'must be the name of a user'),
    azure_admin_password: secret(z.string().min(12).max(123)).nullable().default(null),
    azure_ssh_public_key: z
      .string()
      .regex(/^(ssh|ecdsa)-\S+ \S+/, 'must be a public key of SSH')
      .nullable()
      .default(null),
    /** What cloud-init reads as it first starts. */
    azure_custom_data: secret(z.string().max(65_535)).nullable().default(null),
    /** In GiB; null for as much as the image has. */
    azure_disk_size: z.coerce.number().int().min(1).max(4095).nullable().default(null),
    azure_disk_type: z
      .enum(['Standard_LRS', 'StandardSSD_LRS', 'Premium_LRS', 'StandardSSD_ZRS', 'Premium_ZRS'])
      .nullable()
      .default(null),
    /** Of interfaces without a Network: the virtual network; of all, the subnet and the security group. */
    azure_network: name.nullable().default(null),
    azure_subnet: name.default('default'),
    azure_security_group: name.nullable().default(null),
    /** The availability zone. */
    azure_zone: text
      .pipe(z.string().regex(/^[1-9]$/, 'must be an availability zone, as 1'))
      .nullable()
      .default(null),
    azure_tag_map: z
      .record(z.string().regex(/^(?!contractor\.)[^<>%&\\?/]{1,512}$/, 'must be a tag’s name'), text)
      .default({}),
  })
  .refine(
    ({ azure_admin_password: word, azure_ssh_public_key: key }) => word !== null || key !== null,
    'needs azure_admin_password or azure_ssh_public_key',
  )
export type VmSpec = z.output<typeof vmSpec>

export const specKeys = Object.fromEntries(Object.keys(vmSpec.shape).map(key => [key, key]))

/** One interface of a machine. */
export const nic = z.object({
  name: z.string().min(1),
  /** Where it is in the Foundation; null where that has no interfaces. */
  location: z.string().nullable(),
  network: name,
  /** Its addresses, IPv4 first; none where Azure chooses one. */
  addresses: z.array(z.union([z.ipv4(), z.ipv6()])),
})
export type Nic = z.output<typeof nic>

const planned = machineInterface.extend({
  address_list: z.array(z.looseObject({ address: z.union([z.ipv4(), z.ipv6()]) })).default([]),
})

/** The interfaces of a machine: those of its Foundation, with their Networks and addresses, or one by the spec alone. */
export function nicsOf({ azure_network: usual }: VmSpec, interfaces: unknown): Nic[] {
  const own = z.array(planned).parse(interfaces ?? [])
  const networkOf = ({ network, name: which }: Pick<MachineInterface, 'name' | 'network'>) => {
    const found = network ?? usual
    if (found === null) throw new Error(`Interface '${which}' is on no Network: set that, or azure_network`)
    return name.parse(found)
  }
  if (!own.length)
    return [{ name: 'eth0', location: null, network: networkOf({ name: 'eth0', network: null }), addresses: [] }]
  return own.map(one => {
    const addresses = one.address_list.map(({ address }) => address)
    const isV4 = (address: string) => !address.includes(':')
    return {
      ...{ name: one.name, location: one.physical_location ?? one.name, network: networkOf(one) },
      // The first configuration of an interface is an IPv4 one, or Azure refuses it.
      addresses: addresses.some(isV4) ? [...addresses.filter(isV4), ...addresses.filter(one => !isV4(one))] : [],
    }
  })
}
