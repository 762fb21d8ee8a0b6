import { and, inArray, isNull, or, type SQL } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { Db } from '../database/database.ts'
import { job } from '../database/job-schema.ts'
import { complexMember, dependency, foundation, structure } from '../database/schema.ts'
import { complexStates } from './complex-state.ts'
import { type Base, type Facts, type Heir, type JobKind, jobKind } from './rules.ts'
import {
  type FoundationRow,
  jobTarget,
  type StructureRow,
  type Target,
  type TargetDependency,
  targetKey,
  targetRef,
} from './target.ts'

/**
 * What stands around targets: what they need, what needs them, and which of all these have live Jobs. Read for many
 * targets with a number of statements that does not grow with them.
 */
export interface Neighbours {
  /** The facts for a Job of this kind on one of the targets; `own` is a Job of the target that does not count. */
  facts(target: Target, kind: JobKind, own?: number): Facts
  /** The live Job of a target, or of a neighbour. */
  jobOf(ref: Parameters<typeof targetKey>[0]): { id: number; action: string } | undefined
  /** The Structure on a Foundation. */
  heirOf(locator: string): StructureRow | undefined
}

const within = (column: PgColumn, values: readonly (string | number)[]): SQL | undefined =>
  values.length ? inArray(column, [...values]) : undefined

async function selectWhere<T>(conditions: (SQL | undefined)[], run: (where: SQL) => Promise<T[]>): Promise<T[]> {
  const given = conditions.filter(one => one !== undefined)
  return given.length ? run(or(...given) as SQL) : []
}

