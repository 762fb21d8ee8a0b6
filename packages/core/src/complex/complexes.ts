import { ContractorError, json, maskSecrets, parseInput } from '@contractor/plugin'
import { asc, eq, gt, inArray } from 'drizzle-orm'
import { z } from 'zod'
import type { Values } from '../database/columns.ts'
import type { Db } from '../database/database.ts'
import { complex, complexMember, foundation, structure } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import type {
  AnyPlugins,
  ComplexKind,
  ComplexTypeOf,
  GivenFields,
  Plugins,
  ShownFields,
} from '../engine/plugin-types.ts'
import { surface } from '../engine/surface.ts'
import { refuseCircle } from '../job/base-path.ts'
import { wakeNeighbours } from '../job/wake-neighbours.ts'
import { type Page, pageRequest, plainName, toPage } from '../name.ts'
import { layFields, parseOwnFields } from '../own-fields.ts'
import { requireSite } from '../site/sites.ts'
import { complexStates } from './complex-state.ts'

const builtPercentage = z.number().int().min(1).max(100)

export const complexInput = z.strictObject({
  name: plainName,
  site: plainName,
  description: z.string().default(''),
  /** A plugin's type of Complexes; null for one that is a group and nothing more. Stays as it is. */
  type: z.string().nullable().default(null),
  /** The type's own columns, as its plugin declares them. */
  fields: z.record(z.string(), json).default({}),
  /** How many of its members must be built for it to be built, in percent. */
  builtPercentage: builtPercentage.default(90),
  /** The ids of its Structures. */
  members: z.array(z.number().int().positive()).default([]),
})

// Without the defaults of creation: what is not given stays as it is.
export const complexChanges = z
  .strictObject({
    description: z.string(),
    builtPercentage,
    members: z.array(z.number().int().positive()),
    /** Laid over the present ones; null takes one away. */
    fields: z.record(z.string(), json),
  })
  .partial()

export const complexView = z.object({
  name: z.string(),
  site: z.string(),
  description: z.string(),
  type: z.string().nullable(),
  /** Secrets in it are `***`. */
  fields: z.record(z.string(), json),
  builtPercentage: z.number().int(),
  members: z.array(z.number().int()),
  /** Derived from its members. */
  state: z.enum(['planned', 'built']),
})
export type ComplexView = z.output<typeof complexView>

const noFields = z.strictObject({})

/** A Complex of a type, or of one of several. */
export type ComplexOf<P extends Plugins, Type> =
  string extends ComplexTypeOf<P>
    ? ComplexView
    : Type extends string
      ? Omit<ComplexView, 'type' | 'fields'> & { type: Type; fields: ShownFields<ComplexKind<P>, Type> }
      : PlainComplex

/** A Complex to be made, of a type, or of one of several. */
export type NewComplex<P extends Plugins, Type> =
  string extends ComplexTypeOf<P>
    ? z.input<typeof complexInput>
    : Type extends string
      ? NewGroup & { type: Type } & GivenFields<ComplexKind<P>, Type>
      : NewGroup & { type?: null }
type NewGroup = Omit<z.input<typeof complexInput>, 'type' | 'fields'>

/** A group of Structures, and nothing more. */
export type PlainComplex = Omit<ComplexView, 'type' | 'fields'> & { type: null; fields: Record<string, never> }
type AnyComplex<P extends Plugins> = ComplexOf<P, ComplexTypeOf<P> | null>

/** The types of Complexes, and their fields, follow from the plugins. */
export interface Complexes<P extends Plugins = AnyPlugins> {
  create<const Type extends ComplexTypeOf<P> | null = null>(
    input: NewComplex<P, Type>,
    options?: CallOptions,
  ): Promise<ComplexOf<P, Type>>
  get(name: string, options?: CallOptions): Promise<AnyComplex<P>>
  list(page?: z.input<typeof pageRequest>, options?: CallOptions): Promise<Page<AnyComplex<P>>>
  update(name: string, changes: z.input<typeof complexChanges>, options?: CallOptions): Promise<AnyComplex<P>>
  /** Refused with IN_USE while it provides Foundations. */
  delete(name: string, options?: CallOptions): Promise<void>
}

/** As they are where nothing is known of the plugins. */
interface UntypedComplexes extends Omit<Complexes, 'create' | 'get' | 'list' | 'update'> {
  create(input: z.input<typeof complexInput>, options?: CallOptions): Promise<ComplexView>
  get(name: string, options?: CallOptions): Promise<ComplexView>
  list(page?: z.input<typeof pageRequest>, options?: CallOptions): Promise<Page<ComplexView>>
  update(name: string, changes: z.input<typeof complexChanges>, options?: CallOptions): Promise<ComplexView>
}

