import {
  type Candidate,
  type ConfigExplanation,
  ContractorError,
  discoverInput,
  type FoundationView,
  foundationChanges,
  foundationInput,
  foundationQuery,
  hardware,
  nouns,
  type Page,
  parseInput,
  type Reading,
} from '@contractor/contract'
import { eq, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { askedOf } from '../../config/asked-configs.ts'
import { type Config, loadConfigs } from '../../config/load-config.ts'
import type { Values } from '../../database/columns.ts'
import type { Db } from '../../database/database.ts'
import { takingLock } from '../../database/lock-order.ts'
import { foundation } from '../../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import type {
  AnyPlugins,
  ChangedFields,
  FoundationKind,
  FoundationTypeOf,
  GivenFields,
  Plugins,
  ShownFields,
} from '../../engine/plugin-types.ts'
import { surface } from '../../engine/surface.ts'
import { recordEvents } from '../../event/record-events.ts'
import { forgetMatches } from '../../graph/forget-matches.ts'
import type { FoundationRow } from '../../graph/target.ts'
import { applyStateChanges } from '../../graph/target-state.ts'
import { wakeNeighbours } from '../../graph/wake-neighbours.ts'
import { bindMethods } from '../../noun/bind.ts'
import { lockRow, readRow } from '../../noun/change-row.ts'
import { listRows, matching, toPage } from '../../noun/list-rows.ts'
import { mergePatch } from '../../noun/merge-patch.ts'
import { overlay } from '../../noun/overlay.ts'
import { parseOwnFields } from '../../noun/own-fields.ts'
import { notFound } from '../../noun/refuse.ts'
import type { InquiryOptions } from '../../run/inquiry/inquire.ts'
import type { Job, Jobs } from '../../run/job/jobs.ts'
import { addFoundations } from './add-foundations.ts'
import { foundationFilterable, keptFoundations, toFoundationView } from './foundation.ts'
import { checkFoundations, checkStateChange, usersOfFoundation } from './foundation-laws.ts'
import { writeIdMap } from './id-map.ts'
import { discoverFoundations, readFoundation } from './look-around.ts'

/** One Foundation: its data, and what can be done with it. */
export interface Foundation<
  Type extends string = string,
  Fields = FoundationView['fields'],
  FieldChanges = FoundationView['fields'],
> extends Omit<FoundationView, 'type' | 'fields'> {
  type: Type
  fields: Fields
  config(options?: CallOptions): Promise<Values>
  /** Where each value of its config comes from. */
  explainConfig(options?: CallOptions): Promise<ConfigExplanation>
  update(
    changes: FoundationChanges<FieldChanges>,
    options?: CallOptions,
  ): Promise<Foundation<Type, Fields, FieldChanges>>
  /**
   * Says that it is there: what its create Job waits for. With an `idMap` that passes its BluePrint's validation template,
   * where that has one; throws WRONG_STATE without, and HARDWARE_MISMATCH with every difference.
   */
  setLocated(options?: StateOptions): Promise<Foundation<Type, Fields, FieldChanges>>
  /** Says that it is built, without a Job; of a planned one with a template, an `idMap` is wanted as well. */
  setBuilt(options?: StateOptions): Promise<Foundation<Type, Fields, FieldChanges>>
  /** Says that it is gone, with what stood on it, without a Job. */
  setDestroyed(options?: CallOptions): Promise<Foundation<Type, Fields, FieldChanges>>
  doCreate(options?: CallOptions): Promise<Job>
  doDestroy(options?: CallOptions): Promise<Job>
  /** Orders a utility Job: a script that its BluePrint names. */
  doJob(name: string, options?: CallOptions): Promise<Job>
  /** Asks an agent what is really there, and says in what that differs. Changes nothing. Throws TIMED_OUT and TASK_FAILED. */
  read(options?: InquiryOptions): Promise<Reading>
  refresh(options?: CallOptions): Promise<Foundation<Type, Fields, FieldChanges>>
  delete(options?: CallOptions): Promise<void>
}

type FoundationChanges<FieldChanges> = Omit<z.input<typeof foundationChanges>, 'fields'> & { fields?: FieldChanges }

/** A Foundation of a type, or of one of several. */
export type FoundationOf<P extends Plugins, Type> = Type extends string
  ? Foundation<Type, ShownFields<FoundationKind<P>, Type>, ChangedFields<FoundationKind<P>, Type>>
  : never

/** A Foundation to be made, of a type, or of one of several. */
export type NewFoundation<P extends Plugins, Type> = Type extends string
  ? Omit<z.input<typeof foundationInput>, 'type' | 'fields'> & { type: Type } & GivenFields<FoundationKind<P>, Type>
  : never

/** What its machine reports of its hardware goes with the state. */
export interface StateOptions extends CallOptions {
  idMap?: z.input<typeof hardware> | undefined
}