export async function loadNeighbours(db: Db, targets: readonly Target[]): Promise<Neighbours> {
  const edgesOf = targets.flatMap(target => (target.dependency ? [target.dependency] : []))
  const own = targets.filter(target => !target.dependency)
  const structuresOf = own.flatMap(target => (target.structure ? [target.structure] : []))
  const foundationsOf = own.flatMap(target => (target.structure ? [] : [target.foundation]))
  const locators = [...foundationsOf.map(row => row.locator), ...edgesOf.map(edge => edge.foundation)]

  const edges = await selectWhere(
    [
      within(dependency.foundation, locators),
      within(
        dependency.structure,
        structuresOf.map(row => row.id),
      ),
      within(
        dependency.dependency,
        edgesOf.map(edge => edge.id),
      ),
      within(
        dependency.id,
        edgesOf.flatMap(edge => edge.dependency ?? []),
      ),
    ],
    where => db.select().from(dependency).where(where),
  )
  const memberships = await selectWhere(
    [
      within(
        complexMember.structure,
        structuresOf.map(row => row.id),
      ),
    ],
    where => db.select().from(complexMember).where(where),
  )
  const complexes = await complexStates(db, [
    ...new Set([...foundationsOf.flatMap(row => row.complex ?? []), ...memberships.map(one => one.complex)]),
  ])
  const foundations = await selectWhere(
    [
      within(foundation.locator, [
        ...structuresOf.map(row => row.foundation),
        ...edges.map(edge => edge.foundation),
        ...locators,
      ]),
      within(
        foundation.complex,
        memberships.map(one => one.complex),
      ),
    ],
    where => db.select().from(foundation).where(where),
  )
  const structures = await selectWhere(
    [
      within(structure.foundation, locators),
      within(
        structure.id,
        [...edges, ...edgesOf].flatMap(edge => edge.structure ?? []),
      ),
      within(
        structure.id,
        [...complexes.values()].flatMap(one => one.members.map(member => member.id)),
      ),
    ],
    where => db.select().from(structure).where(where),
  )
  const jobs = await selectWhere(
    [
      within(job.foundation, [...new Set([...locators, ...foundations.map(row => row.locator)])]),
      within(job.structure, [...new Set([...structuresOf, ...structures].map(row => row.id))]),
      within(job.dependency, [...new Set([...edgesOf, ...edges].map(edge => edge.id))]),
    ],
    where =>
      db
        .select({
          id: job.id,
          action: job.action,
          foundation: job.foundation,
          structure: job.structure,
          dependency: job.dependency,
        })
        .from(job)
        .where(and(isNull(job.outcome), where)),
  )

  const jobByTarget = new Map(jobs.map(one => [targetKey(jobTarget(one)), one]))
  const structureById = new Map(structures.map(row => [row.id, row]))
  const edgeById = new Map([...edges, ...edgesOf].map(edge => [edge.id, edge]))
  const kindOf = (key: string, except?: number): JobKind | undefined => {
    const found = jobByTarget.get(key)
    return found && found.id !== except ? jobKind(found.action) : undefined
  }

  const edgeBase = (edge: TargetDependency): Base => {
    // What it waits for counts as well: a Foundation is not built on what is about to go.
    const beneath = edge.structure !== null ? kindOf(`structure ${edge.structure}`) : undefined
    const job = kindOf(`dependency ${edge.id}`) ?? (beneath === 'create' ? undefined : beneath)
    return { name: edgeName(edge), built: edge.state === 'built', job }
  }
  const edgeName = (edge: TargetDependency) => {
    const on = edge.structure !== null ? structureById.get(edge.structure)?.hostname : undefined
    return on === undefined ? `Dependency ${edge.id}` : `Dependency ${edge.id} on Structure '${on}'`
  }
  const structureBase = (row: StructureRow): Base => ({
    name: `Structure '${row.hostname}'`,
    built: row.state === 'built',
    job: kindOf(`structure ${row.id}`),
  })
  const complexBase = (name: string): Base => {
    const state = complexes.get(name)
    const going = state?.members.map(member => kindOf(`structure ${member.id}`)).find(kind => kind === 'destroy')
    return { name: `Complex '${name}'`, built: state?.built ?? false, job: going }
  }
  const heir = (name: string, key: string, state: string): Heir => ({
    name,
    planned: state === 'planned',
    hasJob: jobByTarget.has(key),
  })
  const foundationHeir = (row: FoundationRow) =>
    heir(`Foundation '${row.locator}'`, `foundation ${row.locator}`, row.state)
  const edgeHeir = (edge: TargetDependency) => heir(edgeName(edge), `dependency ${edge.id}`, edge.state)

  const around = (target: Target): { bases: Base[]; heirs: Heir[] } => {
    if (target.dependency) {
      const edge = target.dependency
      const on = edge.structure === null ? undefined : structureById.get(edge.structure)
      const before = edge.dependency === null ? undefined : edgeById.get(edge.dependency)
      const waiting = foundations.find(row => row.locator === edge.foundation)
      return {
        bases: [...(on ? [structureBase(on)] : []), ...(before ? [edgeBase(before)] : [])],
        heirs: [
          ...(waiting ? [foundationHeir(waiting)] : []),
          ...edges.filter(one => one.dependency === edge.id).map(edgeHeir),
        ],
      }
    }
    if (target.structure) {
      const { id } = target.structure
      const under = foundations.find(row => row.locator === target.foundation.locator) ?? target.foundation
      const base = {
        name: `Foundation '${under.locator}'`,
        built: under.state === 'built',
        job: kindOf(`foundation ${under.locator}`),
      }
      // A Complex that stays built without this member goes on providing.
      const needy = memberships
        .filter(one => one.structure === id && !complexes.get(one.complex)?.builtWithout(id))
        .map(one => one.complex)
      return {
        bases: [base],
        heirs: [
          ...edges.filter(edge => edge.structure === id).map(edgeHeir),
          ...foundations.filter(row => row.complex !== null && needy.includes(row.complex)).map(foundationHeir),
        ],
      }
    }
    const { locator, complex } = target.foundation
    const on = structures.find(row => row.foundation === locator)
    return {
      bases: [
        ...edges.filter(edge => edge.foundation === locator).map(edgeBase),
        ...(complex === null ? [] : [complexBase(complex)]),
      ],
      heirs: on ? [heir(`Structure '${on.hostname}'`, `structure ${on.id}`, on.state)] : [],
    }
  }

  return {
    facts(target, kind, except) {
      const { complex } = target.foundation
      const isFoundation = !target.structure && !target.dependency
      return {
        target: target.dependency ? 'dependency' : target.structure ? 'structure' : 'foundation',
        job: kind,
        state: (target.dependency ?? target.structure ?? target.foundation).state,
        present: kindOf(targetKey(targetRef(target)), except),
        ...around(target),
        provided:
          isFoundation && complex !== null ? { by: complex, built: complexes.get(complex)?.built ?? false } : undefined,
      }
    },
    jobOf: ref => jobByTarget.get(targetKey(ref)),
    heirOf: locator => structures.find(row => row.foundation === locator),
  }
}
