import { ContractorError, type Entry } from '@contractor/contract'
import { and, eq, inArray, or, sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'
import { zone, zoneEntry } from '../database/dns-schema.ts'
import { absolute, isWithin, namesAbove, relative } from './dns-name.ts'
import { membersOf } from './site-zone.ts'

/**
 * What entries may not be, because name servers refuse the zone or answer nonsense:
 * - a CNAME stands alone (RFC 1034, section 3.6.2);
 * - CNAMEs lead to a name in the end, and not in a ring (RFC 1034, section 3.6.2), whichever Zones they are in;
 * - what MX, NS and SRV lead to is no CNAME of ours (RFC 2181, section 10.3; RFC 2782);
 * - at a delegation there is NS alone, and below it nothing but the addresses of its name servers.
 * Called with the Zone locked, before the entry is written.
 */
export async function checkEntry(tx: Db, entry: Entry, own: number | null): Promise<void> {
  const near = (await entriesNear(tx, entry)).filter(one => one.id !== own)
  const { name, type } = entry
  const full = absolute(name, entry.zone)
  const same = near.filter(one => one.name === name)
  if (same.some(one => one.type === type && sameData(one.data, entryData(entry))))
    throw taken(`Zone '${entry.zone}' has this ${type} of '${name}' already`, full)
  const other = same.find(one => one.type === 'CNAME' || type === 'CNAME')
  if (other)
    throw taken(`'${full}' has a ${other.type}: a CNAME stands beside nothing else, another CNAME included`, full)

  const cut = [...same, ...near.filter(one => namesAbove(name).includes(one.name))].find(one => one.type === 'NS')
  const isGlue = (of: string) => of === 'A' || of === 'AAAA'
  if (cut && cut.name !== '@' && !(cut.name === name ? type === 'NS' : isGlue(type)))
    throw taken(`'${full}' cannot have a ${type}: an NS entry delegates '${absolute(cut.name, entry.zone)}'`, full)
  if (type === 'NS' && name !== '@') {
    const hidden = near.find(one =>
      one.name === name ? one.type !== 'NS' : below(one.name, name) && !isGlue(one.type),
    )
    if (hidden) throw taken(`'${full}' cannot be delegated: '${hidden.name}' of the zone has a ${hidden.type}`, full)
  }
  await checkChildren(tx, entry, full)
  if (type === 'CNAME' || type === 'NS') await checkStructures(tx, entry, full)
  if (entry.type === 'CNAME') {
    await checkNotTarget(tx, full)
    await checkNoRing(tx, full, entry.target, own)
  }
  if (type !== 'CNAME' && 'target' in entry) await checkNoAlias(tx, [entry.target], `The ${type} of '${full}'`)
}

/** What an entry's type needs, as it is kept. */
export function entryData({ zone: _zone, name: _name, type: _type, ttl: _ttl, ...data }: Entry) {
  return data
}

/** How many CNAMEs are followed: a resolver gives up long before. */
const longestChain = 100

/** The first of these full names that is a CNAME of ours, in whichever Zone; not by the entry that is being changed. */
async function findAlias(tx: Db, targets: readonly string[], own: number | null) {
  const places = targets.flatMap(target => {
    const labels = target.split('.')
    return labels.map((_, index) => ({
      zone: labels.slice(index).join('.'),
      name: labels.slice(0, index).join('.') || '@',
    }))
  })
  const [alias] = await executeRows<{ zone: string; name: string; target: string }>(
    tx,
    sql`select entry.zone, entry.name, entry.data ->> 'target' as target from contractor.zone_entry entry
        join jsonb_to_recordset(${JSON.stringify(places)}::jsonb) as place(zone text, name text) using (zone, name)
        where entry.type = 'CNAME' and entry.id is distinct from ${own}::bigint limit 1`,
  )
  return alias
}

/** Refuses when one of these full names is a CNAME of ours. */
export async function checkNoAlias(tx: Db, targets: readonly string[], what: string): Promise<void> {
  const alias = await findAlias(tx, targets, null)
  if (!alias) return
  const target = absolute(alias.name, alias.zone)
  throw new ContractorError(
    'VALIDATION_FAILED',
    `${what} cannot lead to '${target}', which is a CNAME: name its host`,
    {
      issues: [{ path: 'target', message: 'is a CNAME' }],
    },
  )
}

/** Refuses the delegation of `child` when its parent has something at the name or below it. */
export async function checkDelegation(tx: Db, child: string, parent: string): Promise<void> {
  const name = relative(child, parent)
  const hidden = (await entriesNear(tx, { zone: parent, name })).find(one => one.name === name || below(one.name, name))
  const cut = (await entriesNear(tx, { zone: parent, name })).find(
    one => one.type === 'NS' && namesAbove(name).includes(one.name),
  )
  const entry = hidden ?? cut
  const [structure] = entry ? [] : await structuresNamed(tx, parent, name)
  if (!entry && !structure) return
  const who = entry
    ? `has a ${entry.type} of '${absolute(entry.name, parent)}'`
    : `has the Structure '${name}' of Site '${structure?.site}'`
  throw taken(`Zone '${child}' cannot be delegated by '${parent}', which ${who}. Delete or move that first`, child)
}

async function entriesNear(tx: Db, at: { zone: string; name: string }) {
  const suffix = `.${at.name}`
  return tx
    .select({ id: zoneEntry.id, name: zoneEntry.name, type: zoneEntry.type, data: zoneEntry.data })
    .from(zoneEntry)
    .where(
      and(
        eq(zoneEntry.zone, at.zone),
        or(
          inArray(zoneEntry.name, [at.name, ...namesAbove(at.name)]),
          sql`right(${zoneEntry.name}, ${suffix.length}::int) = ${suffix}`,
        ),
      ),
    )
    .orderBy(zoneEntry.id)
}

async function checkChildren(tx: Db, { zone: own, type }: Entry, full: string): Promise<void> {
  const children = await tx.select({ name: zone.name }).from(zone).where(eq(zone.parent, own))
  const child = children.find(
    one => isWithin(full, one.name) || (type === 'NS' && full !== own && isWithin(one.name, full)),
  )
  if (child) throw taken(`'${full}' cannot have a ${type}: '${child.name}' is a Zone of its own. Add it there`, full)
}

async function checkStructures(tx: Db, { zone: own, name, type }: Entry, full: string): Promise<void> {
  const [structure] = await structuresNamed(tx, own, name)
  if (!structure) return
  throw taken(
    `'${full}' cannot have a ${type}: it is the Structure '${name}' of Site '${structure.site}'. Use another name`,
    full,
  )
}

async function structuresNamed(tx: Db, own: string, hostname: string): Promise<{ site: string }[]> {
  return executeRows<{ site: string }>(
    tx,
    sql`with recursive ${membersOf(sql`select ${own}::text`)}
        select structure.site from contractor.structure join member using (site) where hostname = ${hostname} limit 1`,
  )
}

async function checkNotTarget(tx: Db, full: string): Promise<void> {
  const [user] = await executeRows<{ who: string }>(
    tx,
    sql`select 'the ' || type || ' of ' || case name when '@' then zone else name || '.' || zone end as who
          from contractor.zone_entry where type in ('MX', 'NS', 'SRV') and data ->> 'target' = ${full}
        union all select 'Zone ' || name from contractor.zone where ${full} = any(nameservers) limit 1`,
  )
  if (user) throw taken(`'${full}' cannot be a CNAME: ${user.who} leads to it, and must lead to a host`, full)
}

/** Refuses a CNAME from which other ones lead back to it. What two changes at once make of it is told when it is published. */
async function checkNoRing(tx: Db, full: string, target: string, own: number | null): Promise<void> {
  const way = [full]
  for (let name: string | undefined = target; name !== undefined && way.length <= longestChain; ) {
    way.push(name)
    if (name === full) {
      const message = `'${full}' cannot be a CNAME of '${target}': that leads in a ring: ${way.join(' -> ')}`
      throw new ContractorError('VALIDATION_FAILED', message, {
        issues: [{ path: 'target', message: 'leads in a ring' }],
      })
    }
    name = (await findAlias(tx, [name], own))?.target
  }
}

const below = (name: string, cut: string) => name.endsWith(`.${cut}`)

function sameData(one: Readonly<Record<string, unknown>>, two: Readonly<Record<string, unknown>>): boolean {
  return Object.keys({ ...one, ...two }).every(key => one[key] === two[key])
}

const taken = (message: string, id: string) => new ContractorError('ALREADY_EXISTS', message, { kind: 'Entry', id })