/** The types of Foundations, and their fields, follow from the plugins. */
export interface Foundations<P extends Plugins = AnyPlugins> {
  create<const Type extends FoundationTypeOf<P>>(
    input: NewFoundation<P, Type>,
    options?: CallOptions,
  ): Promise<FoundationOf<P, Type>>
  /** All of them or none, in the order of the inputs; a few statements, however many. */
  createMany(
    inputs: readonly NewFoundation<P, FoundationTypeOf<P>>[],
    options?: CallOptions,
  ): Promise<FoundationOf<P, FoundationTypeOf<P>>[]>
  get(locator: string, options?: CallOptions): Promise<FoundationOf<P, FoundationTypeOf<P>>>
  list(
    query?: z.input<typeof foundationQuery>,
    options?: CallOptions,
  ): Promise<Page<FoundationOf<P, FoundationTypeOf<P>>>>
  /** What is not given stays as it is. Its BluePrint can be changed while it is planned. */
  update(
    locator: string,
    changes: z.input<typeof foundationChanges>,
    options?: CallOptions,
  ): Promise<FoundationOf<P, FoundationTypeOf<P>>>
  /**
   * Says that it is there: what its create Job waits for. With an `idMap` that passes its BluePrint's validation template,
   * where that has one; throws WRONG_STATE without, and HARDWARE_MISMATCH with every difference.
   */
  setLocated(locator: string, options?: StateOptions): Promise<FoundationOf<P, FoundationTypeOf<P>>>
  /** Says that it is built, without a Job; of a planned one with a template, an `idMap` is wanted as well. */
  setBuilt(locator: string, options?: StateOptions): Promise<FoundationOf<P, FoundationTypeOf<P>>>
  /** Says that it is gone, with what stood on it, without a Job; refused while it has one. */
  setDestroyed(locator: string, options?: CallOptions): Promise<FoundationOf<P, FoundationTypeOf<P>>>
  /** The three with the state as an argument. */
  setState(
    locator: string,
    to: 'located' | 'built' | 'destroyed',
    options?: StateOptions,
  ): Promise<FoundationOf<P, FoundationTypeOf<P>>>
  doCreate(locator: string, options?: CallOptions): Promise<Job>
  doDestroy(locator: string, options?: CallOptions): Promise<Job>
  /** Orders a utility Job: a script that its BluePrint names. */
  doJob(locator: string, name: string, options?: CallOptions): Promise<Job>
  config(locator: string, options?: CallOptions): Promise<Values>
  explainConfig(locator: string, options?: CallOptions): Promise<ConfigExplanation>
  /** Asks an agent what is really there of one. Throws TIMED_OUT and TASK_FAILED, and WRONG_STATE for a type that cannot. */
  read(locator: string, options?: InquiryOptions): Promise<Reading>
  /** Asks an agent what exists and is none of ours: what could be made a Foundation. Throws as `read` does. */
  discover(input: z.input<typeof discoverInput>, options?: InquiryOptions): Promise<Candidate[]>
  /** Refused with IN_USE while a Structure stands on it or it has a Job. */
  delete(locator: string, options?: CallOptions): Promise<void>
}

const jobsOf = (locator: string) => sql`(
  select id from contractor.job where outcome is null and (
    foundation = ${locator}
    or structure in (select id from contractor.structure where foundation = ${locator})
    or dependency in (
      select edge.id from contractor.dependency edge
      join contractor.structure at on at.id = edge.script_structure where at.foundation = ${locator})))`

/** Tasks are laid out under the lock of their Job: with that, none comes behind a move. */
async function lockJobsOf(tx: Db, locator: string): Promise<void> {
  takingLock(tx, 'job')
  await tx.execute(sql`select id from contractor.job where id in ${jobsOf(locator)} order by id for update`)
}

/** Those that were ordered before the Foundation was locked: out of the order of locks, so that nobody is waited for. */
async function lockFreshJobsOf(tx: Db, locator: string): Promise<void> {
  await tx.execute(sql`select id from contractor.job where id in ${jobsOf(locator)} order by id for update nowait`)
}

/** Who has work of the new Site gets its Tasks from now on; what an agent of the old one is at, it ends. */
async function moveTasks(tx: Db, locator: string, site: string): Promise<void> {
  await tx.execute(sql`update contractor.task set site = ${site} where job in ${jobsOf(locator)}`)
}

/** As they are where nothing is known of the plugins. */
interface UntypedFoundations extends Omit<Foundations, 'create'> {
  create(input: z.input<typeof foundationInput>, options?: CallOptions): Promise<Foundation>
}

