import { type ConfigExplanation, holdsSecret, type Json, mapTexts, maskSecrets } from '@contractor/contract'
import type { Values } from '../database/columns.ts'
import type { Db } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import { writeLiteral } from '../jinja/literal.ts'
import {
  foundationAttributes,
  globalAttributes,
  ownFoundationAttributes,
  structureAttributes,
  typeValues,
  zoneOf,
} from './attributes.ts'
import {
  type BlueprintRow,
  type ConfigRows,
  type ConfigTargets,
  loadConfigRows,
  type SiteRow,
  type StructureRow,
} from './config-rows.ts'
import { explainValues } from './explain-config.ts'
import { findMembers, type Members } from './members.ts'
import { type Layer, type Merged, mergeLayers } from './merge-values.ts'
import { type RenderedValues, renderValues } from './render-values.ts'
import { linkSecrets, loadNamedSecrets } from './secret/secrets.ts'

/**
 * The config of a target, merged in this order: its BluePrint (parents first), Foundation attributes, Site (parents
 * first), what its Foundation's type says, Structure attributes, the Structure's own values, global attributes; then rendered. A Structure does not get
 * its Foundation's BluePrint.
 */
export interface Config {
  /** One value, rendered with what it needs and nothing else; undefined when there is none. Throws CONFIG_INVALID. */
  get(key: string): Json | undefined
  /** All values, rendered, with references to secrets. Throws CONFIG_INVALID. */
  values(): Values
  /** All values, rendered, as people may see them: `***` for secrets. Throws CONFIG_INVALID. */
  shown(): Values
  /** The same, with other values of the Structure's own. */
  withOwn(values: Values): Config
  /** Where each value comes from. Throws CONFIG_INVALID only where the sources themselves cannot be merged. */
  explain(): ConfigExplanation
}

export interface Configs {
  structures: ReadonlyMap<number, Config>
  foundations: ReadonlyMap<string, Config>
  sites: ReadonlyMap<string, Config>
}

/**
 * Reads the config of many targets: one statement, one more where a source names secrets, and as much again where a Structure
 * has members. What cannot be merged or rendered says so when it is asked for.
 */
export async function loadConfigs(engine: Engine, db: Db, targets: ConfigTargets): Promise<Configs> {
  const { rows, composed } = await loadComposed(engine, db, targets)
  const { asked } = targets
  const members = await findMembers(rows, composed.mergedOf, async wanted => {
    // What a machine may not see of itself, it does not see of its members either. Whether these have some is not asked.
    const { rows: found, composed } = await loadComposed(engine, db, {
      members: wanted,
      ...(asked && { asked: { hidden: asked.hidden } }),
    })
    return { rows: found, attributesOf: composed.attributesOf, configs: composed.configs(new Map()).structures }
  })
  return composed.configs(members)
}

interface Composed {
  /** With what `findMembers` gave. */
  configs(members: Members): Configs
  /** The values of a Structure as they are merged, but without its members. Throws CONFIG_INVALID. */
  mergedOf(own: StructureRow): Merged
  attributesOf(own: StructureRow): Values
}

async function loadComposed(
  engine: Engine,
  db: Db,
  targets: ConfigTargets,
): Promise<{ rows: ConfigRows; composed: Composed }> {
  const rows = await loadConfigRows(engine, db, targets)
  const secrets = await loadNamedSecrets(
    db,
    [...rows.blueprints.values(), ...rows.sites.values(), ...rows.structures].map(row => row.values),
  )
  return { rows, composed: compose(engine, targets, rows, secrets) }
}

