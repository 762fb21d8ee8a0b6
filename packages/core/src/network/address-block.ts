import { type AddressBlockView, ContractorError, type Ip, parseIp } from '@contractor/contract'
import { eq, sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../database/database.ts'
import { takingLock } from '../database/lock-order.ts'
import { addressBlock } from '../database/network-schema.ts'
import { refuseField } from '../noun/references.ts'
import { shownStamps } from '../noun/stamps.ts'
import { containsIp, netmaskOf, parseSubnet, whyUnusable } from './subnet.ts'

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
    ...shownStamps(row),
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
  takingLock(tx, 'address-block')
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
