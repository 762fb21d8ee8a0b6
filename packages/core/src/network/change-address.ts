import {
  type AddressChanges,
  type AddressOwner,
  type AddressView,
  addressChangesByKind,
  parseInput,
} from '@contractor/contract'
import { sql } from 'drizzle-orm'
import type { z } from 'zod'
import { type Db, executeRows } from '../database/database.ts'
import { takingLock } from '../database/lock-order.ts'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { refuseField } from '../noun/references.ts'
import { checkVersion } from '../noun/refuse.ts'
import { refuseTaken } from './add-addresses.ts'
import { checkTarget, requireAddress } from './address.ts'
import { prepareOwners } from './address-laws.ts'
import { type Place, placeAddresses } from './place-addresses.ts'

type Changed = z.output<(typeof addressChangesByKind)['static']> &
  z.output<(typeof addressChangesByKind)['reserved']> &
  z.output<(typeof addressChangesByKind)['dynamic']>

/** Changes what was said, with everything checked as for a new address; locks in the same order. */
export async function changeAddress(
  engine: Engine,
  tx: Db,
  id: number,
  changes: AddressChanges,
  { ifVersion }: CallOptions,
): Promise<void> {
  const before = await lockAddress(tx, id)
  checkVersion('Address', id, before.version, ifVersion)
  const parsed: Changed = parseInput(addressChangesByKind[before.kind], changes, `The change of Address ${before.ip}`)
  const owner = changedOwner(before, parsed)
  // A pointer leads to an address on an interface: one that others point to keeps its own.
  if (owner.kind === 'static' && owner.pointer !== undefined) await refusePointedTo(tx, before, owner.pointer)
  await prepareOwners(tx, [owner])
  const place =
    parsed.ip === undefined ? stay(before, parsed) : await findPlace(tx, before, parsed.ip, parsed.addressBlock)
  const pxe = parsed.pxe === undefined ? before.pxe : parsed.pxe
  const to = owner.kind === 'static' ? owner : undefined
  const rows = await executeRows(
    tx,
    sql`update contractor.address changed set address_block = ${place.addressBlock}, ip = ${place.ip}::inet,
          interface = ${to?.interface ?? null}, alias = ${to?.alias ?? null}::int, pointer = ${to?.pointer ?? null}::bigint,
          "primary" = ${to?.primary ?? false}, pxe = ${pxe}, reason = ${parsed.reason ?? before.reason},
          updated_at = ${engine.clock.now()}
        where id = ${id} and not exists (
          select from contractor.address other
          where other.address_block = ${place.addressBlock} and other.ip = ${place.ip}::inet and other.id <> ${id})
        returning id`,
  )
  if (!rows.length) throw await refuseTaken(tx, place)
  if (place.ip !== before.ip || place.addressBlock !== before.addressBlock) await lowerHint(tx, before)
}

/**
 * As it is, under a lock that whoever else changes it takes as well: that of its Structure, which its other addresses share, and
 * which comes before its own in the order of locks; its own, where it has none.
 */
export async function lockAddress(tx: Db, id: number): Promise<AddressView> {
  const { structure } = await requireAddress(tx, id)
  if (structure === null) {
    takingLock(tx, 'address')
    await executeRows(tx, sql`select from contractor.address where id = ${id} for no key update`)
  } else {
    takingLock(tx, 'structure')
    await executeRows(tx, sql`select from contractor.structure where id = ${structure} for no key update`)
  }
  return requireAddress(tx, id)
}

/** What the address is for afterwards: an interface takes the place of a pointer, and the other way round. */
function changedOwner(before: AddressView, changes: Changed): AddressOwner {
  if (before.kind === 'reserved') return { kind: 'reserved', reason: changes.reason ?? before.reason }
  if (before.kind === 'dynamic') return { kind: 'dynamic', pxe: changes.pxe ?? undefined }
  const pointer = changes.pointer ?? (changes.interface === undefined ? before.pointer : null)
  const name = changes.interface ?? (changes.pointer === undefined ? before.interface : null)
  const alias = changes.alias === undefined ? (changes.pointer === undefined ? before.alias : null) : changes.alias
  checkTarget({ interface: name, pointer, alias })
  return {
    kind: 'static',
    structure: before.structure as number,
    interface: name ?? undefined,
    alias: alias ?? undefined,
    pointer: pointer ?? undefined,
    primary: changes.primary ?? before.primary,
  }
}

async function refusePointedTo(tx: Db, { id, ip }: AddressView, pointer: number): Promise<void> {
  if (pointer === id) throw refuseField('pointer', `Address ${ip} cannot point to itself`)
  const pointing = await executeRows<{ ip: string }>(
    tx,
    sql`select host(ip) as ip from contractor.address where pointer = ${id} order by address.ip limit 1`,
  )
  if (pointing[0])
    throw refuseField('pointer', `Address ${ip} cannot point to another one: ${pointing[0].ip} points to it`)
}

function stay({ ip, addressBlock }: AddressView, changes: Changed): Place {
  if (changes.addressBlock === undefined || changes.addressBlock === addressBlock) return { ip, addressBlock }
  throw refuseField('ip', `Address ${ip} goes to AddressBlock '${changes.addressBlock}' with an ip of that: say which`)
}

/** Without a named block: in its own if that has the new address, else in the nearest of its Structure's Site. */
async function findPlace(tx: Db, before: AddressView, ip: string, named: string | undefined): Promise<Place> {
  const [own] = await executeRows(
    tx,
    sql`select from contractor.address_block where name = ${before.addressBlock} and subnet >>= ${ip}::inet`,
  )
  const addressBlock = named ?? (own || before.kind !== 'static' ? before.addressBlock : undefined)
  const owner =
    before.kind === 'static'
      ? { kind: 'static' as const, structure: before.structure as number }
      : { kind: 'reserved' as const, reason: '' }
  const [place] = await placeAddresses(tx, [{ ...owner, ip, addressBlock }])
  return place as Place
}

/** Its old address is free now; a deletion would have said so by itself. */
async function lowerHint(tx: Db, { addressBlock, ip }: AddressView): Promise<void> {
  await tx.execute(
    sql`update contractor.address_block set next_free = ${ip}::inet
        where name = ${addressBlock} and next_free > ${ip}::inet`,
  )
}
