import {
  type ConfigExplanation,
  ContractorError,
  isContractorError,
  nouns,
  type Page,
  parseInput,
  type StructureConfig,
  type StructureView,
  structureChanges,
  structureConfigQuery,
  structureCountQuery,
  structureInput,
  structureQuery,
} from '@contractor/contract'
import { and, asc, eq, inArray, ne, or } from 'drizzle-orm'
import type { z } from 'zod'
import { askedOf } from '../../config/asked-configs.ts'
import { type Config, loadConfigs } from '../../config/load-config.ts'
import type { Values } from '../../database/columns.ts'
import type { Db } from '../../database/database.ts'
import { structure } from '../../database/schema.ts'
import { checkHostnames } from '../../dns/site-zone.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import { surface } from '../../engine/surface.ts'
import { recordConfigChanges } from '../../event/record-config-changes.ts'
import { recordEvents } from '../../event/record-events.ts'
import { loadNeighbours } from '../../graph/neighbours.ts'
import { lockTarget, type StructureRow, type WholeTarget } from '../../graph/target.ts'
import { applyStateChanges } from '../../graph/target-state.ts'
import { wakeNeighbours } from '../../graph/wake-neighbours.ts'
import { type Bound, bindMethods } from '../../noun/bind.ts'
import { lockRow, readRow } from '../../noun/change-row.ts'
import { countRows, listRows, matching, toPage } from '../../noun/list-rows.ts'
import { mergePatch } from '../../noun/merge-patch.ts'
import { overlay } from '../../noun/overlay.ts'
import { notFound } from '../../noun/refuse.ts'
import type { Job, Jobs } from '../../run/job/jobs.ts'
import { addStructures } from './add-structures.ts'
import { keptStructures, structureFilterable, toStructureView } from './structure.ts'
import { checkStructures, explainConflict, usersOfStructure } from './structure-laws.ts'

export interface Structure
  extends StructureView,
    Bound<
      Structures,
      | 'config'
      | 'explainConfig'
      | 'update'
      | 'setBuilt'
      | 'setDestroyed'
      | 'doCreate'
      | 'doDestroy'
      | 'doJob'
      | 'delete'
    > {
  refresh(options?: CallOptions): Promise<Structure>
}

export interface Structures {
  create(input: z.input<typeof structureInput>, options?: CallOptions): Promise<Structure>
  /** All of them or none, in the order of the inputs; a few statements, however many. */
  createMany(inputs: readonly z.input<typeof structureInput>[], options?: CallOptions): Promise<Structure[]>
  get(id: number, options?: CallOptions): Promise<Structure>
  list(query?: z.input<typeof structureQuery>, options?: CallOptions): Promise<Page<Structure>>
  /** How many there are: of a Site, of a BluePrint, in a state. */
  count(query?: z.input<typeof structureCountQuery>, options?: CallOptions): Promise<number>
  /**
   * What is not given stays as it is; `configValues` are laid over the present ones, and null takes one away. Its BluePrint
   * and its Foundation can be changed while it is planned and has no Job; WRONG_STATE otherwise.
   */
  update(id: number, changes: z.input<typeof structureChanges>, options?: CallOptions): Promise<Structure>
  /** Says that it is built, without a Job; refused while it has one. */
  setBuilt(id: number, options?: CallOptions): Promise<Structure>
  /** Says that it is gone, without a Job; refused while it has one. */
  setDestroyed(id: number, options?: CallOptions): Promise<Structure>
  /** The two with the state as an argument. */
  setState(id: number, to: 'built' | 'destroyed', options?: CallOptions): Promise<Structure>
  doCreate(id: number, options?: CallOptions): Promise<Job>
  doDestroy(id: number, options?: CallOptions): Promise<Job>
  /** Orders a utility Job: a script that its BluePrint names. */
  doJob(id: number, name: string, options?: CallOptions): Promise<Job>
  /** Its merged and rendered config. */
  config(id: number, options?: CallOptions): Promise<Values>
  /** The configs of many, by id: two statements. One that cannot be rendered says so and spoils no other. */
  configs(query: z.input<typeof structureConfigQuery>, options?: CallOptions): Promise<StructureConfig[]>
  /** Where each value of its config comes from. */
  explainConfig(id: number, options?: CallOptions): Promise<ConfigExplanation>
  /** Refused with IN_USE while it is built or has a Job. */
  delete(id: number, options?: CallOptions): Promise<void>
}

