import { ContractorError } from '@contractor/plugin'
import { eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import { type Db, executePrepared } from '../database/database.ts'
import { addressBlock } from '../database/network-schema.ts'
import { plainName } from '../name.ts'
import { refuseField } from '../references.ts'
import { containsIp, type Ip, ipText, netmaskOf, parseIp, parseSubnet, subnetText, whyUnusable } from './subnet.ts'

export const addressBlockInput = z.strictObject({
  name: plainName,
  site: plainName,
  description: z.string().default(''),
  /** Network and prefix: `10.0.0.0/24`, `2001:db8::/64`. */
  subnet: subnetText,
  /**
   * Where machines send what is not for the subnet; no Structure may have this address. One outside of the subnet is
   * reached on the wire itself, as a link-local one (`fe80::1`) or that of a hoster.
   */
  gateway: ipText.nullable().default(null),
})

// Without the defaults of creation: what is not given stays as it is.
export const addressBlockChanges = z
  .strictObject({ description: z.string(), subnet: subnetText, gateway: ipText.nullable() })
  .partial()

export const addressBlockView = z.object({
  name: z.string(),
  site: z.string(),
  description: z.string(),
  subnet: z.string(),
  gateway: z.string().nullable(),
  family: z.union([z.literal(4), z.literal(6)]),
  prefix: z.number().int(),
  /** Null for IPv6, which has prefixes only. */
  netmask: z.string().nullable(),
  /** How many addresses it spans, in digits: of IPv6 more than a number can hold. */
  size: z.string(),
  /** What is allowed, and may be a mistake. */
  warnings: z.array(z.string()),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type AddressBlockView = z.output<typeof addressBlockView>

/** How the addresses that machines may have are used. */
export const addressBlockUsage = z.object({
  static: z.number().int(),
  reserved: z.number().int(),
  dynamic: z.number().int(),
  /** In digits, as `size`. */
  free: z.string(),
})
export type AddressBlockUsage = z.output<typeof addressBlockUsage>

export type AddressBlockRow = typeof addressBlock.$inferSelect

export function toAddressBlockView(row: AddressBlockRow): AddressBlockView {
  const subnet = parseSubnet(row.subnet)
  return {
    name: row.name,
    site: row.site,
    description: row.description,
    subnet: row.subnet,
    gateway: row.gateway,
    family: subnet.family,
    prefix: subnet.prefix,
    netmask: netmaskOf(subnet),
    size: String(subnet.size),
    warnings: gatewayWarnings(row),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

const missing = (name: string) =>
  new ContractorError('NOT_FOUND', `AddressBlock '${name}' does not exist`, { kind: 'AddressBlock', id: name })

export async function requireAddressBlock(db: Db, name: string): Promise<AddressBlockRow> {
  const [row] = await db.select().from(addressBlock).where(eq(addressBlock.name, name))
  if (!row) throw missing(name)
  return row
}

/**
 * Whoever adds an address to a block, or moves the block, holds this lock until its transaction ends. Sent at once when
 * it is called, which a query of the builder is not: what is sent after it runs when the lock is held.
 */
export async function lockAddressBlock(tx: Db, name: string): Promise<void> {
  const statement = sql`select from contractor.address_block where name = ${name} for no key update`
  const found = await executePrepared(tx, statement)
  if (!found.length) throw missing(name)
}

const isLinkLocal = ({ family, value }: Ip) => (family === 4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan)

/** Whether the gateway takes one of the addresses of its block. */
export const hasGatewayWithin = ({ subnet, gateway }: { subnet: string; gateway: string | null }): boolean =>
  gateway !== null && containsIp(parseSubnet(subnet), parseIp(gateway))

/** A link-local one is never a typing error: nobody has such a subnet. */
function gatewayWarnings({ subnet, gateway }: AddressBlockRow): string[] {
  if (gateway === null || hasGatewayWithin({ subnet, gateway }) || isLinkLocal(parseIp(gateway))) return []
  return [`The gateway ${gateway} is not in ${subnet}: machines need a route to it on the wire itself`]
}

/** A gateway is an address of its block that a machine could have, or one outside of it, of the same family. */
export function checkGateway(name: string, subnet: string, gateway: string | null): void {
  if (gateway === null) return
  const parsed = parseSubnet(subnet)
  const refuse = (why: string) =>
    refuseField('gateway', `AddressBlock '${name}' cannot have the gateway ${gateway}: it ${why}`)
  const ip = parseIp(gateway)
  if (ip.family !== parsed.family) throw refuse(`is not of the family of ${subnet}`)
  if (!containsIp(parsed, ip)) return
  if (parsed.size === 1n) throw refuse(`would leave no address in ${subnet}`)
  const why = whyUnusable(parsed, ip, null)
  if (why) throw refuse(why)
}
