import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { askableQuery, defineFields, field, fixed, stamps } from '../field.ts'
import { crud } from '../method.ts'
import { plainName } from '../value/names.ts'

/** What a link must carry at least: RFC 791 for IPv4, RFC 8200 (section 5) for IPv6. */
export const lowestMtu = { 4: 68, 6: 1280 } as const

export const carriedBlock = z.strictObject({
  addressBlock: plainName,
  /** None on a Network without VLANs. */
  vlan: z.number().int().min(1).max(4094).nullable().default(null),
  /** Whether frames carry the VLAN's number where interfaces are connected. */
  tagged: z.boolean().default(false),
})

export const networkFields = defineFields('Network', {
  name: fixed(plainName),
  site: fixed(plainName, { shown: z.string(), filter: plainName }),
  description: field(z.string().default('')),
  /** In bytes; at least 1280 where it carries IPv6. */
  mtu: field(z.number().int().min(lowestMtu[4]).max(65_535).default(1500), { shown: z.number().int() }),
  /** What it carries, each block once. */
  addressBlocks: field(z.array(carriedBlock).default([]), {
    shown: z.array(z.object({ addressBlock: z.string(), vlan: z.number().int().nullable(), tagged: z.boolean() })),
  }),
  ...stamps,
})
export const { input: networkInput, changes: networkChanges, view: networkView } = networkFields
export type NetworkView = z.output<typeof networkView>

export const networkQuery = askableQuery(networkFields.filter)

export const network = defineNoun({
  ...{ name: 'Network', path: 'networks', part: 'networks', key: { name: 'name', schema: plainName } },
  ...({ subject: 'network', events: ['created', 'changed', 'deleted'] } as const),
  methods: crud(networkFields, networkQuery, { one: 'a Network', many: 'Networks' }),
})
