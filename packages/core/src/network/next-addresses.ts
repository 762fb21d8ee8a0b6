import { type AddressOwner, type AddressView, ContractorError } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import { type Db, executePrepared, together } from '../database/database.ts'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { insertStatement, ownerColumns, recordAdded } from './add-addresses.ts'
import { type AddressViewRow, toAddressView } from './address.ts'
import { hasGatewayWithin, lockAddressBlock, requireAddressBlock } from './address-block.ts'
import { type Owner, prepareOwners } from './address-laws.ts'
import { loadUsage } from './block-usage.ts'
import { guessedFree, lowestFree } from './free-addresses.ts'

export interface Search {
  addressBlock: string
  order: 'lowest' | 'random'
}

/**
 * Gives addresses that are free to what is asked for, all or none. The row of the block is locked first, by a statement
 * of its own: the next one then sees what the holder before has added. Callers therefore take turns for as long as one
 * search takes, and none of them fails for another.
 *
 * The hint `next_free` of a block, below which nothing is free, rises with each search for the lowest, and is lowered by
 * a trigger when addresses are deleted: a search starts where the last one ended.
 */
export async function addNextAddresses(
  engine: Engine,
  tx: Db,
  { addressBlock, order }: Search,
  asked: readonly AddressOwner[],
  options: CallOptions,
): Promise<AddressView[]> {
  const owners = await prepareOwners(tx, asked)
  const first =
    order === 'lowest' ? lowestFree(addressBlock, owners.length, 'hint') : guessedFree(addressBlock, owners.length)
  // Sent together: the lock is held for one round trip less. Each statement still sees what was committed before it.
  const [, found] = await together([
    lockAddressBlock(tx, addressBlock),
    allocate(engine, tx, addressBlock, owners, first, order === 'lowest'),
  ])
  let added = found
  // A block that is nearly full: from some point on, and then from the beginning.
  for (const from of order === 'random' ? (['random', 'first'] as const) : []) {
    if (added.length) break
    added = await allocate(engine, tx, addressBlock, owners, lowestFree(addressBlock, owners.length, from), false)
  }
  if (!added.length) throw await refuseFull(tx, addressBlock, owners.length)
  await recordAdded(engine, tx, added, options)
  return added
}

/** Adds all of them on the free addresses that the search finds, or none when these are too few. */
async function allocate(
  engine: Engine,
  tx: Db,
  addressBlock: string,
  owners: readonly Owner[],
  search: SQL,
  hints: boolean,
): Promise<AddressView[]> {
  const rows = JSON.stringify(owners.map((one, at) => ({ ...one, at: at + 1 })))
  const source = sql`(
    select owner.*, free.ip, ${addressBlock}::text as "addressBlock"
    from jsonb_to_recordset(${rows}::jsonb) as owner(at int, ${ownerColumns}) join free on free.at = owner.at
    where (select count(*) from free) = ${owners.length}::int) new`
  const hint = sql`hinted as (
    update contractor.address_block changed set next_free = least(reached.ip + (reached.ip < block.last)::int, block.last)
    from block cross join (select max(ip) as ip, count(*) as count from free) reached
    where changed.name = block.name and reached.count = ${owners.length}::int),`
  const found = await executePrepared<AddressViewRow>(
    tx,
    sql`with recursive ${search}, ${hints ? hint : sql``} address as (${insertStatement(engine, source)})
        select * from address order by ip::inet`,
  )
  return found.map(toAddressView)
}

async function refuseFull(tx: Db, name: string, wanted: number): Promise<ContractorError> {
  const block = await requireAddressBlock(tx, name)
  const { free, ...used } = await loadUsage(tx, block)
  const counts = `${used.static} static, ${used.reserved} reserved and ${used.dynamic} dynamic addresses`
  const left = free === '0' ? 'is full' : `has ${free} free addresses, not ${wanted}`
  return new ContractorError(
    'WRONG_STATE',
    `AddressBlock '${block.name}' (${block.subnet}) ${left}: it has ${counts}${hasGatewayWithin(block) ? ' and a gateway' : ''}. Enlarge it, or delete addresses`,
    { kind: 'AddressBlock', id: block.name, state: 'full' },
  )
}
