import type { Json } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import type { Values } from '../database/columns.ts'
import { type Db, executePrepared } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import { type AddressRow, addressesOf, type InterfaceRow, interfacesOf } from '../network/interface-map.ts'

/**
 * All that the config of many targets is made of, in one statement: nothing of it is kept, so that a change anywhere
 * shows at once, whichever process made it. BluePrints and Sites come once each, however many targets have them.
 */
export interface ConfigRows {
  readonly nowMs: number
  readonly structures: readonly StructureRow[]
  readonly foundations: readonly FoundationRow[]
  readonly blueprints: ReadonlyMap<string, BlueprintRow>
  readonly sites: ReadonlyMap<string, SiteRow>
  /** Which of the Structures are members of what; none unless members were asked for. */
  readonly members: readonly MemberRow[]
}

/** Built Structures of a BluePrint, or of one that inherits from it, in a Site or one below it. */
export interface Membership {
  readonly site: string
  readonly blueprint: string
}

export interface MemberRow extends Membership {
  readonly structure: number
}

interface Sourced {
  readonly values: Values
  readonly changedMs: number
}

export interface BlueprintRow extends Sourced {
  readonly name: string
  /** In their order. */
  readonly parents: readonly string[]
}

export interface SiteRow extends Sourced {
  readonly name: string
  readonly parent: string | null
  readonly zone: string | null
}

interface Interfaces {
  readonly interfaces: readonly InterfaceRow[]
  readonly addresses: readonly AddressRow[]
}

export interface FoundationRow extends Interfaces {
  readonly locator: string
  readonly type: string
  readonly site: string
  readonly blueprint: string
  readonly complex: string | null
  readonly complexFields: Readonly<Record<string, Json>> | null
  readonly state: string
  readonly idMap: Json
  readonly plot: string | null
  /** Its type's own. */
  readonly fields: Readonly<Record<string, Json>>
  readonly changedMs: number
  /** Its live Job. */
  readonly job: number | null
  readonly cookie: string | null
  /** The number of the wait for which its machine reports next. */
  readonly wait: number | null
  /** The Structure that stands on it. */
  readonly structure: number | null
}

export interface StructureRow extends Sourced, Interfaces {
  readonly id: number
  readonly hostname: string
  readonly site: string
  readonly blueprint: string
  readonly state: string
  readonly configUuid: string
  readonly job: number | null
  readonly cookie: string | null
  readonly wait: number | null
  readonly foundation: Omit<FoundationRow, keyof Interfaces | 'structure'>
}

export interface ConfigTargets {
  structures?: readonly number[]
  foundations?: readonly string[]
  /** Alone, with those above them. */
  sites?: readonly string[]
  /** In place of `structures`: whichever are members of these. */
  members?: readonly Membership[]
  /** Of a machine that asks for itself: the end of the path by which it does, and attributes that it may not see. */
  asked?: { path?: string; hidden: readonly string[] }
}

const ms = (column: string) => sql.raw(`(extract(epoch from ${column}) * 1000)::bigint`)
const list = (values: readonly (string | number)[]) =>
  sql`array(select value from jsonb_array_elements_text(${JSON.stringify(values)}::jsonb) as value)`

/** One that was reported for is past, although the script may not have come to it yet. */
const nextWait = (job: string) =>
  sql.raw(`${job}.waits_answered + case when ${job}.signalled_at is null then 1 else 2 end`)

/** What `json_build_object` takes of a Foundation that is called `base`, with its live Job `base_job`. */
const foundationParts = sql`
  'locator', base.locator, 'type', base.type, 'site', base.site, 'blueprint', base.blueprint, 'complex', base.complex,
  'complexFields', (select fields from contractor.complex where name = base.complex), 'state', base.state, 'idMap', base.id_map, 'plot', base.plot, 'fields', base.fields, 'changedMs', ${ms('greatest(base.updated_at, (select updated_at from contractor.complex where name = base.complex))')},
  'job', base_job.id, 'cookie', base_job.cookie, 'wait', ${nextWait('base_job')}`

export async function loadConfigRows(engine: Engine, db: Db, targets: ConfigTargets): Promise<ConfigRows> {
  const rows = await executePrepared<{ kind: string; data: unknown }>(db, selectConfigRows(engine, targets))
  const of = <T>(kind: string) => rows.filter(row => row.kind === kind).map(row => row.data as T)
  return {
    nowMs: Number(of<number>('now')[0]),
    structures: of<StructureRow>('structure'),
    foundations: of<FoundationRow>('foundation'),
    blueprints: new Map(of<BlueprintRow>('blueprint').map(row => [row.name, row])),
    sites: new Map(of<SiteRow>('site').map(row => [row.name, row])),
    members: of<MemberRow>('member'),
  }
}