function compose(
  engine: Engine,
  { sites = [], asked }: ConfigTargets,
  rows: ConfigRows,
  secrets: ReadonlyMap<string, string> | undefined,
): Composed {
  const layer = (source: string, values: Values): Layer => ({
    source,
    values: secrets ? linkSecrets(values, secrets, source) : values,
  })
  const line = keep((name: string) => blueprintLine(rows, name))
  const chain = keep((name: string) => siteChain(rows, name))
  const blueprintLayers = keep((name: string) => line(name).map(row => layer(`BluePrint ${row.name}`, row.values)))
  const siteLayers = keep((name: string) => chain(name).map(row => layer(`Site ${row.name}`, row.values)))
  const classes = (type: string) => engine.plugins.foundations.get(type)?.classes ?? []
  const changed = (blueprint: string, site: string, ...own: number[]) =>
    Math.max(...own, ...[...line(blueprint), ...chain(site)].map(row => row.changedMs))
  const now = new Date(rows.nowMs).toISOString()
  const last = (path: string, changedMs: number) =>
    attributes(
      globalAttributes({
        url: engine.url(),
        pxeUrl: engine.pxeUrl,
        path: asked?.path ?? path,
        now,
        changedMs,
      }),
    )
  const given = (values: Values) =>
    attributes(
      asked ? Object.fromEntries(Object.entries(values).filter(([key]) => !asked.hidden.includes(key))) : values,
    )

  const typeLayer = (own: StructureRow['foundation']): Layer[] => {
    const { values } = typeValues(engine, own)
    return Object.keys(values).length ? [{ source: `Foundation ${own.locator}`, values: literal(values) }] : []
  }
  const attributesOf = (own: StructureRow) => structureAttributes(own, zoneOf(chain(own.site)))
  const structureLayers = (own: StructureRow, values: Values, members?: Json): Layer[] => [
    ...blueprintLayers(own.blueprint),
    given(foundationAttributes(engine, own.foundation)),
    ...siteLayers(own.site),
    ...typeLayer(own.foundation),
    given({ ...attributesOf(own), ...(members !== undefined && { _members: members }) }),
    layer(titleOf(own), values),
    // Its config UUID shows who it is: it is not for one that has not shown it.
    last(
      asked ? `s/${own.id}` : `c/${own.configUuid}`,
      changed(own.blueprint, own.site, own.changedMs, own.foundation.changedMs),
    ),
  ]

  return {
    attributesOf,
    mergedOf: own => mergeLayers(structureLayers(own, own.values), classes(own.foundation.type)),
    configs: members => ({
      structures: new Map(
        rows.structures.map(own => [
          own.id,
          createConfig(engine, titleOf(own), classes(own.foundation.type), (values = own.values) =>
            structureLayers(own, values, members.get(own.id)?.()),
          ),
        ]),
      ),
      foundations: new Map(
        rows.foundations.map(own => [
          own.locator,
          createConfig(engine, `Foundation ${own.locator}`, classes(own.type), () => [
            ...blueprintLayers(own.blueprint),
            given({ ...foundationAttributes(engine, own), ...ownFoundationAttributes(own) }),
            ...siteLayers(own.site),
            ...typeLayer(own),
            last(`f/${own.locator}`, changed(own.blueprint, own.site, own.changedMs)),
          ]),
        ]),
      ),
      sites: new Map(
        sites.map(name => [
          name,
          createConfig(engine, `Site ${name}`, [], () => [
            ...siteLayers(name),
            attributes({ _site: name }),
            // A machine that nobody knows yet has its Site's config alone, and must find its way all the same.
            ...(asked ? [last('', Math.max(...chain(name).map(row => row.changedMs)))] : []),
          ]),
        ]),
      ),
    }),
  }
}

const titleOf = ({ hostname }: StructureRow) => `Structure ${hostname}`

/** What a driver found is data, and no template. */
const literal = (values: Values) => mapTexts(values, writeLiteral) as Values

const attributes = (values: Values): Layer => ({ source: 'attributes', values })

function createConfig(
  engine: Engine,
  target: string,
  classes: readonly string[],
  layers: (own?: Values) => Layer[],
  own?: Values,
): Config {
  let rendered: RenderedValues | undefined
  const render = () => {
    rendered ??= renderValues(engine.templates, mergeLayers(layers(own), classes), target)
    return rendered
  }
  return {
    get: key => render().get(key),
    values: () => render().all(),
    shown: () => {
      const values = render().all()
      return hasSecret(values) ? maskSecrets(values) : values
    },
    withOwn: values => createConfig(engine, target, classes, layers, values),
    explain: () => explainValues(engine.templates, layers(own), classes, target),
  }
}

/** Most configs have none: to look for one is quicker than to make a masked copy. */
function hasSecret(value: Json): boolean {
  if (typeof value === 'string') return holdsSecret(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasSecret)
}

/** A BluePrint's line in the order in which values are merged: every ancestor once, before its heirs. */
function blueprintLine(rows: ConfigRows, name: string): BlueprintRow[] {
  const line = new Map<string, BlueprintRow>()
  const visit = (at: string) => {
    const row = rows.blueprints.get(at)
    if (!row || line.has(at)) return
    for (const parent of row.parents) visit(parent)
    line.set(at, row)
  }
  visit(name)
  return [...line.values()]
}

/** From the root down. */
function siteChain(rows: ConfigRows, name: string): SiteRow[] {
  const chain: SiteRow[] = []
  for (let at = rows.sites.get(name); at; at = at.parent === null ? undefined : rows.sites.get(at.parent))
    chain.unshift(at)
  return chain
}

/** Asks once for each name: many targets share their BluePrint and their Site. */
function keep<T>(make: (name: string) => T): (name: string) => T {
  const made = new Map<string, T>()
  return name => {
    const present = made.get(name)
    if (present !== undefined) return present
    const fresh = make(name)
    made.set(name, fresh)
    return fresh
  }
}
