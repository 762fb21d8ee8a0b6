import { ContractorError, json, parseInput } from '@contractor/plugin'
import { asc, eq, gt, sql } from 'drizzle-orm'
import { z } from 'zod'
import { recordConfigChanges } from '../config/config-changes.ts'
import { loadConfigs } from '../config/load-config.ts'
import type { Values } from '../database/columns.ts'
import { type Db, executeRows } from '../database/database.ts'
import { site } from '../database/schema.ts'
import { zoneName } from '../dns/dns-name.ts'
import { checkSiteHostnames } from '../dns/site-zone.ts'
import { lockZones, missingZone } from '../dns/zone.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { surface } from '../engine/surface.ts'
import { configValues, type Page, pageRequest, plainName, toPage } from '../name.ts'

export const siteInput = z.strictObject({
  name: plainName,
  /** The Site above, whose config values it inherits. */
  parent: plainName.nullable().default(null),
  /** The DNS Zone of its Structures; that of the Site above unless it has one. */
  zone: zoneName.nullable().default(null),
  description: z.string().default(''),
  configValues: configValues.default({}),
})

// Without the defaults of creation: what is not given stays as it is.
export const siteChanges = z
  .strictObject({ parent: plainName.nullable(), zone: zoneName.nullable(), description: z.string(), configValues })
  .partial()

export const siteView = z.object({
  name: z.string(),
  parent: z.string().nullable(),
  zone: z.string().nullable(),
  description: z.string(),
  configValues: z.record(z.string(), json),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})

export type SiteView = z.output<typeof siteView>

export interface Site extends SiteView {
  /** The Site's own values with those of the Sites above it, rendered. */
  config(options?: CallOptions): Promise<Values>
  update(changes: z.input<typeof siteChanges>, options?: CallOptions): Promise<Site>
  delete(options?: CallOptions): Promise<void>
}

export interface Sites {
  create(input: z.input<typeof siteInput>, options?: CallOptions): Promise<Site>
  get(name: string, options?: CallOptions): Promise<Site>
  /** The Site's own values with those of the Sites above it, rendered. */
  config(name: string, options?: CallOptions): Promise<Values>
  list(page?: z.input<typeof pageRequest>, options?: CallOptions): Promise<Page<Site>>
  update(name: string, changes: z.input<typeof siteChanges>, options?: CallOptions): Promise<Site>
  /** Refused with IN_USE while anything belongs to it. */
  delete(name: string, options?: CallOptions): Promise<void>
}

export function createSites(engine: Engine): Sites {
  const sites: Sites = surface(engine, {
    async create(input, options = {}) {
      const parsed = parseInput(siteInput, input, 'The Site')
      return transaction(engine, options, async tx => {
        if (parsed.parent !== null) await requireSite(tx, parsed.parent)
        await keepZone(tx, parsed.zone)
        const now = engine.clock.now()
        const [row] = await tx
          .insert(site)
          .values({ ...parsed, createdAt: now, updatedAt: now })
          .onConflictDoNothing()
          .returning()
        if (!row) {
          throw new ContractorError('ALREADY_EXISTS', `A Site '${parsed.name}' exists already`, {
            kind: 'Site',
            id: parsed.name,
          })
        }
        const changed = { owner: { site: row.name }, before: {}, after: row.configValues }
        await recordConfigChanges(engine, tx, whoIs(options), [changed])
        return toSite(row)
      })
    },
    async get(name, options = {}) {
      return toSite(await requireSite(options.tx ?? engine.db, name))
    },
    async config(name, options = {}) {
      const db = options.tx ?? engine.db
      await requireSite(db, name)
      return (await loadConfigs(engine, db, { sites: [name] })).sites.get(name)?.shown() ?? {}
    },
    async list(page = {}, options = {}) {
      const { after, limit } = parseInput(pageRequest, page, 'The page')
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(site)
        .where(after === undefined ? undefined : gt(site.name, after))
        .orderBy(asc(site.name))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.name, toSite)
    },
    async update(name, changes, options = {}) {
      const parsed = parseInput(siteChanges, changes, `The change of Site '${name}'`)
      return transaction(engine, options, async tx => {
        const present = await requireSite(tx, name)
        if (typeof parsed.parent === 'string') await checkParent(tx, name, parsed.parent)
        await keepZone(tx, parsed.zone)
        const [row] = await tx
          .update(site)
          .set({ ...parsed, updatedAt: engine.clock.now() })
          .where(eq(site.name, name))
          .returning()
        if (parsed.zone !== undefined || parsed.parent !== undefined) await checkSiteHostnames(tx, name)
        if (parsed.configValues) {
          const changed = { owner: { site: name }, before: present.configValues, after: parsed.configValues }
          await recordConfigChanges(engine, tx, whoIs(options), [changed])
        }
        return toSite(row as typeof site.$inferSelect)
      })
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        await requireSite(tx, name)
        const by = await usersOfSite(tx, name)
        if (by.length) {
          throw new ContractorError(
            'IN_USE',
            `Site '${name}' cannot be deleted: ${by.join(', ')} ${by.length === 1 ? 'belongs' : 'belong'} to it`,
            {
              kind: 'Site',
              id: name,
              by,
            },
          )
        }
        await tx.delete(site).where(eq(site.name, name))
      })
    },
  })

  const toSite = (row: typeof site.$inferSelect): Site => ({
    name: row.name,
    parent: row.parent,
    zone: row.zone,
    description: row.description,
    configValues: row.configValues,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    config: (options = {}) => sites.config(row.name, options),
    update: (changes, options) => sites.update(row.name, changes, options),
    delete: options => sites.delete(row.name, options),
  })
  return sites
}

/** The row of a Site; NOT_FOUND when there is none. */
export async function requireSite(db: Db, name: string): Promise<typeof site.$inferSelect> {
  const [row] = await db.select().from(site).where(eq(site.name, name))
  if (!row) throw new ContractorError('NOT_FOUND', `Site '${name}' does not exist`, { kind: 'Site', id: name })
  return row
}

/** Sees to it that a Zone is there until the transaction ends. */
async function keepZone(tx: Db, zone: string | null | undefined): Promise<void> {
  if (typeof zone === 'string' && !(await lockZones(tx, [zone])).size) throw missingZone(zone)
}

async function checkParent(tx: Db, name: string, parent: string): Promise<void> {
  await requireSite(tx, parent)
  const above = await executeRows<{ name: string }>(
    tx,
    sql`with recursive line as (
          select name, parent from contractor.site where name = ${parent}
          union
          select up.name, up.parent from contractor.site up join line on line.parent = up.name
        ) select name from line`,
  )
  if (above.some(one => one.name === name)) {
    const path = [...above.map(one => one.name)].join(' → ')
    throw new ContractorError(
      'VALIDATION_FAILED',
      `Site '${name}' cannot belong to '${parent}': that would be a circle (${path} → ${parent})`,
      {
        issues: [{ path: 'parent', message: 'makes a circle' }],
      },
    )
  }
}

async function usersOfSite(tx: Db, name: string): Promise<string[]> {
  const rows = await executeRows<{ who: string }>(
    tx,
    sql`select 'Site ' || name as who from contractor.site where parent = ${name}
        union all select 'Foundation ' || locator from contractor.foundation where site = ${name}
        union all select 'Structure ' || hostname from contractor.structure where site = ${name}
        union all select 'Complex ' || name from contractor.complex where site = ${name}
        union all select 'AddressBlock ' || name from contractor.address_block where site = ${name}
        union all select 'Network ' || name from contractor.network where site = ${name}
        limit 20`,
  )
  return rows.map(row => row.who)
}
