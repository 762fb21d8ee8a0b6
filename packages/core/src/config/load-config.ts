import { inArray, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { ancestorsFirst, loadBlueprintTree } from '../blueprint/blueprint-tree.ts'
import { type Db, executeRows } from '../database/database.ts'
import { job } from '../database/job-schema.ts'
import { foundation, structure } from '../database/schema.ts'
import type { Engine } from '../engine/engine.ts'
import type { Json } from '../plugin/json.ts'
import { type Layer, mergeLayers, type Values } from './merge-values.ts'

/**
 * The config of a target, merged in this order: its BluePrint (parents first), Foundation attributes, Site (parents
 * first), Structure attributes, the Structure's own values, global attributes; then rendered. A Structure does not get
 * its Foundation's BluePrint.
 */
export interface ConfigTargets {
  structures?: readonly number[]
  foundations?: readonly string[]
}

/** Merges and renders when called; throws CONFIG_INVALID, so that one bad config spoils no other. */
export type LazyConfig = () => Values

export interface Configs {
  structures: Map<number, LazyConfig>
  foundations: Map<string, LazyConfig>
}

interface SiteNode {
  name: string
  parent: string | null
  config_values: Values
  updated_ms: string
}

/** Reads and resolves many configs with a number of statements that does not grow with them. */
export async function loadConfigs(engine: Engine, db: Db, targets: ConfigTargets): Promise<Configs> {
  const structures = await selectStructures(db, targets.structures ?? [])
  const foundations = await selectFoundations(db, targets.foundations ?? [])
  const blueprints = [
    ...structures.map(row => row.structure.blueprint),
    ...foundations.map(row => row.foundation.blueprint),
  ]
  const tree = await loadBlueprintTree(db, blueprints)
  const sites = await loadSites(db, [
    ...structures.map(row => row.structure.site),
    ...foundations.map(row => row.foundation.site),
  ])
  const [time] = await executeRows<{ now_ms: string }>(
    db,
    sql`select (extract(epoch from ${engine.clock.now()}) * 1000)::bigint::text as now_ms`,
  )
  const nowMs = Number(time?.now_ms)

  const resolve =
    (
      target: string,
      blueprint: string,
      site: string,
      type: string,
      middle: Layer[],
      last: Layer[],
      changed: Date[],
    ): LazyConfig =>
    () => {
      const line = ancestorsFirst(tree, blueprint)
      const chain = siteChain(sites, site)
      const changedMs = [...changed, ...line.map(node => node.updatedAt)].map(Number)
      const merged = mergeLayers(
        [
          ...line.map(node => ({ source: `BluePrint ${node.name}`, values: node.configValues })),
          ...middle,
          ...chain.map(node => ({ source: `Site ${node.name}`, values: node.config_values })),
          ...last,
          globalLayer(engine.url(), nowMs, Math.max(...changedMs, ...chain.map(node => Number(node.updated_ms)))),
        ],
        engine.plugins.foundations.get(type)?.classes ?? [],
      )
      return engine.renderer.render(merged, target)
    }

  return {
    structures: new Map(
      structures.map(({ structure: own, foundation: under, structureJob, foundationJob }) => [
        own.id,
        resolve(
          `Structure ${own.hostname}`,
          own.blueprint,
          own.site,
          under.type,
          [foundationLayer(engine, under, foundationJob)],
          [structureLayer(own, structureJob), { source: `Structure ${own.hostname}`, values: own.configValues }],
          [own.updatedAt, under.updatedAt],
        ),
      ]),
    ),
    foundations: new Map(
      foundations.map(({ foundation: own, foundationJob }) => [
        own.locator,
        resolve(
          `Foundation ${own.locator}`,
          own.blueprint,
          own.site,
          own.type,
          [
            foundationLayer(engine, own, foundationJob),
            { source: 'attributes', values: { _site: own.site, _blueprint: own.blueprint } },
          ],
          [],
          [own.updatedAt],
        ),
      ]),
    ),
  }
}

/** The config of one Site alone: its own values and those of the Sites above it. */
export async function loadSiteConfig(engine: Engine, db: Db, name: string): Promise<Values> {
  const chain = siteChain(await loadSites(db, [name]), name)
  const merged = mergeLayers(
    chain.map(node => ({ source: `Site ${node.name}`, values: node.config_values })),
    [],
  )
  return engine.renderer.render({ ...merged, _site: name }, `Site ${name}`)
}

interface LiveJob {
  id: number | null
  cookie: string | null
}

const liveJob = (name: string) => alias(job, name)

async function selectStructures(db: Db, ids: readonly number[]) {
  if (!ids.length) return []
  const own = liveJob('structure_job')
  const under = liveJob('foundation_job')
  return db
    .select({
      structure,
      foundation,
      structureJob: { id: own.id, cookie: own.cookie },
      foundationJob: { id: under.id, cookie: under.cookie },
    })
    .from(structure)
    .innerJoin(foundation, sql`${foundation.locator} = ${structure.foundation}`)
    .leftJoin(own, sql`${own.structure} = ${structure.id} and ${own.outcome} is null`)
    .leftJoin(under, sql`${under.foundation} = ${foundation.locator} and ${under.outcome} is null`)
    .where(inArray(structure.id, [...ids]))
}

async function selectFoundations(db: Db, locators: readonly string[]) {
  if (!locators.length) return []
  const own = liveJob('foundation_job')
  return db
    .select({ foundation, foundationJob: { id: own.id, cookie: own.cookie } })
    .from(foundation)
    .leftJoin(own, sql`${own.foundation} = ${foundation.locator} and ${own.outcome} is null`)
    .where(inArray(foundation.locator, [...locators]))
}

/** The Sites and all above them. */
async function loadSites(db: Db, names: readonly string[]): Promise<ReadonlyMap<string, SiteNode>> {
  if (!names.length) return new Map()
  const wanted = sql.join(
    [...new Set(names)].map(name => sql`${name}`),
    sql`, `,
  )
  const rows = await executeRows<SiteNode & Record<string, unknown>>(
    db,
    sql`with recursive line as (
          select * from contractor.site where name in (${wanted})
          union
          select up.* from contractor.site up join line on line.parent = up.name
        ) select name, parent, config_values, (extract(epoch from updated_at) * 1000)::bigint::text as updated_ms from line`,
  )
  return new Map(rows.map(row => [row.name, row]))
}

/** From the root down. */
function siteChain(sites: ReadonlyMap<string, SiteNode>, name: string): SiteNode[] {
  const chain: SiteNode[] = []
  for (let at = sites.get(name); at; at = at.parent === null ? undefined : sites.get(at.parent)) chain.unshift(at)
  return chain
}

function foundationLayer(engine: Engine, row: typeof foundation.$inferSelect, job: LiveJob | null): Layer {
  return {
    source: 'attributes',
    values: {
      _foundation_id: row.locator,
      _foundation_locator: row.locator,
      _foundation_type: row.type,
      _foundation_state: row.state,
      _foundation_class_list: [...(engine.plugins.foundations.get(row.type)?.classes ?? [])],
      _foundation_id_map: row.idMap ?? null,
      _foundation_job_id: job?.id ?? null,
      _foundation_job_cookie: job?.cookie ?? null,
    },
  }
}

function structureLayer(row: typeof structure.$inferSelect, job: LiveJob | null): Layer {
  return {
    source: 'attributes',
    values: {
      _site: row.site,
      _blueprint: row.blueprint,
      _hostname: row.hostname,
      _structure_id: row.id,
      _structure_state: row.state,
      _structure_config_uuid: row.configUuid,
      _structure_job_id: job?.id ?? null,
      _structure_job_cookie: job?.cookie ?? null,
    },
  }
}

function globalLayer(url: string, nowMs: number, changedMs: number): Layer {
  const values: Record<string, Json> = {
    __contractor_host: url,
    __pxe_location: `${url}/pxe/`,
    __signal_location: `${url}/signal/`,
    __pxe_template_location: `${url}/config/pxe_template/`,
    __timestamp: new Date(nowMs).toISOString(),
    __last_modified: new Date(changedMs).toISOString(),
  }
  return { source: 'attributes', values }
}
