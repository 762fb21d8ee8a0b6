import {
  type ComplexView,
  ContractorError,
  type complexChanges,
  type complexInput,
  type complexQuery,
  maskSecrets,
  nouns,
  type Page,
} from '@contractor/contract'
import { eq, inArray } from 'drizzle-orm'
import { z } from 'zod'
import type { Values } from '../../database/columns.ts'
import type { Db } from '../../database/database.ts'
import { complex, complexMember, structure } from '../../database/schema.ts'
import type { CallOptions, Engine } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import type {
  AnyPlugins,
  ComplexKind,
  ComplexTypeOf,
  GivenFields,
  Plugins,
  ShownFields,
} from '../../engine/plugin-types.ts'
import { surface } from '../../engine/surface.ts'
import { complexStates } from '../../graph/complex-state.ts'
import { usersOf } from '../../graph/edges.ts'
import { refuseCircle } from '../../graph/refuse-circle.ts'
import { wakeNeighbours } from '../../graph/wake-neighbours.ts'
import type { Kept } from '../../noun/change-row.ts'
import { implement } from '../../noun/implement.ts'
import { parseOwnFields } from '../../noun/own-fields.ts'
import { refuseUnknown } from '../../noun/references.ts'
import { shownStamps } from '../../noun/stamps.ts'

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
  list(query?: z.input<typeof complexQuery>, options?: CallOptions): Promise<Page<AnyComplex<P>>>
  update(name: string, changes: z.input<typeof complexChanges>, options?: CallOptions): Promise<AnyComplex<P>>
  /** Refused with IN_USE while it provides Foundations. */
  delete(name: string, options?: CallOptions): Promise<void>
}

/** As they are where nothing is known of the plugins. */
interface UntypedComplexes extends Omit<Complexes, 'create' | 'get' | 'list' | 'update'> {
  create(input: z.input<typeof complexInput>, options?: CallOptions): Promise<ComplexView>
  get(name: string, options?: CallOptions): Promise<ComplexView>
  list(query?: z.input<typeof complexQuery>, options?: CallOptions): Promise<Page<ComplexView>>
  update(name: string, changes: z.input<typeof complexChanges>, options?: CallOptions): Promise<ComplexView>
}

const keptComplexes: Kept<typeof complex> = {
  ...{ kind: 'Complex', table: complex, key: complex.name, lock: 'complex' },
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
  return surface<UntypedComplexes>(
    engine,
    implement<typeof nouns.complex, typeof complex, ComplexView, string>(engine, {
      noun: nouns.complex,
      kept: keptComplexes,
      views: toViews,
      async columns(tx, { next, before }) {
        if (!before) await refuseUnknown(tx, { Site: [next.site] })
        return { fields: fieldsOf(next.type, next.name, next.fields, before?.fields) }
      },
      async after(tx, { name }, { given, before }) {
        const members = before ? await membersOf(tx, name) : []
        if (given.members) await setMembers(tx, name, given.members)
        if (!before) return
        // Whoever waits for it, or for one of its members, may have to wait no more.
        const concerned = [...new Set([...members, ...(given.members ?? [])])]
        await wakeNeighbours(
          engine,
          tx,
          concerned.map(id => ({ structure: id })),
        )
        await notify(tx, 'job')
      },
      users: providedBy,
      use: ['is provided by it', 'are provided by it'],
    }),
  )
}

async function membersOf(tx: Db, name: string): Promise<number[]> {
  const rows = await tx.select().from(complexMember).where(eq(complexMember.complex, name))
  return rows.map(row => row.structure)
}

const providedBy = (tx: Db, { name }: typeof complex.$inferSelect) =>
  usersOf(tx, { kind: 'Complex', key: name }, ['is provided by'])

async function setMembers(tx: Db, name: string, members: readonly number[]): Promise<void> {
  await tx.delete(complexMember).where(eq(complexMember.complex, name))
  const wanted = [...new Set(members)]
  if (!wanted.length) return
  const found = await tx.select({ id: structure.id }).from(structure).where(inArray(structure.id, wanted))
  for (const id of wanted) {
    if (!found.some(one => one.id === id)) {
      throw new ContractorError('NOT_FOUND', `Structure ${id} does not exist`, { kind: 'Structure', id })
    }
    await refuseCircle(tx, { kind: 'Complex', key: name }, { kind: 'Structure', key: id })
  }
  await tx.insert(complexMember).values(wanted.map(id => ({ complex: name, structure: id })))
}

async function toViews(db: Db, rows: readonly (typeof complex.$inferSelect)[]): Promise<ComplexView[]> {
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
    ...shownStamps(row),
  }))
}
