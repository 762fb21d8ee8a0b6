import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { requireBlueprint } from '../blueprint/blueprint.ts'
import { ancestorsFirst, loadBlueprintTree } from '../blueprint/blueprint-tree.ts'
import { requireComplex } from '../complex/complexes.ts'
import { loadConfigs } from '../config/load-config.ts'
import type { Values } from '../database/columns.ts'
import { type Db, executeRows } from '../database/database.ts'
import { blueprint as blueprintTable, dependency, foundation } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { recordEvents } from '../event/record-events.ts'
import type { Job, Jobs } from '../job/jobs.ts'
import { loadNeighbours } from '../job/neighbours.ts'
import type { FoundationRow } from '../job/target.ts'
import { locator, type Page, pageRequest, plainName, toPage } from '../name.ts'
import { ContractorError, parseInput } from '../plugin/error.ts'
import { json } from '../plugin/json.ts'
import { requireSite } from '../site/sites.ts'
import { applyStateChanges } from '../target-state.ts'

export const foundationInput = z.strictObject({
  locator,
  type: z.string(),
  site: plainName,
  blueprint: plainName,
  /** The Complex that provides it: when that is built, the Foreman locates the Foundation itself. */
  complex: plainName.nullable().default(null),
  /** The type's own columns, as its plugin declares them. */
  fields: z.record(z.string(), json).default({}),
})

export const foundationView = foundationInput.extend({
  state: z.enum(['planned', 'located', 'built']),
  locatedAt: z.iso.datetime().nullable(),
  builtAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type FoundationView = z.output<typeof foundationView>

export interface Foundation extends FoundationView {
  config(options?: CallOptions): Promise<Values>
  /** Says that it is there: what its create Job waits for. */
  setLocated(options?: CallOptions): Promise<Foundation>
  /** Says that it is built, without a Job. */
  setBuilt(options?: CallOptions): Promise<Foundation>
  /** Says that it is gone, with what stood on it, without a Job. */
  setDestroyed(options?: CallOptions): Promise<Foundation>
  doCreate(options?: CallOptions): Promise<Job>
  doDestroy(options?: CallOptions): Promise<Job>
  /** Orders a utility Job: a script that its BluePrint names. */
  doJob(name: string, options?: CallOptions): Promise<Job>
  refresh(options?: CallOptions): Promise<Foundation>
  delete(options?: CallOptions): Promise<void>
}

export const foundationQuery = pageRequest.extend({
  site: z.string().optional(),
  blueprint: z.string().optional(),
  type: z.string().optional(),
})

export interface Foundations {
  create(input: z.input<typeof foundationInput>, options?: CallOptions): Promise<Foundation>
  get(locator: string, options?: CallOptions): Promise<Foundation>
  list(query?: z.input<typeof foundationQuery>, options?: CallOptions): Promise<Page<Foundation>>
  /** `located`, `built` or `destroyed`, without a Job; refused while it has one. */
  setState(locator: string, to: 'located' | 'built' | 'destroyed', options?: CallOptions): Promise<Foundation>
  config(locator: string, options?: CallOptions): Promise<Values>
  /** Refused with IN_USE while a Structure stands on it or it has a Job. */
  delete(locator: string, options?: CallOptions): Promise<void>
}

export function createFoundations(engine: Engine, jobs: Jobs): Foundations {
  const foundations: Foundations = {
    async create(input, options = {}) {
      const parsed = parseInput(foundationInput, input, 'The Foundation')
      const plugin = engine.plugins.getFoundation(parsed.type)
      const fields = parseInput(
        plugin.fields.strict(),
        parsed.fields,
        `The ${parsed.type} fields of Foundation '${parsed.locator}'`,
      )
      return transaction(engine, options, async tx => {
        await requireSite(tx, parsed.site)
        await checkBlueprint(tx, parsed.blueprint, parsed.type)
        if (parsed.complex !== null) await requireComplex(tx, parsed.complex)
        const now = engine.clock.now()
        const [row] = await tx
          .insert(foundation)
          .values({ ...parsed, fields: json.parse(fields) as FoundationRow['fields'], createdAt: now, updatedAt: now })
          .onConflictDoNothing()
          .returning()
        if (!row) {
          throw new ContractorError('ALREADY_EXISTS', `A Foundation '${parsed.locator}' exists already`, {
            kind: 'Foundation',
            id: parsed.locator,
          })
        }
        await recordEvents(tx, engine.clock, [
          { type: 'foundation.created', by: whoIs(options), foundation: row.locator },
        ])
        await notify(tx, 'event')
        return toFoundation(row)
      })
    },
    async get(name, options = {}) {
      return toFoundation(await requireFoundation(options.tx ?? engine.db, name))
    },
    async list(query = {}, options = {}) {
      const { after, limit, site, blueprint, type } = parseInput(foundationQuery, query, 'The query for Foundations')
      const conditions: (SQL | undefined)[] = [
        after === undefined ? undefined : gt(foundation.locator, after),
        site === undefined ? undefined : eq(foundation.site, site),
        blueprint === undefined ? undefined : eq(foundation.blueprint, blueprint),
        type === undefined ? undefined : eq(foundation.type, type),
      ]
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(foundation)
        .where(and(...conditions))
        .orderBy(asc(foundation.locator))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.locator, toFoundation)
    },
    async setState(name, to, options = {}) {
      return transaction(engine, options, async tx => {
        const row = await lockFoundation(tx, name)
        await checkStateChange(tx, row, to)
        await applyStateChanges(engine, tx, [{ to, foundation: name }], whoIs(options))
        return foundations.get(name, { tx })
      })
    },
    async config(name, options = {}) {
      const db = options.tx ?? engine.db
      await requireFoundation(db, name)
      return (await loadConfigs(engine, db, { foundations: [name] })).foundations.get(name)?.values() ?? {}
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        const row = await lockFoundation(tx, name)
        const around = await loadNeighbours(tx, [{ foundation: row }])
        const heir = around.heirOf(name)
        const own = around.jobOf({ foundation: name })
        const edges = await tx.select({ id: dependency.id }).from(dependency).where(eq(dependency.foundation, name))
        const by = [
          ...(heir ? [`Structure ${heir.hostname}`] : []),
          ...edges.map(edge => `Dependency ${edge.id}`),
          ...(own ? [`Job ${own.id}`] : []),
        ]
        if (by.length) {
          throw new ContractorError(
            'IN_USE',
            `Foundation '${name}' cannot be deleted: ${by.join(' and ')} need${by.length === 1 ? 's' : ''} it`,
            {
              kind: 'Foundation',
              id: name,
              by,
            },
          )
        }
        await tx.delete(foundation).where(eq(foundation.locator, name))
        await recordEvents(tx, engine.clock, [{ type: 'foundation.deleted', by: whoIs(options), foundation: name }])
        await notify(tx, 'event')
      })
    },
  }

  const toFoundation = (row: FoundationRow): Foundation => {
    const setState = (to: 'located' | 'built' | 'destroyed') => (options?: CallOptions) =>
      foundations.setState(row.locator, to, options)
    const order = (action: string, options?: CallOptions) => jobs.create({ foundation: row.locator }, action, options)
    return {
      ...toFoundationView(row),
      config: options => foundations.config(row.locator, options),
      setLocated: setState('located'),
      setBuilt: setState('built'),
      setDestroyed: setState('destroyed'),
      doCreate: options => order('create', options),
      doDestroy: options => order('destroy', options),
      doJob: order,
      refresh: options => foundations.get(row.locator, options),
      delete: options => foundations.delete(row.locator, options),
    }
  }
  return foundations
}

