import type { AddressBlockUsage } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'
import { hasGatewayWithin } from './address-block.ts'
import { parseSubnet, usableRange } from './subnet.ts'

/** Counts the addresses of a block; what is free is what machines may have, less these and a gateway that is one of them. */
export async function loadUsage(
  db: Db,
  block: { name: string; subnet: string; gateway: string | null },
): Promise<AddressBlockUsage> {
  const rows = await executeRows<{ kind: 'static' | 'reserved' | 'dynamic'; count: number }>(
    db,
    sql`select kind, count(*)::int as count from contractor.address where address_block = ${block.name} group by kind`,
  )
  const count = (kind: string) => rows.find(row => row.kind === kind)?.count ?? 0
  const used = { static: count('static'), reserved: count('reserved'), dynamic: count('dynamic') }
  const { first, last } = usableRange(parseSubnet(block.subnet))
  const taken = used.static + used.reserved + used.dynamic + (hasGatewayWithin(block) ? 1 : 0)
  return { ...used, free: String(last - first + 1n - BigInt(taken)) }
}
