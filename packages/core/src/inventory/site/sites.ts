import { type ConfigExplanation, nouns, type SiteView, type siteChanges } from '@contractor/contract'
import type { z } from 'zod'
import { type Config, loadConfigs } from '../../config/load-config.ts'
import type { Values } from '../../database/columns.ts'
import type { Db } from '../../database/database.ts'
import type { site } from '../../database/schema.ts'
import { checkSiteHostnames } from '../../dns/site-zone.ts'
import { requireZone } from '../../dns/zone.ts'
import { type CallOptions, type Engine, whoIs } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { recordConfigChanges } from '../../event/record-config-changes.ts'
import { usersOf } from '../../graph/edges.ts'
import { type Bound, bindMethods } from '../../noun/bind.ts'
import { readRow } from '../../noun/change-row.ts'
import { type Crud, implement } from '../../noun/implement.ts'
import { shownStamps } from '../../noun/stamps.ts'
import { lockTree, refuseCircle, siteTree } from '../../noun/tree.ts'
import { keptSites, type SiteRow } from './site.ts'

export interface Site extends SiteView, Bound<Sites, 'config' | 'explainConfig' | 'update' | 'delete'> {
  refresh(options?: CallOptions): Promise<Site>
}

export interface Sites extends Crud<typeof nouns.site, Site, string> {
  /** What is not given stays as it is; `configValues` are laid over the present ones, and null takes one away. */
  update(name: string, changes: z.input<typeof siteChanges>, options?: CallOptions): Promise<Site>
  /** Refused with IN_USE while anything belongs to it. */
  delete(name: string, options?: CallOptions): Promise<void>
  /** The Site's own values with those of the Sites above it, rendered. */
  config(name: string, options?: CallOptions): Promise<Values>
  /** Where each value of its config comes from. */
  explainConfig(name: string, options?: CallOptions): Promise<ConfigExplanation>
}

export function createSites(engine: Engine): Sites {
  const configOf = async (name: string, options: CallOptions): Promise<Config> => {
    const db = options.tx ?? engine.db
    await readRow(db, keptSites, name)
    return (await loadConfigs(engine, db, { sites: [name] })).sites.get(name) as Config
  }
  const sites: Sites = surface(engine, {
    ...implement<typeof nouns.site, typeof site, Site, string>(engine, {
      noun: nouns.site,
      kept: keptSites,
      views: (_, rows) => rows.map(row => bindMethods(nouns.site, sites, row.name, toView(row) as Site)),
      async lock(tx, { given }) {
        if (given.parent !== undefined && given.parent !== null) await lockTree(tx, siteTree)
      },
      async check(tx, { given, next, before }) {
        if (typeof given.parent === 'string') {
          await readRow(tx, keptSites, given.parent)
          if (before) await refuseCircle(tx, siteTree, next.name, given.parent)
        }
        if (typeof given.zone === 'string') await requireZone(tx, given.zone)
      },
      async after(tx, row, { given, before, options }) {
        if (before && (given.zone !== undefined || given.parent !== undefined)) await checkSiteHostnames(tx, row.name)
        const changed = { owner: { site: row.name }, before: before?.configValues ?? {}, after: row.configValues }
        await recordConfigChanges(engine, tx, whoIs(options), [changed])
      },
      users: usersOfSite,
      use: ['belongs to it', 'belong to it'],
    }),
    async config(name, options = {}) {
      return (await configOf(name, options)).shown()
    },
    async explainConfig(name, options = {}) {
      return (await configOf(name, options)).explain()
    },
  })
  return sites
}

const toView = (row: SiteRow): SiteView => ({
  name: row.name,
  parent: row.parent,
  zone: row.zone,
  description: row.description,
  configValues: row.configValues,
  ...shownStamps(row),
})

const usersOfSite = (tx: Db, { name }: SiteRow) => usersOf(tx, { kind: 'Site', key: name }, ['belongs to'])