/** Branches for what is not asked for are left out: they cost PostgreSQL as much as the others until they find nothing. */
function selectConfigRows(
  engine: Engine,
  { structures = [], foundations = [], sites = [], members = [] }: ConfigTargets,
): SQL {
  const targets: SQL[] = []
  const branches: SQL[] = []
  const firstSites: SQL[] = []
  const firstBlueprints: SQL[] = []
  if (members.length) {
    targets.push(membersWithin(members))
    branches.push(memberBranch)
  }
  if (structures.length || members.length) {
    const which = members.length ? sql`array(select structure from member)` : sql`${list(structures)}::bigint[]`
    targets.push(sql`target as (select * from contractor.structure where id = any(${which}))`)
    firstSites.push(sql`select site from target`)
    firstBlueprints.push(sql`select blueprint from target`)
    branches.push(structureBranch)
  }
  if (foundations.length) {
    targets.push(sql`alone as (select * from contractor.foundation where locator = any(${list(foundations)}))`)
    firstSites.push(sql`select site from alone`)
    firstBlueprints.push(sql`select blueprint from alone`)
    branches.push(foundationBranch)
  }
  if (sites.length) firstSites.push(sql`select unnest(${list(sites)})`)
  if (firstSites.length) {
    targets.push(sql`chain(name) as (${union(firstSites)}
      union select up.parent from contractor.site up join chain on chain.name = up.name where up.parent is not null)`)
    branches.push(siteBranch)
  }
  if (firstBlueprints.length) {
    targets.push(sql`line(name) as (${union(firstBlueprints)}
      union select up.parent from contractor.blueprint_parent up join line on line.name = up.blueprint)`)
    branches.push(blueprintBranch)
  }
  const now = sql`select 'now' as kind, to_json(${ms('moment.now')}) as data from (select ${engine.clock.now()} as now) moment`
  const head = targets.length ? sql`with recursive ${sql.join(targets, sql`, `)} ` : sql``
  return sql`${head}${sql.join([now, ...branches], sql` union all `)}`
}

const union = (parts: SQL[]) => sql.join(parts, sql` union `)

/** Hostnames are compared where they are put in order, and not by the database's collation. */
const membersWithin = (members: readonly Membership[]) => sql`
  wanted as (
    select * from jsonb_to_recordset(${JSON.stringify(members)}::jsonb) as one(site text, blueprint text)),
  within(site, name) as (select site, site from wanted
    union select within.site, below.name from contractor.site below join within on below.parent = within.name),
  heir(blueprint, name) as (select blueprint, blueprint from wanted
    union select heir.blueprint, down.blueprint from contractor.blueprint_parent down join heir on down.parent = heir.name),
  member as (select wanted.site, wanted.blueprint, own.id as structure
    from wanted join within using (site) join heir using (blueprint)
    join contractor.structure own on own.site = within.name and own.blueprint = heir.name and own.state = 'built')`

const memberBranch = sql`
  select 'member', json_build_object('site', site, 'blueprint', blueprint, 'structure', structure) from member`

const siteBranch = sql`
  select 'site', json_build_object('name', name, 'parent', parent, 'zone', zone, 'values', config_values,
    'changedMs', ${ms('updated_at')})
  from contractor.site where name = any(array(select name from chain))`

const blueprintBranch = sql`
  select 'blueprint', json_build_object('name', name, 'values', config_values, 'changedMs', ${ms('updated_at')},
    'parents', array(select parent from contractor.blueprint_parent up where up.blueprint = blueprint.name order by position))
  from contractor.blueprint where name = any(array(select name from line))`

/**
 * Lateral, with `offset 0`: PostgreSQL takes a list of ids for ten, and would read the whole table of Foundations for one.
 */
const structureBranch = sql`
  select 'structure', json_build_object('id', target.id, 'hostname', target.hostname, 'site', target.site,
    'blueprint', target.blueprint, 'state', target.state, 'configUuid', target.config_uuid, 'values', target.config_values,
    'changedMs', ${ms('target.updated_at')}, 'job', target_job.id, 'cookie', target_job.cookie,
    'wait', ${nextWait('target_job')},
    'interfaces', ${interfacesOf(sql`target.id`, sql`target.foundation`)},
    'addresses', ${addressesOf(sql`target.id`, sql`target.foundation`)},
    'foundation', json_build_object(${foundationParts}))
  from target
  cross join lateral (select * from contractor.foundation where locator = target.foundation offset 0) base
  left join contractor.job target_job on target_job.structure = target.id and target_job.outcome is null
  left join contractor.job base_job on base_job.foundation = base.locator and base_job.outcome is null`

const foundationBranch = sql`
  select 'foundation', json_build_object(${foundationParts}, 'structure', heir.id,
    'interfaces', ${interfacesOf(sql`null::bigint`, sql`base.locator`)},
    'addresses', ${addressesOf(sql`heir.id`, sql`base.locator`)})
  from alone base
  left join contractor.structure heir on heir.foundation = base.locator
  left join contractor.job base_job on base_job.foundation = base.locator and base_job.outcome is null`