export function createStructures(engine: Engine, jobs: Jobs): Structures {
  const asked = askedOf(engine, structureFilterable, 'structures', (row: StructureRow) => row.id)
  const structures: Structures = surface(engine, {
    async create(input, options = {}) {
      const [made] = await structures.createMany([parseInput(structureInput, input, 'The Structure')], options)
      return made as Structure
    },
    async createMany(inputs, options = {}) {
      const parsed = inputs.map((input, at) =>
        parseInput(
          structureInput,
          input,
          inputs.length > 1 ? `Structure ${at + 1} of ${inputs.length}` : 'The Structure',
        ),
      )
      if (!parsed.length) return []
      return transaction(engine, options, async tx =>
        (await addStructures(engine, tx, parsed, options)).map(toStructure),
      )
    },
    async get(id, options = {}) {
      return toStructure(await readRow(options.tx ?? engine.db, keptStructures, id))
    },
    async list(query = {}, options = {}) {
      const { after, limit, filter, ...narrowed } = parseInput(structureQuery, query, 'The query for Structures')
      const place = { key: structure.id, where: matching(structure, narrowed), asked }
      const rows = await listRows(options.tx ?? engine.db, structure, { after, limit, filter }, place)
      return toPage(rows, limit, row => row.id, toStructure)
    },
    async count(query = {}, options = {}) {
      const { filter, ...narrowed } = parseInput(structureCountQuery, query, 'The query for Structures')
      const place = { key: structure.id, where: matching(structure, narrowed), asked }
      return countRows(options.tx ?? engine.db, structure, filter, place)
    },
    async update(id, changes, options = {}) {
      const given = parseInput(structureChanges, changes, `The change of Structure ${id}`)
      return transaction(engine, options, async tx => {
        const target = await lockStructure(tx, id, options)
        const { structure: own } = target
        const values = given.configValues && mergePatch(own.configValues, given.configValues)
        const parsed = { ...given, ...(values && { configValues: values }) }
        const next = overlay(own, parsed)
        if (next.blueprint !== own.blueprint || next.foundation !== own.foundation) {
          const what = next.blueprint !== own.blueprint ? 'BluePrint' : 'Foundation'
          await requireIdle(tx, target, `cannot get another ${what}`)
        }
        await checkStructures(tx, [next])
        const taken = await findTaken(tx, next)
        if (taken) throw await explainConflict(tx, [next], [own])
        const [row] = await tx
          .update(structure)
          .set({ ...parsed, updatedAt: engine.clock.now() })
          .where(eq(structure.id, id))
          .returning()
        if (next.foundation !== own.foundation)
          await wakeNeighbours(engine, tx, [{ foundation: own.foundation }, { foundation: next.foundation }])
        if (next.hostname !== own.hostname || next.site !== own.site) await checkHostnames(tx, [id])
        const by = whoIs(options)
        const changed = { owner: { structure: id }, before: own.configValues, after: next.configValues }
        await recordConfigChanges(engine, tx, by, [changed])
        await recordEvents(engine, tx, [
          { type: 'structure.changed', by, structure: id, data: { changed: Object.keys(parsed) } },
        ])
        await notify(tx, 'job')
        return toStructure(row as StructureRow)
      })
    },
    setState: (id, to, options = {}) => setState(id, to, options),
    setBuilt: (id, options = {}) => setState(id, 'built', options),
    setDestroyed: (id, options = {}) => setState(id, 'destroyed', options),
    doCreate: (id, options) => jobs.create({ structure: id }, 'create', options),
    doDestroy: (id, options) => jobs.create({ structure: id }, 'destroy', options),
    doJob: (id, name, options) => jobs.create({ structure: id }, name, options),
    async config(id, options = {}) {
      return (await configOf(id, options)).shown()
    },
    async configs(query, options = {}) {
      const { ids, ...filter } = parseInput(structureConfigQuery, query, 'The query for configs')
      const db = options.tx ?? engine.db
      const rows = await db
        .select({ id: structure.id, hostname: structure.hostname })
        .from(structure)
        .where(and(...matching(structure, filter), ids && inArray(structure.id, ids)))
        .orderBy(asc(structure.id))
      const { structures: found } = await loadConfigs(engine, db, { structures: rows.map(row => row.id) })
      return rows.flatMap(row => {
        const config = found.get(row.id)
        return config ? [{ ...row, ...valuesOrError(config) }] : []
      })
    },
    async explainConfig(id, options = {}) {
      return (await configOf(id, options)).explain()
    },
    async delete(id, options = {}) {
      await transaction(engine, options, async tx => {
        const target = await lockStructure(tx, id, options)
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
        await recordEvents(engine, tx, [{ type: 'structure.deleted', by: whoIs(options), structure: id }])
      })
    },
  })

  const setState = (id: number, to: 'built' | 'destroyed', options: CallOptions): Promise<Structure> =>
    transaction(engine, options, async tx => {
      const target = await lockStructure(tx, id, options)
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

  const configOf = async (id: number, options: CallOptions): Promise<Config> => {
    const config = (await loadConfigs(engine, options.tx ?? engine.db, { structures: [id] })).structures.get(id)
    if (!config) throw notFound('Structure', id)
    return config
  }

  const toStructure = (row: StructureRow): Structure =>
    bindMethods(nouns.structure, structures, row.id, toStructureView(row) as Structure)
  return structures
}

async function lockStructure(
  tx: Db,
  id: number,
  options: CallOptions,
): Promise<WholeTarget & { structure: StructureRow }> {
  const target = await lockTarget(tx, { structure: id })
  if (!target) throw notFound('Structure', id)
  // A script may have changed it while its Foundation was waited for.
  return { ...target, structure: await lockRow(tx, keptStructures, id, options) }
}

async function requireIdle(tx: Db, target: WholeTarget & { structure: StructureRow }, what: string): Promise<void> {
  const { id, hostname, state } = target.structure
  const own = (await loadNeighbours(tx, [target])).jobOf({ structure: id })
  const why = state === 'built' ? 'it is built; destroy it first' : own && `Job ${own.id} is at it; cancel that first`
  if (why)
    throw new ContractorError('WRONG_STATE', `Structure '${hostname}' ${what}: ${why}`, {
      kind: 'Structure',
      id,
      state,
    })
}

/** Whether another Structure has the hostname in the Site, or stands on the Foundation. */
async function findTaken(tx: Db, next: StructureRow): Promise<boolean> {
  const { id, site, hostname, foundation } = next
  const [found] = await tx
    .select({ id: structure.id })
    .from(structure)
    .where(
      and(
        ne(structure.id, id),
        or(eq(structure.foundation, foundation), and(eq(structure.site, site), eq(structure.hostname, hostname))),
      ),
    )
    .limit(1)
  return found !== undefined
}

function valuesOrError(config: Config): Pick<StructureConfig, 'values' | 'error'> {
  try {
    return { values: config.shown() }
  } catch (error) {
    if (!isContractorError(error)) throw error
    return { error: { code: error.code, message: error.message, retryable: false } }
  }
}
