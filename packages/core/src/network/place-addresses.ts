import { type AddressInput, type ContractorError, formatIp, parseIp, type Subnet } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { anyText } from '../database/any-of.ts'
import { type Db, executeRows } from '../database/database.ts'
import { takingLock } from '../database/lock-order.ts'
import { refuseField, refuseUnknown } from '../noun/references.ts'
import { parseSubnet, whyUnusable } from './subnet.ts'

/** Where an address is to be. */
export interface Place {
  addressBlock: string
  ip: string
}

interface Block {
  name: string
  subnet: Subnet
  gateway: string | null
}

/**
 * Finds the block and the address of each input, and locks the blocks. A named block may be of any Site: a machine may
 * have a leg anywhere. Without a name it is the nearest that has the address, of the Site (the Structure's, or the named
 * one) or of the Sites above it.
 */
export async function placeAddresses(tx: Db, inputs: readonly AddressInput[]): Promise<Place[]> {
  for (const one of inputs) checkPlace(one)
  await refuseUnknown(tx, {
    AddressBlock: inputs.map(one => one.addressBlock),
    Site: inputs.map(one => one.site),
    Structure: inputs.map(one => (one.kind === 'static' ? one.structure : undefined)),
  })
  const found = await findBlocks(tx, inputs)
  const names = inputs.map((one, at) => one.addressBlock ?? found.get(at))
  const missing = names.indexOf(undefined)
  if (missing !== -1) throw refuseHomeless(inputs[missing] as AddressInput)
  const blocks = await lockBlocks(tx, names as string[])
  return inputs.map((one, at) => toPlace(one, blocks.get(names[at] as string) as Block))
}

function checkPlace({ ip, offset, addressBlock, site, kind }: AddressInput): void {
  if (ip !== undefined && offset !== undefined)
    throw refuseField('offset', 'An address is given by ip or by offset, not both')
  if (offset !== undefined && addressBlock === undefined) {
    throw refuseField('addressBlock', `The offset ${offset} needs the name of the AddressBlock in which it counts`)
  }
  if (ip === undefined && offset === undefined) {
    throw refuseField('ip', 'Give an ip or an offset; `next` and `nextMany` find free addresses')
  }
  if (addressBlock === undefined && site === undefined && kind !== 'static') {
    throw refuseField('addressBlock', `Say in which AddressBlock ${ip} is, or in which Site`)
  }
}

/** By place in the list: the block of each input that names none. */
async function findBlocks(tx: Db, inputs: readonly AddressInput[]): Promise<Map<number, string>> {
  const wanted = inputs.flatMap((one, at) =>
    one.addressBlock === undefined
      ? [{ at, ip: one.ip, site: one.site, structure: one.kind === 'static' ? one.structure : undefined }]
      : [],
  )
  if (!wanted.length) return new Map()
  const rows = await executeRows<{ at: number; name: string }>(
    tx,
    sql`with recursive want as materialized (
          select want.at, want.ip, coalesce(want.site, owner.site) as site
          from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as want(at int, ip inet, site text, structure bigint)
          left join contractor.structure owner on owner.id = want.structure),
        line(origin, name, height) as (
          select distinct site, site, 0 from want
          union all
          select line.origin, up.parent, line.height + 1
          from line join contractor.site up on up.name = line.name where up.parent is not null)
        select want.at, nearest.name from want cross join lateral (
          select block.name from line join contractor.address_block block on block.site = line.name
          where line.origin = want.site and block.subnet >>= want.ip order by line.height limit 1) nearest`,
  )
  return new Map(rows.map(row => [row.at, row.name]))
}

function refuseHomeless(input: AddressInput): ContractorError {
  const where =
    input.kind === 'static' && input.site === undefined ? `Structure ${input.structure}` : `Site '${input.site}'`
  return refuseField(
    'ip',
    `No AddressBlock of ${where === `Site '${input.site}'` ? where : `the Site of ${where}`} or of the Sites above has ${input.ip}: create one, or name the addressBlock`,
  )
}

/** Locked, always in one order: whoever searches for free addresses sees these, and the block does not move. */
export async function lockBlocks(tx: Db, names: readonly string[]): Promise<Map<string, Block>> {
  takingLock(tx, 'address-block')
  const rows = await executeRows<{ name: string; subnet: string; gateway: string | null }>(
    tx,
    sql`select name, subnet::text, host(gateway) as gateway from contractor.address_block
        where name = ${anyText(new Set(names))}
        order by name for no key update`,
  )
  return new Map(rows.map(row => [row.name, { ...row, subnet: parseSubnet(row.subnet) }]))
}

/** The address in its block, or why no machine may have it. */
export function toPlace({ ip, offset }: Pick<AddressInput, 'ip' | 'offset'>, block: Block): Place {
  const { family, first } = block.subnet
  const wanted = ip === undefined ? { family, value: first + BigInt(offset ?? 0) } : parseIp(ip)
  const named = offset === undefined ? ip : `The address at offset ${offset}`
  if (offset !== undefined && wanted.value > block.subnet.last) {
    throw refuseField(
      'offset',
      `${named} is outside of AddressBlock '${block.name}', which has ${block.subnet.size} addresses`,
    )
  }
  const why = whyUnusable(block.subnet, wanted, block.gateway)
  if (why)
    throw refuseField(ip === undefined ? 'offset' : 'ip', `${named} ${why}, AddressBlock '${block.name}': take another`)
  return { addressBlock: block.name, ip: formatIp(wanted) }
}
