import {
  ContractorError,
  type DependencyView,
  dependencyInput,
  dependencyQuery,
  dependencyView,
  nouns,
  type Page,
  parseInput,
} from '@contractor/contract'
import { eq } from 'drizzle-orm'
import type { z } from 'zod'
import type { Db } from '../../database/database.ts'
import { dependency, script } from '../../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import { surface } from '../../engine/surface.ts'
import { recordEvents } from '../../event/record-events.ts'
import { defineFilterable } from '../../filter/filterable.ts'
import { loadNeighbours } from '../../graph/neighbours.ts'
import { refuseCircle } from '../../graph/refuse-circle.ts'
import { type DependencyRow, lockTarget, type WholeTarget } from '../../graph/target.ts'
import { applyStateChanges } from '../../graph/target-state.ts'
import { wakeNeighbours } from '../../graph/wake-neighbours.ts'
import { type Bound, bindMethods } from '../../noun/bind.ts'
import { type Kept, lockRow, readRow } from '../../noun/change-row.ts'
import { listRows, matching, toPage } from '../../noun/list-rows.ts'
import { notFound } from '../../noun/refuse.ts'
import { shownStamps } from '../../noun/stamps.ts'
import type { Job, Jobs } from '../../run/job/jobs.ts'
import { keptFoundations } from '../foundation/foundation.ts'
import { keptStructures } from '../structure/structure.ts'

export interface Dependency
  extends DependencyView,
    Bound<Dependencies, 'setBuilt' | 'setDestroyed' | 'doCreate' | 'doDestroy' | 'delete'> {
  refresh(options?: CallOptions): Promise<Dependency>
}

export interface Dependencies {
  /** Refused when it would close a circle, with the path of it. */
  create(input: z.input<typeof dependencyInput>, options?: CallOptions): Promise<Dependency>
  get(id: number, options?: CallOptions): Promise<Dependency>
  list(query?: z.input<typeof dependencyQuery>, options?: CallOptions): Promise<Page<Dependency>>
  /** Says that it is built, without a Job; refused while it has one. */
  setBuilt(id: number, options?: CallOptions): Promise<Dependency>
  /** Says that it is gone, without a Job; a hard one takes its Foundation along. Refused while it has one. */
  setDestroyed(id: number, options?: CallOptions): Promise<Dependency>
  /** The two with the state as an argument. */
  setState(id: number, to: 'built' | 'destroyed', options?: CallOptions): Promise<Dependency>
  doCreate(id: number, options?: CallOptions): Promise<Job>
  doDestroy(id: number, options?: CallOptions): Promise<Job>
  /** Refused with IN_USE while it is built, has a Job, or another Dependency waits for it. */
  delete(id: number, options?: CallOptions): Promise<void>
}

const asked = { filterable: defineFilterable('Dependency', dependencyView, dependency) }

export function createDependencies(engine: Engine, jobs: Jobs): Dependencies {
  const dependencies: Dependencies = surface(engine, {
    async create(input, options = {}) {
      const parsed = parseInput(dependencyInput, input, 'The Dependency')
      return transaction(engine, options, async tx => {
        const waiting = await readRow(tx, keptFoundations, parsed.foundation)
        for (const name of [parsed.createScript, parsed.destroyScript]) if (name !== null) await requireScript(tx, name)
        if (parsed.structure !== null) await readRow(tx, keptStructures, parsed.structure)
        const before = parsed.dependency === null ? undefined : await readRow(tx, kept, parsed.dependency)
        if (parsed.scriptStructure !== null) await readRow(tx, keptStructures, parsed.scriptStructure)
        const on =
          parsed.structure !== null
            ? { kind: 'Structure', key: parsed.structure }
            : { kind: 'Dependency', key: parsed.dependency as number }
        await refuseCircle(tx, { kind: 'Foundation', key: parsed.foundation }, on)
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
        await recordEvents(engine, tx, [
          { type: 'dependency.created', by: whoIs(options), dependency: created.id, foundation: created.foundation },
        ])
        return toDependency(created)
      })
    },
    async get(which, options = {}) {
      return toDependency(await readRow(options.tx ?? engine.db, kept, which))
    },
    async list(query = {}, options = {}) {
      const { after, limit, filter, ...narrowed } = parseInput(dependencyQuery, query, 'The query for Dependencies')
      const place = { key: dependency.id, where: matching(dependency, narrowed), asked }
      const rows = await listRows(options.tx ?? engine.db, dependency, { after, limit, filter }, place)
      return toPage(rows, limit, row => row.id, toDependency)
    },
    setState: (which, to, options = {}) => setState(which, to, options),
    setBuilt: (which, options = {}) => setState(which, 'built', options),
    setDestroyed: (which, options = {}) => setState(which, 'destroyed', options),
    doCreate: (which, options) => jobs.create({ dependency: which }, 'create', options),
    doDestroy: (which, options) => jobs.create({ dependency: which }, 'destroy', options),
    async delete(which, options = {}) {
      await transaction(engine, options, async tx => {
        const target = await lockDependency(tx, which, options)
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
        await recordEvents(engine, tx, [{ type: 'dependency.deleted', by: whoIs(options), dependency: which }])
        await notify(tx, 'job')
      })
    },
  })

  const setState = (which: number, to: 'built' | 'destroyed', options: CallOptions): Promise<Dependency> => {
    return transaction(engine, options, async tx => {
      const target = await lockDependency(tx, which, options)
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
  }

  const toDependency = (row: DependencyRow): Dependency =>
    bindMethods(nouns.dependency, dependencies, row.id, toView(row) as Dependency)
  return dependencies
}

const kept: Kept<typeof dependency> = {
  ...{ kind: 'Dependency', table: dependency, key: dependency.id, lock: 'dependency' },
}

async function lockDependency(
  tx: Db,
  which: number,
  options: CallOptions,
): Promise<WholeTarget & { dependency: DependencyRow }> {
  const target = await lockTarget(tx, { dependency: which })
  if (!target) throw notFound('Dependency', which)
  return { ...target, dependency: await lockRow(tx, kept, which, options) }
}

async function requireScript(tx: Db, name: string): Promise<void> {
  const [row] = await tx.select({ name: script.name }).from(script).where(eq(script.name, name))
  if (!row) throw notFound('Script', name)
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
    ...shownStamps(row),
  }
}
