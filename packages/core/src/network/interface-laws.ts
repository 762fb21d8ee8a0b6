import { ContractorError, type InterfaceInput } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import { anyOf } from '../database/any-of.ts'
import { type Db, executeRows } from '../database/database.ts'
import { takingLock } from '../database/lock-order.ts'
import { refuseField } from '../noun/references.ts'
import { interfaceTitle, portNamed } from './interface.ts'

/**
 * What must hold of interfaces, checked for many at once. A Structure's interfaces and those of its Foundation share
 * one space of names, which spans two owners: whoever adds or renames one holds the lock of the Foundation's row.
 */
type Owned = { name: string; foundation?: string | null; structure?: number | null }

/** Locks the Foundations that these interfaces belong to, or whose Structures they belong to; always in one order. */
export async function lockOwners(tx: Db, interfaces: readonly Owned[]): Promise<void> {
  takingLock(tx, 'foundation')
  await tx.execute(
    sql`select from contractor.foundation
        where locator = any(array(
          select one.foundation from ${ownersOf(interfaces)} where one.foundation is not null
          union select owner.foundation from ${ownersOf(interfaces)} join contractor.structure owner on owner.id = one.structure))
        order by locator for no key update`,
  )
}

const ownersOf = (interfaces: readonly Owned[]): SQL =>
  sql`jsonb_to_recordset(${JSON.stringify(
    interfaces.map(({ name, foundation, structure }) => ({ name, foundation, structure })),
  )}::jsonb) as one(name text, foundation text, structure bigint)`

/** Within what is given: no name twice for one owner, no MAC twice, one provisioning interface of a Foundation. */
export function refuseRepeats(inputs: readonly InterfaceInput[]): void {
  const names = new Set<string>()
  const macs = new Set<string>()
  const provisioning = new Set<string>()
  for (const one of inputs) {
    const key = `${'foundation' in one ? `f ${one.foundation}` : `s ${one.structure}`} ${one.name}`
    if (names.has(key)) throw refuseField('name', `${interfaceTitle(one)} is given twice`)
    names.add(key)
    if (one.kind !== 'real') continue
    if (one.mac !== null && macs.has(one.mac)) throw refuseField('mac', `The MAC ${one.mac} is given twice`)
    if (one.mac !== null) macs.add(one.mac)
    if (!one.provisioning) continue
    if (provisioning.has(one.foundation)) {
      throw refuseField('provisioning', `Foundation '${one.foundation}' can be installed from one interface only`)
    }
    provisioning.add(one.foundation)
  }
}

/** Of these, to be added or renamed: none may have a name that its owner, or who shares the names with it, has. */
export async function refuseTakenNames(tx: Db, interfaces: readonly Owned[]): Promise<void> {
  const [clash] = await executeRows<{ name: string; owner: string; by: string }>(
    tx,
    sql`with one as (
          select one.*, coalesce(one.foundation, owner.foundation) as under, coalesce(owner.id, heir.id) as over
          from ${ownersOf(interfaces)}
          left join contractor.structure owner on owner.id = one.structure
          left join contractor.structure heir on heir.foundation = one.foundation),
        space as (
          select one.name, one.foundation, one.structure, port.foundation as by_foundation, port.structure as by_structure
          from one cross join lateral ${portNamed(sql`one.name`, sql`one.under`, sql`one.over`)} port
          union all
          -- New ones of a Foundation and of its Structure, given together.
          select one.name, one.foundation, null, null, other.structure
          from one join one other on other.structure = one.over and other.name = one.name
          where one.structure is null)
        select name, coalesce('Foundation ''' || foundation || '''', 'Structure ' || structure) as owner,
          coalesce('Foundation ''' || by_foundation || '''', 'Structure ' || by_structure) as by
        from space order by 1, 2 limit 1`,
  )
  if (!clash) return
  const { name, owner, by } = clash
  const shared = owner === by ? 'it has one of that name' : `${by} has one, and they share their names`
  throw new ContractorError('ALREADY_EXISTS', `Interface '${name}' of ${owner} cannot be: ${shared}`, {
    kind: 'Interface',
    id: name,
  })
}

/** The MACs that others have already; the error names who. */
export async function refuseTakenMacs(tx: Db, macs: readonly string[], except?: number): Promise<void> {
  if (!macs.length) return
  const [taken] = await executeRows<{ mac: string; foundation: string; name: string }>(
    tx,
    sql`select mac::text, foundation, name from contractor.network_interface
        where mac = ${anyOf('macaddr', macs)}
          and id <> ${except ?? 0} order by mac limit 1`,
  )
  if (!taken) return
  const message = `The MAC ${taken.mac} is that of ${interfaceTitle(taken)} already`
  throw new ContractorError('ALREADY_EXISTS', message, { kind: 'Interface', id: taken.mac })
}
