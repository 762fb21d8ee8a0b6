import { ContractorError } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'
import { takingLock } from '../database/lock-order.ts'

/**
 * A Site's Zone is its own, or that of the nearest Site above that has one. Within a Zone each hostname is there once,
 * and stands beside no CNAME and at no delegation.
 *
 * Who adds a Structure has written its row before the check, and with it holds a share of its Site's row; who changes
 * what Zone a Site has locks the rows of all Sites that get it. So neither misses the other's names, and the lock on the
 * Zone keeps apart those who add to it by different Sites.
 */
const linesUp = (sites: SQL) => sql`
  up(site, zone, parent) as (
    select name, zone, parent from contractor.site where name in (${sites})
    union
    select up.site, above.zone, above.parent from up join contractor.site above on above.name = up.parent
      where up.zone is null
  )`

/** All Sites of the Zones: those that name one, and what is below them without one of its own. */
export const membersOf = (zones: SQL) => sql`
  member(site, zone) as (
    select name, zone from contractor.site where zone in (${zones})
    union
    select below.name, member.zone from member join contractor.site below on below.parent = member.site
      where below.zone is null
  )`

interface Collision extends Record<string, unknown> {
  kind: string
  hostname: string
  zone: string
  site: string
  other: string
}

/** Refuses Structures whose hostname is taken in their Zone: for many of them at once, after their rows are written. */
export function checkHostnames(tx: Db, structures: readonly number[]): Promise<void> {
  const ids = JSON.stringify(structures)
  return checkStructures(tx, sql`mine.id in (select value::bigint from jsonb_array_elements_text(${ids}::jsonb))`)
}

/** `which` is a condition on the table `structure`, here called `mine`. */
async function checkStructures(tx: Db, which: SQL): Promise<void> {
  const lines = linesUp(sql`select site from contractor.structure mine where ${which}`)
  takingLock(tx, 'zone')
  const locked = await executeRows(
    tx,
    sql`select name from contractor.zone
        where name in (with recursive ${lines} select zone from up where zone is not null)
        order by name for no key update`,
  )
  if (!locked.length) return
  const [taken] = await executeRows<Collision>(
    tx,
    sql`with recursive ${lines}, ${membersOf(sql`select zone from up`)},
        added as (
          select mine.id, mine.hostname, mine.site, up.zone from contractor.structure mine
          join up on up.site = mine.site and up.zone is not null where ${which}
        ),
        -- By the hostname first, and apart: there may be many Sites, and few of a name.
        same as materialized (
          select added.hostname, added.zone, added.site, other.site as other
          from added join contractor.structure other on other.hostname = added.hostname and other.id <> added.id
        )
        select 'Structure' as kind, hostname, zone, site, other from same
          where (other, zone) in (select site, zone from member)
        union all
        select entry.type::text, added.hostname, added.zone, added.site, ''
          from added join contractor.zone_entry entry
            on entry.zone = added.zone and entry.name = added.hostname and entry.type in ('CNAME', 'NS')
        union all
        select 'Zone', added.hostname, added.zone, added.site, ''
          from added join contractor.zone child
            on child.parent = added.zone and child.name = added.hostname || '.' || added.zone
        order by 2, 1 limit 1`,
  )
  if (taken) throw explain(taken)
}

/** After a Site has got another Zone, or another Site above it: nothing below it may now have a name twice. */
export async function checkSiteHostnames(tx: Db, site: string): Promise<void> {
  const sites = sql`
    with recursive below(name) as (
      select ${site}::text
      union
      select child.name from contractor.site child join below on child.parent = below.name where child.zone is null
    ) select name from below`
  takingLock(tx, 'site')
  await executeRows(tx, sql`select name from contractor.site where name in (${sites}) order by name for update`)
  await checkStructures(tx, sql`mine.site in (${sites})`)
}

function explain({ kind, hostname, zone, site, other }: Collision): ContractorError {
  const full = `${hostname}.${zone}`
  const what = {
    Structure: `Site '${other}' has a Structure '${hostname}', and both Sites are in Zone '${zone}'`,
    CNAME: `Zone '${zone}' has a CNAME of that name. Delete that entry, or use another hostname`,
    NS: `Zone '${zone}' delegates that name with an NS entry`,
    Zone: `it is a Zone of its own, which '${zone}' delegates`,
  }[kind]
  return new ContractorError(
    'ALREADY_EXISTS',
    `Structure '${hostname}' of Site '${site}' cannot have the name '${full}': ${what}`,
    { kind: kind === 'Structure' || kind === 'Zone' ? kind : 'Entry', id: kind === 'Structure' ? hostname : full },
  )
}