export function createFoundations(engine: Engine, jobs: Jobs): UntypedFoundations {
  const fieldsOf = (type: string, name: string, fields: Values, present?: Values) =>
    parseOwnFields(
      engine,
      { schema: engine.plugins.getFields(type), type, whose: `Foundation '${name}'` },
      fields,
      present,
    )
  const asked = askedOf(engine, foundationFilterable, 'foundations', (row: FoundationRow) => row.locator)
  const foundations: UntypedFoundations = surface(engine, {
    async create(input, options = {}) {
      const [made] = await foundations.createMany([parseInput(foundationInput, input, 'The Foundation')], options)
      return made as Foundation
    },
    async createMany(inputs, options = {}) {
      const parsed = inputs.map((input, at) => {
        const what = inputs.length > 1 ? `Foundation ${at + 1} of ${inputs.length}` : 'The Foundation'
        const one = parseInput(foundationInput, input, what)
        return { ...one, fields: fieldsOf(one.type, one.locator, one.fields) }
      })
      if (!parsed.length) return []
      return transaction(engine, options, async tx =>
        (await addFoundations(engine, tx, parsed, options)).map(toFoundation),
      )
    },
    async get(name, options = {}) {
      return toFoundation(await readRow(options.tx ?? engine.db, keptFoundations, name))
    },
    async list(query = {}, options = {}) {
      const { after, limit, filter, ...narrowed } = parseInput(foundationQuery, query, 'The query for Foundations')
      const place = { key: foundation.locator, where: matching(foundation, narrowed), asked }
      const rows = await listRows(options.tx ?? engine.db, foundation, { after, limit, filter }, place)
      return toPage(rows, limit, row => row.locator, toFoundation)
    },
    async update(name, changes, options = {}) {
      const parsed = parseInput(foundationChanges, changes, `The change of Foundation '${name}'`)
      return transaction(engine, options, async tx => {
        if (parsed.site !== undefined) await lockJobsOf(tx, name)
        const present = await lockRow(tx, keptFoundations, name, options)
        const isMoved = parsed.site !== undefined && parsed.site !== present.site
        if (isMoved) await lockFreshJobsOf(tx, name)
        const fields = fieldsOf(present.type, name, mergePatch(present.fields, parsed.fields ?? {}), present.fields)
        await checkFoundations(engine, tx, [overlay(present, { ...parsed, fields })])
        if (parsed.blueprint !== undefined && parsed.blueprint !== present.blueprint && present.state !== 'planned') {
          throw new ContractorError(
            'WRONG_STATE',
            `Foundation '${name}' cannot get another BluePrint: it is ${present.state}; destroy it first`,
            { kind: 'Foundation', id: name, state: present.state },
          )
        }
        const [row] = await tx
          .update(foundation)
          .set({ ...parsed, fields, updatedAt: engine.clock.now() })
          .where(eq(foundation.locator, name))
          .returning()
        if (isMoved) await moveTasks(tx, name, row?.site ?? present.site)
        if (parsed.complex !== undefined && parsed.complex !== present.complex)
          await wakeNeighbours(engine, tx, [{ foundation: name }])
        const data = { changed: Object.keys(parsed) }
        await recordEvents(engine, tx, [{ type: 'foundation.changed', by: whoIs(options), foundation: name, data }])
        await notify(tx, 'job', 'task')
        return toFoundation(row as FoundationRow)
      })
    },
    setState: (name, to, options = {}) => setState(name, to, options),
    setLocated: (name, options = {}) => setState(name, 'located', options),
    setBuilt: (name, options = {}) => setState(name, 'built', options),
    setDestroyed: (name, options = {}) => setState(name, 'destroyed', options),
    doCreate: (name, options) => jobs.create({ foundation: name }, 'create', options),
    doDestroy: (name, options) => jobs.create({ foundation: name }, 'destroy', options),
    doJob: (name, action, options) => jobs.create({ foundation: name }, action, options),
    async config(name, options = {}) {
      return (await configOf(name, options)).shown()
    },
    async explainConfig(name, options = {}) {
      return (await configOf(name, options)).explain()
    },
    async read(name, options = {}) {
      return readFoundation(engine, await readRow(engine.db, keptFoundations, name), options)
    },
    async discover(input, options = {}) {
      return discoverFoundations(engine, parseInput(discoverInput, input, 'Where to discover'), options)
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        const by = await usersOfFoundation(tx, await lockRow(tx, keptFoundations, name, options, 'references'))
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
        await forgetMatches(engine, tx, [name], `Foundation '${name}' was deleted`)
        await tx.delete(foundation).where(eq(foundation.locator, name))
        await recordEvents(engine, tx, [{ type: 'foundation.deleted', by: whoIs(options), foundation: name }])
      })
    },
  })

  const setState = (
    name: string,
    to: 'located' | 'built' | 'destroyed',
    options: StateOptions,
  ): Promise<Foundation> => {
    const idMap = options.idMap && parseInput(hardware, options.idMap, `The id map of Foundation '${name}'`)
    return transaction(engine, options, async tx => {
      const row = await lockRow(tx, keptFoundations, name, options)
      await checkStateChange(tx, row, to, idMap)
      if (idMap && to !== 'destroyed') await writeIdMap(engine, tx, name, idMap)
      await applyStateChanges(engine, tx, [{ to, foundation: name }], whoIs(options))
      return foundations.get(name, { tx })
    })
  }

  const configOf = async (name: string, options: CallOptions): Promise<Config> => {
    const config = (await loadConfigs(engine, options.tx ?? engine.db, { foundations: [name] })).foundations.get(name)
    if (!config) throw notFound('Foundation', name)
    return config
  }

  const toFoundation = (row: FoundationRow): Foundation =>
    bindMethods(nouns.foundation, foundations, row.locator, toFoundationView(row) as Foundation)
  return foundations
}
