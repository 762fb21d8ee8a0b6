import { type AddressOwner, ContractorError } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { anyNumber } from '../database/any-of.ts'
import { type Db, executePrepared } from '../database/database.ts'
import { takingLock } from '../database/lock-order.ts'
import { refuseField, refuseUnknown } from '../noun/references.ts'
import { checkTarget } from './address.ts'
import { portNamed } from './interface.ts'
import { compareNames } from './interface-map.ts'

type Static = Extract<AddressOwner, { kind: 'static' }>

/** What is put into a row. */
export interface Owner {
  kind: AddressOwner['kind']
  structure?: number | undefined
  interface?: string | undefined
  alias?: number | undefined
  pointer?: number | undefined
  /** Null where it depends on whether the Structure has an address already. */
  primary: boolean | null
  pxe?: string | undefined
  reason?: string | undefined
}

/**
 * Checks what addresses are to be for, many at once, and locks their Structures and then their interfaces, always in
 * one order: of two callers that give one Structure its first address, the second sees that of the first.
 */
export async function prepareOwners(tx: Db, owners: readonly AddressOwner[]): Promise<Owner[]> {
  const all = owners.filter((one): one is Static => one.kind === 'static')
  for (const one of all) checkTarget(one)
  refuseTwoPrimaries(all)
  if (all.length) await lockStructures(tx, all)
  const onInterface = all.filter(one => one.interface !== undefined)
  if (onInterface.length) await lockInterfaces(tx, onInterface)
  await checkPointers(
    tx,
    all.flatMap(one => one.pointer ?? []),
  )
  await refuseUnknown(tx, { PXE: owners.map(one => (one.kind === 'dynamic' ? one.pxe : undefined)) })
  await clearPrimaries(
    tx,
    all.filter(one => one.primary).map(one => one.structure),
  )
  return withPrimaries(owners)
}

function refuseTwoPrimaries(owners: readonly Static[]): void {
  const seen = new Set<number>()
  for (const { primary, structure } of owners) {
    if (!primary) continue
    if (seen.has(structure)) {
      throw refuseField('primary', `Structure ${structure} has one primary address at the most: two are given`)
    }
    seen.add(structure)
  }
}

async function lockStructures(tx: Db, owners: readonly Static[]): Promise<void> {
  const ids = owners.map(one => one.structure)
  takingLock(tx, 'structure')
  const rows = await executePrepared<{ id: number | string }>(
    tx,
    sql`select id from contractor.structure where id = ${anyNumber(ids)} order by id for no key update`,
  )
  const found = new Set(rows.map(row => Number(row.id)))
  const id = ids.find(one => !found.has(one))
  if (id === undefined) return
  throw new ContractorError('NOT_FOUND', `Structure ${id} does not exist`, { kind: 'Structure', id })
}

/** An address knows its interface by name: nobody deletes that while the address is being added. */
async function lockInterfaces(tx: Db, owners: readonly Static[]): Promise<void> {
  const wanted = owners.map(({ structure, interface: name }) => ({ structure, name }))
  const rows = await executePrepared<{ structure: number | string; name: string }>(
    tx,
    sql`with found as materialized (
          select want.structure, port.name, port.id
          from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as want(structure bigint, name text)
          join contractor.structure owner on owner.id = want.structure
          cross join lateral ${portNamed(sql`want.name`, sql`owner.foundation`, sql`owner.id`)} port),
        held as (
          select id from contractor.network_interface
          where id = any(array(select id from found)) order by id for key share)
        select found.structure, found.name from found join held on held.id = found.id`,
  )
  const found = new Set(rows.map(row => `${row.structure} ${row.name}`))
  const missing = wanted.find(one => !found.has(`${one.structure} ${one.name}`))
  if (!missing) return
  const names = (await namesOf(tx, missing.structure)).sort(compareNames)
  const has = names.length ? `it has ${names.join(', ')}` : 'it has none, and its Foundation has none; add one first'
  throw new ContractorError('NOT_FOUND', `Structure ${missing.structure} has no interface '${missing.name}': ${has}`, {
    kind: 'Interface',
    id: missing.name ?? '',
  })
}

async function namesOf(tx: Db, structure: number): Promise<string[]> {
  const rows = await executePrepared<{ name: string }>(
    tx,
    sql`select port.name from contractor.structure owner
        join contractor.network_interface port on port.foundation = owner.foundation or port.structure = owner.id
        where owner.id = ${structure}`,
  )
  return rows.map(row => row.name)
}

/** One step only: what is pointed to is on an interface itself. So there are no circles. */
export async function checkPointers(tx: Db, ids: readonly number[]): Promise<void> {
  if (!ids.length) return
  const rows = await executePrepared<{ id: number | string; interface: string | null }>(
    tx,
    sql`select id, interface from contractor.address where id = ${anyNumber(ids)} order by id for key share`,
  )
  for (const id of ids) {
    const found = rows.find(row => Number(row.id) === id)
    if (!found) throw new ContractorError('NOT_FOUND', `Address ${id} does not exist`, { kind: 'Address', id })
    if (found.interface === null) {
      throw refuseField('pointer', `Address ${id} is on no interface: point to one that is`)
    }
  }
}

export async function clearPrimaries(tx: Db, structures: readonly number[]): Promise<void> {
  if (!structures.length) return
  await tx.execute(
    sql`update contractor.address set "primary" = false where "primary" and structure = ${anyNumber(structures)}`,
  )
}

/** The first address on an interface that a Structure is given is its primary one, unless something else was said. */
function withPrimaries(owners: readonly AddressOwner[]): Owner[] {
  const decided = new Set(owners.flatMap(one => (one.kind === 'static' && one.primary ? [one.structure] : [])))
  return owners.map(one => {
    if (one.kind !== 'static') return { ...one, primary: false }
    if (one.primary !== undefined) return { ...one, primary: one.primary }
    const first = one.interface !== undefined && !decided.has(one.structure)
    if (first) decided.add(one.structure)
    return { ...one, primary: first ? null : false }
  })
}