export async function requireFoundation(db: Db, name: string): Promise<FoundationRow> {
  const [row] = await db.select().from(foundation).where(eq(foundation.locator, name))
  if (!row) throw missing(name)
  return row
}

async function lockFoundation(tx: Db, name: string): Promise<FoundationRow> {
  const [row] = await tx.select().from(foundation).where(eq(foundation.locator, name)).for('update')
  if (!row) throw missing(name)
  return row
}

const missing = (name: string) =>
  new ContractorError('NOT_FOUND', `Foundation '${name}' does not exist`, { kind: 'Foundation', id: name })

/** A BluePrint that names types, itself or by inheritance, may be used for those only. */
async function checkBlueprint(tx: Db, name: string, type: string): Promise<void> {
  await requireBlueprint(tx, name, 'foundation')
  const line = ancestorsFirst(await loadBlueprintTree(tx, [name]), name)
  const types = [...new Set(line.flatMap(node => node.foundationTypes))]
  if (types.length && !types.includes(type)) {
    throw new ContractorError(
      'VALIDATION_FAILED',
      `BluePrint '${name}' is for Foundations of type ${types.join(', ')}, not ${type}`,
      {
        issues: [{ path: 'blueprint', message: `is for ${types.join(', ')}` }],
      },
    )
  }
}

async function checkStateChange(tx: Db, row: FoundationRow, to: 'located' | 'built' | 'destroyed'): Promise<void> {
  const from = { located: ['planned'], built: ['planned', 'located'], destroyed: ['located', 'built'] }[to]
  const refuse = (why: string) =>
    new ContractorError('WRONG_STATE', `Foundation '${row.locator}' cannot be set ${to}: ${why}`, {
      kind: 'Foundation',
      id: row.locator,
      state: row.state,
    })
  if (!from.includes(row.state)) throw refuse(`it is ${row.state}`)
  const around = await loadNeighbours(tx, [{ foundation: row }])
  const own = around.jobOf({ foundation: row.locator })
  // A create Job may be waiting for just this.
  if (own && to !== 'located') throw refuse(`Job ${own.id} is at it; cancel that first`)
  const heir = around.heirOf(row.locator)
  const heirJob = heir && around.jobOf({ structure: heir.id })
  if (heirJob && to === 'destroyed')
    throw refuse(`Structure '${heir.hostname}' has Job ${heirJob.id}; cancel that first`)
  if (to === 'located') {
    const template = await findTemplate(tx, row.blueprint)
    if (template)
      throw refuse(`BluePrint '${template}' has a validation template, and no id map was checked against it`)
  }
}

/** The BluePrint, of a line, that carries a validation template. */
async function findTemplate(tx: Db, name: string): Promise<string | undefined> {
  const line = ancestorsFirst(await loadBlueprintTree(tx, [name]), name).map(node => node.name)
  const [row] = await executeRows<{ name: string }>(
    tx,
    sql`select name from ${blueprintTable}
        where template is not null and template <> 'null'::jsonb
          and name in (select value from jsonb_array_elements_text(${JSON.stringify(line)}::jsonb) as value) limit 1`,
  )
  return row?.name
}

function toFoundationView(row: FoundationRow): FoundationView {
  return {
    locator: row.locator,
    type: row.type,
    site: row.site,
    blueprint: row.blueprint,
    complex: row.complex,
    fields: row.fields,
    state: row.state,
    locatedAt: row.locatedAt?.toISOString() ?? null,
    builtAt: row.builtAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}