export function createComplexes(engine: Engine): UntypedComplexes {
  const fieldsOf = (type: string | null, name: string, fields: Values, present?: Values) => {
    const schema = type === null ? noFields : engine.plugins.getComplexFields(type)
    const own = {
      schema,
      type: type ?? 'own',
      whose: `Complex '${name}'${type === null ? ', which has no type,' : ''}`,
    }
    return parseOwnFields(engine, own, fields, present)
  }
  const complexes: UntypedComplexes = surface(engine, {
    async create(input, options = {}) {
      const { members, ...given } = parseInput(complexInput, input, 'The Complex')
      const parsed = { ...given, fields: fieldsOf(given.type, given.name, given.fields) }
      return transaction(engine, options, async tx => {
        await requireSite(tx, parsed.site)
        const now = engine.clock.now()
        const [row] = await tx
          .insert(complex)
          .values({ ...parsed, createdAt: now, updatedAt: now })
          .onConflictDoNothing()
          .returning()
        if (!row) {
          throw new ContractorError('ALREADY_EXISTS', `A Complex '${parsed.name}' exists already`, {
            kind: 'Complex',
            id: parsed.name,
          })
        }
        await setMembers(tx, parsed.name, members)
        return requireComplex(tx, parsed.name)
      })
    },
    get: (name, options = {}) => requireComplex(options.tx ?? engine.db, name),
    async list(page = {}, options = {}) {
      const { after, limit } = parseInput(pageRequest, page, 'The page')
      const db = options.tx ?? engine.db
      const rows = await db
        .select()
        .from(complex)
        .where(after === undefined ? undefined : gt(complex.name, after))
        .orderBy(asc(complex.name))
        .limit(limit + 1)
      const views = new Map((await toViews(db, rows)).map(view => [view.name, view]))
      return toPage(
        rows,
        limit,
        row => row.name,
        row => views.get(row.name) as ComplexView,
      )
    },
    async update(name, changes, options = {}) {
      const { members, ...parsed } = parseInput(complexChanges, changes, `The change of Complex '${name}'`)
      return transaction(engine, options, async tx => {
        const [row] = await tx.select().from(complex).where(eq(complex.name, name)).for('update')
        const before = await requireComplex(tx, name)
        const fields = row && fieldsOf(row.type, name, layFields(row.fields, parsed.fields), row.fields)
        await tx
          .update(complex)
          .set({ ...parsed, ...(fields && { fields }), updatedAt: engine.clock.now() })
          .where(eq(complex.name, name))
        if (members) await setMembers(tx, name, members)
        // Whoever waits for it, or for one of its members, may have to wait no more.
        const concerned = [...new Set([...before.members, ...(members ?? [])])]
        await wakeNeighbours(
          engine,
          tx,
          concerned.map(id => ({ structure: id })),
        )
        await notify(tx, 'job')
        return requireComplex(tx, name)
      })
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        await requireComplex(tx, name)
        const provided = await tx
          .select({ locator: foundation.locator })
          .from(foundation)
          .where(eq(foundation.complex, name))
        if (provided.length) {
          const by = provided.map(one => `Foundation ${one.locator}`)
          throw new ContractorError('IN_USE', `Complex '${name}' cannot be deleted: it provides ${by.join(', ')}`, {
            kind: 'Complex',
            id: name,
            by,
          })
        }
        await tx.delete(complex).where(eq(complex.name, name))
      })
    },
  })
  return complexes
}

async function setMembers(tx: Db, name: string, members: readonly number[]): Promise<void> {
  await tx.delete(complexMember).where(eq(complexMember.complex, name))
  const wanted = [...new Set(members)]
  if (!wanted.length) return
  const found = await tx.select({ id: structure.id }).from(structure).where(inArray(structure.id, wanted))
  for (const id of wanted) {
    if (!found.some(one => one.id === id)) {
      throw new ContractorError('NOT_FOUND', `Structure ${id} does not exist`, { kind: 'Structure', id })
    }
    await refuseCircle(tx, { complex: name }, { structure: id })
  }
  await tx.insert(complexMember).values(wanted.map(id => ({ complex: name, structure: id })))
}

/** A Complex with its derived state; NOT_FOUND when there is none. */
export async function requireComplex(db: Db, name: string): Promise<ComplexView> {
  const [view] = await toViews(db, await db.select().from(complex).where(eq(complex.name, name)))
  if (!view) throw new ContractorError('NOT_FOUND', `Complex '${name}' does not exist`, { kind: 'Complex', id: name })
  return view
}

async function toViews(db: Db, rows: (typeof complex.$inferSelect)[]): Promise<ComplexView[]> {
  const states = await complexStates(
    db,
    rows.map(row => row.name),
  )
  return rows.map(row => ({
    name: row.name,
    site: row.site,
    description: row.description,
    type: row.type,
    fields: maskSecrets(row.fields),
    builtPercentage: row.builtPercentage,
    members: states.get(row.name)?.members.map(member => member.id) ?? [],
    state: states.get(row.name)?.built ? 'built' : 'planned',
  }))
}
