import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { askableQuery, defineFields, field, fixed, shown, stamps } from '../field.ts'
import { crud, method } from '../method.ts'
import { ipText, subnetText } from '../value/ip.ts'
import { plainName } from '../value/names.ts'

export const addressBlockFields = defineFields('AddressBlock', {
  name: fixed(plainName),
  site: fixed(plainName, { shown: z.string(), filter: plainName }),
  description: field(z.string().default('')),
  /** Network and prefix: `10.0.0.0/24`, `2001:db8::/64`. */
  subnet: field(subnetText, { shown: z.string() }),
  /**
   * Where machines send what is not for the subnet; no Structure may have this address. One outside of the subnet is
   * reached on the wire itself, as a link-local one (`fe80::1`) or that of a hoster.
   */
  gateway: field(ipText.nullable().default(null), { shown: z.string().nullable() }),
  family: shown(z.union([z.literal(4), z.literal(6)])),
  prefix: shown(z.number().int()),
  /** Null for IPv6, which has prefixes only. */
  netmask: shown(z.string().nullable()),
  /** How many addresses it spans, in digits: of IPv6 more than a number can hold. */
  size: shown(z.string()),
  /** What is allowed, and may be a mistake. */
  warnings: shown(z.array(z.string())),
  ...stamps,
})
export const { input: addressBlockInput, changes: addressBlockChanges, view: addressBlockView } = addressBlockFields
export type AddressBlockView = z.output<typeof addressBlockView>

export const addressBlockQuery = askableQuery(addressBlockFields.filter)

/** How the addresses that machines may have are used. */
export const addressBlockUsage = z
  .object({
    static: z.number().int(),
    reserved: z.number().int(),
    dynamic: z.number().int(),
    /** In digits, as `size`. */
    free: z.string(),
  })
  .meta({ id: 'AddressBlockUsage' })
export type AddressBlockUsage = z.output<typeof addressBlockUsage>

export const addressBlock = defineNoun({
  ...{ name: 'AddressBlock', path: 'address-blocks', part: 'addressBlocks', key: { name: 'name', schema: plainName } },
  ...({ subject: 'address-block', events: ['created', 'changed', 'deleted'] } as const),
  methods: {
    ...crud(addressBlockFields, addressBlockQuery, { one: 'an AddressBlock', many: 'AddressBlocks' }),
    usage: method({
      ...({ on: 'one', path: '/usage', output: addressBlockUsage } as const),
      summary: 'How many of its addresses are static, reserved, dynamic and free',
    }),
  },
})
