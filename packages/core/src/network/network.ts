import { z } from 'zod'
import { plainName } from '../name.ts'

/** What a link must carry at least: RFC 791 for IPv4, RFC 8200 (section 5) for IPv6. */
export const lowestMtu = { 4: 68, 6: 1280 } as const

const mtu = z.number().int().min(lowestMtu[4]).max(65_535)

export const carriedBlock = z.strictObject({
  addressBlock: plainName,
  /** None on a Network without VLANs. */
  vlan: z.number().int().min(1).max(4094).nullable().default(null),
  /** Whether frames carry the VLAN's number where interfaces are connected. */
  tagged: z.boolean().default(false),
})

export const networkInput = z.strictObject({
  name: plainName,
  site: plainName,
  description: z.string().default(''),
  /** In bytes; at least 1280 where it carries IPv6. */
  mtu: mtu.default(1500),
  /** What it carries, each block once. */
  addressBlocks: z.array(carriedBlock).default([]),
})

// Without the defaults of creation: what is not given stays as it is.
export const networkChanges = z
  .strictObject({ description: z.string(), mtu, addressBlocks: z.array(carriedBlock) })
  .partial()

export const networkView = z.object({
  name: z.string(),
  site: z.string(),
  description: z.string(),
  mtu: z.number().int(),
  addressBlocks: z.array(
    z.object({ addressBlock: z.string(), vlan: z.number().int().nullable(), tagged: z.boolean() }),
  ),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type NetworkView = z.output<typeof networkView>
