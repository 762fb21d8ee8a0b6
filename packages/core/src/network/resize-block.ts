import { ContractorError, formatIp, parseIp, type Subnet } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import { refuseField } from '../noun/references.ts'
import { type AddressBlockRow, checkGateway } from './address-block.ts'
import { contains, containsIp, parseSubnet, usableRange } from './subnet.ts'

/**
 * A block whose new subnet contains the old one, or lies within it, is resized: its addresses stay what they are. Any
 * other change of subnet moves it: every address, and the gateway, keeps its distance from the beginning. Either way
 * each address must be one that a machine may have in the new subnet; those that would not be are listed, and nothing
 * is changed.
 */
export async function resizeBlock(
  engine: Engine,
  tx: Db,
  before: AddressBlockRow,
  changes: { subnet?: string | undefined; gateway?: string | null | undefined },
): Promise<{ subnet: string; gateway: string | null }> {
  const from = parseSubnet(before.subnet)
  const subnet = changes.subnet ?? before.subnet
  const to = parseSubnet(subnet)
  const stays = contains(to, from) || contains(from, to)
  if (from.family !== to.family) await refuseAddresses(tx, before.name, subnet)
  const gateway = changes.gateway === undefined ? moveGateway(before, from, to, stays) : changes.gateway
  checkGateway(before.name, subnet, gateway)
  if (from.family !== to.family) return { subnet, gateway }

  // Network and host part are put together by bits: PostgreSQL cannot add more than 64 of them.
  const offset = sql`(ip & hostmask(${before.subnet}::cidr))`
  const moved = stays ? sql`ip` : sql`(${formatIp({ family: to.family, value: to.first })}::inet | ${offset})`
  const outside = stays ? sql`false` : sql`${offset} > hostmask(${subnet}::cidr)`
  await refuseMisfits(tx, before.name, { subnet, to, gateway, moved, outside })
  if (!stays) {
    await tx.execute(sql`update contractor.address set ip = ${moved}, updated_at = ${engine.clock.now()}
      where address_block = ${before.name}`)
  }
  return { subnet, gateway }
}

function moveGateway({ name, gateway }: AddressBlockRow, from: Subnet, to: Subnet, stays: boolean): string | null {
  if (gateway === null) return gateway
  // One outside is on the wire, wherever the block is. That one within comes to be outside is to be said.
  const isWithin = containsIp(from, parseIp(gateway))
  if (from.family === to.family && (!isWithin || (stays && containsIp(to, parseIp(gateway))))) return gateway
  if (from.family !== to.family) {
    throw refuseField('gateway', `AddressBlock '${name}' changes its family: say its new gateway too, or null for none`)
  }
  const offset = parseIp(gateway).value - from.first
  if (!stays && offset < to.size) return formatIp({ family: to.family, value: to.first + offset })
  throw refuseField(
    'gateway',
    `The gateway ${gateway} of AddressBlock '${name}' would be outside: say a new one, or null`,
  )
}

async function refuseAddresses(tx: Db, name: string, subnet: string): Promise<void> {
  const [used] = await executeRows<{ count: number }>(
    tx,
    sql`select count(*)::int as count from contractor.address where address_block = ${name}`,
  )
  if (!used?.count) return
  const message = `AddressBlock '${name}' cannot become ${subnet}: it has ${used.count} addresses of the other family; delete those first`
  throw new ContractorError('IN_USE', message, { kind: 'AddressBlock', id: name, by: [`${used.count} addresses`] })
}

interface Plan {
  subnet: string
  to: Subnet
  gateway: string | null
  /** Where an address will be, and whether that is too far from the beginning. */
  moved: SQL
  outside: SQL
}

async function refuseMisfits(tx: Db, name: string, { subnet, to, gateway, moved, outside }: Plan): Promise<void> {
  const usable = usableRange(to)
  const [first, last] = [usable.first, usable.last].map(value => formatIp({ family: to.family, value }))
  const misfits = await executeRows<{ ip: string; count: number }>(
    tx,
    sql`select host(ip) as ip, (count(*) over ())::int as count from contractor.address
        where address_block = ${name}
          and (${outside} or ${moved} < ${first}::inet or ${moved} > ${last}::inet
            or coalesce(${moved} = ${gateway}::inet, false))
        order by contractor.address.ip limit 20`,
  )
  const count = misfits[0]?.count ?? 0
  if (!count) return
  const listed = misfits.map(one => one.ip)
  const more = count > listed.length ? ` and ${count - listed.length} more` : ''
  throw new ContractorError(
    'IN_USE',
    `AddressBlock '${name}' cannot become ${subnet}${gateway === null ? '' : ` with the gateway ${gateway}`}: no machine could have ${listed.join(', ')}${more} there; delete or change those first`,
    { kind: 'AddressBlock', id: name, by: listed.map(ip => `Address ${ip}`) },
  )
}
