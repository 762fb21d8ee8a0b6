import { ContractorError, parseInput } from '@contractor/plugin'
import { and, asc, eq, gt, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { dependency, script, structure } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { surface } from '../engine/surface.ts'
import { recordEvents } from '../event/record-events.ts'
import { requireFoundation } from '../foundation/foundation.ts'
import { refuseCircle } from '../job/base-path.ts'
import type { Job, Jobs } from '../job/jobs.ts'
import { loadNeighbours } from '../job/neighbours.ts'
import { type DependencyRow, lockTarget, type WholeTarget } from '../job/target.ts'
import { wakeNeighbours } from '../job/wake-neighbours.ts'
import { idPageRequest, locator, type Page, plainName, toPage } from '../name.ts'
import { applyStateChanges } from '../target-state.ts'

const id = z.number().int().positive()

export const dependencyInput = z
  .strictObject({
    /** The Foundation that waits. */
    foundation: locator,
    /** The Structure that it waits for … */
    structure: id.nullable().default(null),
    /** … or the Dependency. */
    dependency: id.nullable().default(null),
    /** A hard one pulls its Foundation back when it is destroyed. */
    link: z.enum(['soft', 'hard']).default('soft'),
    /** Where its scripts run; on the Structure that is waited for unless said. */
    scriptStructure: id.nullable().default(null),
    createScript: plainName.nullable().default(null),
    destroyScript: plainName.nullable().default(null),
  })
  .refine(input => (input.structure === null) !== (input.dependency === null), {
    message: 'exactly one of structure and dependency is needed',
    path: ['structure'],
  })

export const dependencyView = z.object({
  id,
  foundation: z.string(),
  structure: id.nullable(),
  dependency: id.nullable(),
  link: z.enum(['soft', 'hard']),
  scriptStructure: id,
  createScript: z.string().nullable(),
  destroyScript: z.string().nullable(),
  state: z.enum(['planned', 'built']),
  builtAt: z.iso.datetime().nullable(),
})
export type DependencyView = z.output<typeof dependencyView>

export interface Dependency extends DependencyView {
  doCreate(options?: CallOptions): Promise<Job>
  doDestroy(options?: CallOptions): Promise<Job>
  /** Says that it is built, without a Job. */
  setBuilt(options?: CallOptions): Promise<Dependency>
  /** Says that it is gone, without a Job; a hard one takes its Foundation along. */
  setDestroyed(options?: CallOptions): Promise<Dependency>
  refresh(options?: CallOptions): Promise<Dependency>
  delete(options?: CallOptions): Promise<void>
}

export const dependencyQuery = idPageRequest.extend({
  foundation: z.string().optional(),
  structure: z.number().int().optional(),
})

export interface Dependencies {
  /** Refused when it would close a circle, with the path of it. */
  create(input: z.input<typeof dependencyInput>, options?: CallOptions): Promise<Dependency>
  get(id: number, options?: CallOptions): Promise<Dependency>
  list(query?: z.input<typeof dependencyQuery>, options?: CallOptions): Promise<Page<Dependency>>
  /** `built` or `destroyed`, without a Job; refused while it has one. */
  setState(id: number, to: 'built' | 'destroyed', options?: CallOptions): Promise<Dependency>
  /** Refused with IN_USE while it is built, has a Job, or another Dependency waits for it. */
  delete(id: number, options?: CallOptions): Promise<void>
}

export function createDependencies(engine: Engine, jobs: Jobs): Dependencies {
  const dependencies: Dependencies = surface(engine, {
    async create(input, options = {}) {
      const parsed = parseInput(dependencyInput, input, 'The Dependency')
      return transaction(engine, options, async tx => {
        const waiting = await requireFoundation(tx, parsed.foundation)
        for (const name of [parsed.createScript, parsed.destroyScript]) if (name !== null) await requireScript(tx, name)
        if (parsed.structure !== null) await requireStructure(tx, parsed.structure)
        const before = parsed.dependency === null ? undefined : await requireDependency(tx, parsed.dependency)
        if (parsed.scriptStructure !== null) await requireStructure(tx, parsed.scriptStructure)
        const on =
          parsed.structure !== null ? { structure: parsed.structure } : { dependency: parsed.dependency as number }
        await refuseCircle(tx, { foundation: parsed.foundation }, on)
        if (waiting.state === 'built') {
          throw new ContractorError(
            'WRONG_STATE',
            `Foundation '${waiting.locator}' is built: a Dependency for it to wait for comes too late`,
            { kind: 'Foundation', id: waiting.locator, state: waiting.state },
          )
        }
        const scriptStructure = parsed.scriptStructure ?? parsed.structure ?? (before as DependencyRow).scriptStructure
        const now = engine.clock.now()
        const [row] = await tx
          .insert(dependency)
          .values({ ...parsed, scriptStructure, createdAt: now, updatedAt: now })
          .returning()
        const created = row as DependencyRow
        await recordEvents(tx, engine.clock, [
          { type: 'dependency.created', by: whoIs(options), dependency: created.id, foundation: created.foundation },
        ])
        await notify(tx, 'event')
        return toDependency(created)
      })
    },
    async get(which, options = {}) {
      return toDependency(await requireDependency(options.tx ?? engine.db, which))
    },
    async list(query = {}, options = {}) {
      const {
        after,
        limit,
        foundation,
        structure: on,
      } = parseInput(dependencyQuery, query, 'The query for Dependencies')
      const conditions: (SQL | undefined)[] = [
        after === undefined ? undefined : gt(dependency.id, Number(after)),
        foundation === undefined ? undefined : eq(dependency.foundation, foundation),
        on === undefined ? undefined : eq(dependency.structure, on),
      ]
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(dependency)
        .where(and(...conditions))
        .orderBy(asc(dependency.id))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.id, toDependency)
    },
    async setState(which, to, options = {}) {
      return transaction(engine, options, async tx => {
        const target = await lockDependency(tx, which)
        const { state } = target.dependency
        const refuse = (why: string) =>
          new ContractorError('WRONG_STATE', `Dependency ${which} cannot be set ${to}: ${why}`, {
            kind: 'Dependency',
            id: which,
            state,
          })
        if (state !== (to === 'built' ? 'planned' : 'built')) throw refuse(`it is ${state}`)
        const own = (await loadNeighbours(tx, [target])).jobOf({ dependency: which })
        if (own) throw refuse(`Job ${own.id} is at it; cancel that first`)
        await applyStateChanges(engine, tx, [{ to, dependency: which }], whoIs(options))
        return dependencies.get(which, { tx })
      })
    },
    async delete(which, options = {}) {
      await transaction(engine, options, async tx => {
        const target = await lockDependency(tx, which)
        const own = (await loadNeighbours(tx, [target])).jobOf({ dependency: which })
        const after = await tx.select({ id: dependency.id }).from(dependency).where(eq(dependency.dependency, which))
        const by = [...(own ? [`Job ${own.id}`] : []), ...after.map(one => `Dependency ${one.id}`)]
        if (by.length || target.dependency.state === 'built') {
          const why = by.length
            ? `${by.join(', ')} need${by.length === 1 ? 's' : ''} it`
            : 'it is built; destroy it first'
          throw new ContractorError('IN_USE', `Dependency ${which} cannot be deleted: ${why}`, {
            kind: 'Dependency',
            id: which,
            by,
          })
        }
        // By its ends, since it is gone when they are looked for.
        const { foundation: waiting, structure: on, dependency: before } = target.dependency
        await wakeNeighbours(engine, tx, [
          { foundation: waiting },
          ...(on === null ? [] : [{ structure: on }]),
          ...(before === null ? [] : [{ dependency: before }]),
        ])
        await tx.delete(dependency).where(eq(dependency.id, which))
        await recordEvents(tx, engine.clock, [{ type: 'dependency.deleted', by: whoIs(options), dependency: which }])
        await notify(tx, 'job', 'event')
      })
    },
  })

  const toDependency = (row: DependencyRow): Dependency => ({
    ...toView(row),
    doCreate: options => jobs.create({ dependency: row.id }, 'create', options),
    doDestroy: options => jobs.create({ dependency: row.id }, 'destroy', options),
    setBuilt: options => dependencies.setState(row.id, 'built', options),
    setDestroyed: options => dependencies.setState(row.id, 'destroyed', options),
    refresh: options => dependencies.get(row.id, options),
    delete: options => dependencies.delete(row.id, options),
  })
  return dependencies
}

