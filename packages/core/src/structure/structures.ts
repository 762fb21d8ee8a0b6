import { and, asc, count, eq, gt, or, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import { requireBlueprint, selectBlueprints } from '../blueprint/blueprint.ts'
import { ancestorsFirst, loadBlueprintTree } from '../blueprint/blueprint-tree.ts'
import { loadConfigs } from '../config/load-config.ts'
import type { Values } from '../database/columns.ts'
import type { Db } from '../database/database.ts'
import { complexMember, dependency, structure } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { recordEvents } from '../event/record-events.ts'
import { requireFoundation } from '../foundation/foundations.ts'
import type { Job, Jobs } from '../job/jobs.ts'
import { loadNeighbours } from '../job/neighbours.ts'
import { lockTarget, type StructureRow } from '../job/target.ts'
import { configValues, hostname, locator, type Page, pageRequest, plainName, toPage } from '../name.ts'
import { ContractorError, parseInput } from '../plugin/error.ts'
import { json } from '../plugin/json.ts'
import { requireSite } from '../site/sites.ts'
import { applyStateChanges } from '../target-state.ts'

export const structureInput = z.strictObject({
  hostname,
  site: plainName,
  blueprint: plainName,
  /** The locator of the Foundation that it stands on, which may be of another Site. */
  foundation: locator,
  configValues: configValues.default({}),
})

export const structureView = structureInput.extend({
  id: z.number().int(),
  state: z.enum(['planned', 'built']),
  configUuid: z.uuid(),
  configValues: z.record(z.string(), json),
  builtAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type StructureView = z.output<typeof structureView>

export interface Structure extends StructureView {
  /** Its merged and rendered config. */
  config(options?: CallOptions): Promise<Values>
  /** Says that it is built, without a Job. */
  setBuilt(options?: CallOptions): Promise<Structure>
  /** Says that it is gone, without a Job. */
  setDestroyed(options?: CallOptions): Promise<Structure>
  doCreate(options?: CallOptions): Promise<Job>
  doDestroy(options?: CallOptions): Promise<Job>
  /** Orders a utility Job: a script that its BluePrint names. */
  doJob(name: string, options?: CallOptions): Promise<Job>
  refresh(options?: CallOptions): Promise<Structure>
  delete(options?: CallOptions): Promise<void>
}

const structureFilter = z.object({
  site: z.string().optional(),
  blueprint: z.string().optional(),
  state: z.enum(['planned', 'built']).optional(),
})
export const structureQuery = pageRequest.extend(structureFilter.shape)
export const structureCountQuery = structureFilter

export interface Structures {
  create(input: z.input<typeof structureInput>, options?: CallOptions): Promise<Structure>
  get(id: number, options?: CallOptions): Promise<Structure>
  list(query?: z.input<typeof structureQuery>, options?: CallOptions): Promise<Page<Structure>>
  /** How many there are: of a Site, of a BluePrint, in a state. */
  count(query?: z.input<typeof structureCountQuery>, options?: CallOptions): Promise<number>
  /** `built` or `destroyed`, without a Job; refused while it has one. */
  setState(id: number, to: 'built' | 'destroyed', options?: CallOptions): Promise<Structure>
  config(id: number, options?: CallOptions): Promise<Values>
  /** Refused with IN_USE while it is built or has a Job. */
  delete(id: number, options?: CallOptions): Promise<void>
}

export function createStructures(engine: Engine, jobs: Jobs): Structures {
  const structures: Structures = {
    async create(input, options = {}) {
      const parsed = parseInput(structureInput, input, 'The Structure')
      return transaction(engine, options, async tx => {
        await requireSite(tx, parsed.site)
        await requireBlueprint(tx, parsed.blueprint, 'structure')
        const under = await requireFoundation(tx, parsed.foundation)
        await checkFoundationBlueprint(tx, parsed.blueprint, under.locator, under.blueprint)
        const now = engine.clock.now()
        const [row] = await tx
          .insert(structure)
          .values({ ...parsed, createdAt: now, updatedAt: now })
          .onConflictDoNothing()
          .returning()
        if (!row) throw await explainConflict(tx, parsed)
        await recordEvents(tx, engine.clock, [{ type: 'structure.created', by: whoIs(options), structure: row.id }])
        await notify(tx, 'event')
        return toStructure(row)
      })
    },
    async get(id, options = {}) {
      return toStructure(await requireStructure(options.tx ?? engine.db, id))
    },
    async list(query = {}, options = {}) {
      const { after, limit, ...filter } = parseInput(structureQuery, query, 'The query for Structures')
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(structure)
        .where(and(after === undefined ? undefined : gt(structure.id, Number(after)), ...conditions(filter)))
        .orderBy(asc(structure.id))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.id, toStructure)
    },
    async count(query = {}, options = {}) {
      const filter = parseInput(structureCountQuery, query, 'The query for Structures')
      const [row] = await (options.tx ?? engine.db)
        .select({ count: count() })
        .from(structure)
        .where(and(...conditions(filter)))
      return row?.count ?? 0
    },
    async setState(id, to, options = {}) {
      return transaction(engine, options, async tx => {
        const target = await lockTarget(tx, { structure: id })
        if (!target?.structure) throw missing(id)
        const { hostname: name, state } = target.structure
        const refuse = (why: string) =>
          new ContractorError('WRONG_STATE', `Structure '${name}' cannot be set ${to}: ${why}`, {
            kind: 'Structure',
            id,
            state,
          })
        if (state !== (to === 'built' ? 'planned' : 'built')) throw refuse(`it is ${state}`)
        const own = (await loadNeighbours(tx, [target])).jobOf({ structure: id })
        if (own) throw refuse(`Job ${own.id} is at it; cancel that first`)
        await applyStateChanges(engine, tx, [{ to, structure: id }], whoIs(options))
        return structures.get(id, { tx })
      })
    },
    async config(id, options = {}) {
      const db = options.tx ?? engine.db
      await requireStructure(db, id)
      return (await loadConfigs(engine, db, { structures: [id] })).structures.get(id)?.values() ?? {}
    },
    async delete(id, options = {}) {
      await transaction(engine, options, async tx => {
        const target = await lockTarget(tx, { structure: id })
        if (!target?.structure) throw missing(id)
        const { hostname: name, state } = target.structure
        const own = (await loadNeighbours(tx, [target])).jobOf({ structure: id })
        const users = await usersOfStructure(tx, id)
        if (own || users.length || state === 'built') {
          const why = own
            ? `Job ${own.id} is at it`
            : users.length
              ? `${users.join(', ')} need${users.length === 1 ? 's' : ''} it`
              : 'it is built; destroy it first'
          throw new ContractorError('IN_USE', `Structure '${name}' cannot be deleted: ${why}`, {
            kind: 'Structure',
            id,
            by: own ? [`Job ${own.id}`] : users,
          })
        }
        await tx.delete(structure).where(eq(structure.id, id))
        await recordEvents(tx, engine.clock, [{ type: 'structure.deleted', by: whoIs(options), structure: id }])
        await notify(tx, 'event')
      })
    },
  }

  const toStructure = (row: StructureRow): Structure => {
    const order = (action: string, options?: CallOptions) => jobs.create({ structure: row.id }, action, options)
    return {
      ...toStructureView(row),
      config: options => structures.config(row.id, options),
      setBuilt: options => structures.setState(row.id, 'built', options),
      setDestroyed: options => structures.setState(row.id, 'destroyed', options),
      doCreate: options => order('create', options),
      doDestroy: options => order('destroy', options),
      doJob: order,
      refresh: options => structures.get(row.id, options),
      delete: options => structures.delete(row.id, options),
    }
  }
  return structures
}

async function requireStructure(db: Db, id: number): Promise<StructureRow> {
  const [row] = await db.select().from(structure).where(eq(structure.id, id))
  if (!row) throw missing(id)
  return row
}

const missing = (id: number) =>
  new ContractorError('NOT_FOUND', `Structure ${id} does not exist`, { kind: 'Structure', id })

function conditions({ site, blueprint, state }: z.output<typeof structureFilter>): (SQL | undefined)[] {
  return [
    site === undefined ? undefined : eq(structure.site, site),
    blueprint === undefined ? undefined : eq(structure.blueprint, blueprint),
    state && eq(structure.state, state),
  ]
}

/** A BluePrint that names FoundationBluePrints, itself or by inheritance, may stand on those and on their heirs only. */
async function checkFoundationBlueprint(tx: Db, blueprint: string, foundation: string, under: string): Promise<void> {
  const line = ancestorsFirst(await loadBlueprintTree(tx, [blueprint]), blueprint).map(node => node.name)
  const allowed = new Set((await selectBlueprints(tx, line)).flatMap(one => one.foundationBlueprints))
  if (!allowed.size) return
  const below = ancestorsFirst(await loadBlueprintTree(tx, [under]), under)
  if (below.some(node => allowed.has(node.name))) return
  throw new ContractorError(
    'VALIDATION_FAILED',
    `BluePrint '${blueprint}' may stand on ${[...allowed].join(', ')}; Foundation '${foundation}' is a '${under}'`,
    { issues: [{ path: 'foundation', message: `has the BluePrint ${under}` }] },
  )
}

async function usersOfStructure(tx: Db, id: number): Promise<string[]> {
  const edges = await tx
    .select({ id: dependency.id })
    .from(dependency)
    .where(or(eq(dependency.structure, id), eq(dependency.scriptStructure, id)))
  const complexes = await tx
    .select({ name: complexMember.complex })
    .from(complexMember)
    .where(eq(complexMember.structure, id))
  return [...edges.map(edge => `Dependency ${edge.id}`), ...complexes.map(one => `Complex ${one.name}`)]
}

async function explainConflict(tx: Db, input: z.output<typeof structureInput>): Promise<ContractorError> {
  const [found] = await tx
    .select()
    .from(structure)
    .where(
      or(
        eq(structure.foundation, input.foundation),
        and(eq(structure.site, input.site), eq(structure.hostname, input.hostname)),
      ),
    )
  if (found && found.hostname === input.hostname && found.site === input.site) {
    return new ContractorError('ALREADY_EXISTS', `Site '${input.site}' has a Structure '${input.hostname}' already`, {
      kind: 'Structure',
      id: input.hostname,
    })
  }
  return new ContractorError(
    'IN_USE',
    `Foundation '${input.foundation}' cannot be used: Structure '${found?.hostname ?? '?'}' of Site '${found?.site ?? '?'}' stands on it already`,
    { kind: 'Foundation', id: input.foundation, by: found ? [`Structure ${found.hostname}`] : [] },
  )
}

function toStructureView(row: StructureRow): StructureView {
  return {
    id: row.id,
    hostname: row.hostname,
    site: row.site,
    blueprint: row.blueprint,
    foundation: row.foundation,
    state: row.state,
    configUuid: row.configUuid,
    configValues: row.configValues,
    builtAt: row.builtAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}