async function requireDependency(db: Db, which: number): Promise<DependencyRow> {
  const [row] = await db.select().from(dependency).where(eq(dependency.id, which))
  if (!row) throw missing(which)
  return row
}

const missing = (which: number) =>
  new ContractorError('NOT_FOUND', `Dependency ${which} does not exist`, { kind: 'Dependency', id: which })

async function lockDependency(tx: Db, which: number): Promise<WholeTarget & { dependency: DependencyRow }> {
  const target = await lockTarget(tx, { dependency: which })
  if (!target?.dependency) throw missing(which)
  return { ...target, dependency: target.dependency }
}

async function requireStructure(tx: Db, which: number): Promise<void> {
  const [row] = await tx.select({ id: structure.id }).from(structure).where(eq(structure.id, which))
  if (!row)
    throw new ContractorError('NOT_FOUND', `Structure ${which} does not exist`, { kind: 'Structure', id: which })
}

async function requireScript(tx: Db, name: string): Promise<void> {
  const [row] = await tx.select({ name: script.name }).from(script).where(eq(script.name, name))
  if (!row) throw new ContractorError('NOT_FOUND', `Script '${name}' does not exist`, { kind: 'Script', id: name })
}

function toView(row: DependencyRow): DependencyView {
  return {
    id: row.id,
    foundation: row.foundation,
    structure: row.structure,
    dependency: row.dependency,
    link: row.link,
    scriptStructure: row.scriptStructure,
    createScript: row.createScript,
    destroyScript: row.destroyScript,
    state: row.state,
    builtAt: row.builtAt?.toISOString() ?? null,
  }
}
