import { and, inArray, isNull, or, type SQL } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { Db } from '../database/database.ts'
import { job } from '../database/job-schema.ts'
import { dependency, foundation, structure } from '../database/schema.ts'
import { complexStates } from './complex-state.ts'
import { type Edge, edgesFrom, edgesTo, type Node, nodeKey } from './edges.ts'
import { type Base, type Dependant, type Facts, type JobKind, jobKind } from './rules.ts'
import {
  type DependencyRow,
  type FoundationRow,
  jobTarget,
  type StructureRow,
  type Target,
  type TargetRef,
  targetNode,
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
  jobOf(ref: TargetRef): { id: number; action: string } | undefined
  /** The Structure on a Foundation. */
  structureOn(locator: string): StructureRow | undefined
}

export async function loadNeighbours(db: Db, targets: readonly Target[]): Promise<Neighbours> {
  const own = targets.map(target => targetNode(targetRef(target)))
  const graph = await loadAround(db, own)
  const keysOf = (kind: string) => [...graph.nodes.values()].flatMap(one => (one.kind === kind ? [one.key] : []))
  const foundations = await selectBy<FoundationRow>(db, foundation, foundation.locator, keysOf('Foundation'))
  const structures = await selectBy<StructureRow>(db, structure, structure.id, keysOf('Structure'))
  const dependencies = await selectBy<DependencyRow>(db, dependency, dependency.id, keysOf('Dependency'))
  const complexes = await complexStates(db, keysOf('Complex') as string[])
  const jobs = await liveJobs(db, [...foundations.keys()], [...structures.keys()], [...dependencies.keys()])
  const jobOf = (node: Node) => jobs.get(nodeKey(node))
  const kindOf = (node: Node, except?: number): JobKind | undefined => {
    const found = jobOf(node)
    return found && found.id !== except ? jobKind(found.action) : undefined
  }

  const titleOf = (node: Node): string => {
    if (node.kind === 'Structure') return `Structure '${structures.get(node.key)?.hostname ?? node.key}'`
    if (node.kind !== 'Dependency') return `${node.kind} '${node.key}'`
    const on = graph.from(node).find(edge => edge.to.kind === 'Structure')
    return on ? `Dependency ${node.key} on ${titleOf(on.to)}` : `Dependency ${node.key}`
  }
  const stateOf = ({ kind, key }: Node) =>
    ({ Foundation: foundations, Structure: structures, Dependency: dependencies })[kind]?.get(key)?.state
  const baseOf = (node: Node): Base => {
    if (node.kind === 'Complex') {
      const state = complexes.get(node.key as string)
      const going = state?.members
        .map(({ id }) => kindOf({ kind: 'Structure', key: id }))
        .find(kind => kind === 'destroy')
      return { name: titleOf(node), built: state?.built ?? false, job: going }
    }
    return { name: titleOf(node), built: stateOf(node) === 'built', job: kindOf(node) ?? beneath(node) }
  }
  /** What a Dependency waits for counts as well: a Foundation is not built on what is about to go. */
  const beneath = (node: Node): JobKind | undefined => {
    const on = node.kind === 'Dependency' ? graph.from(node).find(edge => edge.to.kind === 'Structure') : undefined
    const kind = on && kindOf(on.to)
    return kind === 'create' ? undefined : kind
  }
  /** Of a Complex, what it provides: unless it goes on providing without the Structure that is about to go. */
  const dependantsOf = ({ from, to }: Edge): Dependant[] => {
    if (from.kind !== 'Complex')
      return [{ name: titleOf(from), planned: stateOf(from) === 'planned', hasJob: jobOf(from) !== undefined }]
    if (complexes.get(from.key as string)?.builtWithout(to.key as number)) return []
    return graph.to(from).flatMap(edge => dependantsOf(edge))
  }

  return {
    facts(target, kind, except) {
      const node = targetNode(targetRef(target))
      const { complex } = target.foundation
      const isProvided = node.kind === 'Foundation' && complex !== null
      return {
        target: target.dependency ? 'dependency' : target.structure ? 'structure' : 'foundation',
        job: kind,
        state: (target.dependency ?? target.structure ?? target.foundation).state,
        present: kindOf(node, except),
        bases: graph.from(node).map(edge => baseOf(edge.to)),
        dependants: graph.to(node).flatMap(dependantsOf),
        provided: isProvided ? { by: complex, built: complexes.get(complex)?.built ?? false } : undefined,
      }
    },
    jobOf: ref => jobOf(targetNode(ref)),
    structureOn: locator => [...structures.values()].find(row => row.foundation === locator),
  }
}

interface Around {
  readonly nodes: ReadonlyMap<string, Node>
  from(node: Node): readonly Edge[]
  to(node: Node): readonly Edge[]
}

/**
 * The edges of nodes in both directions; and one further, through Complexes to what they consist of and provide, and from
 * Dependencies to what they wait for.
 */
async function loadAround(db: Db, own: readonly Node[]): Promise<Around> {
  const nearFrom = await edgesFrom(db, own)
  const nearTo = await edgesTo(db, own)
  const near = unique([...nearFrom.map(edge => edge.to), ...nearTo.map(edge => edge.from)])
  const through = [...near.values()].filter(({ kind }) => kind === 'Complex')
  const waiting = [...near.values()].filter(({ kind }) => kind === 'Dependency')
  const from = groupBy([...nearFrom, ...(await edgesFrom(db, [...through, ...waiting]))], edge => edge.from)
  const to = groupBy([...nearTo, ...(await edgesTo(db, through))], edge => edge.to)
  const edges = [...from.values(), ...to.values()].flat()
  return {
    nodes: unique([...own, ...edges.flatMap(edge => [edge.from, edge.to])]),
    from: node => from.get(nodeKey(node)) ?? [],
    to: node => to.get(nodeKey(node)) ?? [],
  }
}

const unique = (nodes: readonly Node[]) => new Map(nodes.map(node => [nodeKey(node), node]))

/** Each edge once, also one that was found from both of its ends. */
function groupBy(edges: readonly Edge[], end: (edge: Edge) => Node): Map<string, Edge[]> {
  const groups = new Map<string, Map<string, Edge>>()
  for (const edge of edges) {
    const group = groups.get(nodeKey(end(edge))) ?? new Map<string, Edge>()
    groups.set(nodeKey(end(edge)), group.set(`${nodeKey(edge.from)} ${nodeKey(edge.to)}`, edge))
  }
  return new Map([...groups].map(([key, group]) => [key, [...group.values()]]))
}

async function selectBy<Row>(
  db: Db,
  table: typeof foundation | typeof structure | typeof dependency,
  key: PgColumn,
  keys: readonly (string | number)[],
): Promise<ReadonlyMap<string | number, Row>> {
  if (!keys.length) return new Map()
  const rows = await db
    .select()
    .from(table)
    .where(inArray(key, [...keys]))
  const name = key.name as 'id' | 'locator'
  return new Map(rows.map(row => [(row as Record<string, unknown>)[name] as string | number, row as Row]))
}

async function liveJobs(
  db: Db,
  foundations: readonly (string | number)[],
  structures: readonly (string | number)[],
  dependencies: readonly (string | number)[],
): Promise<ReadonlyMap<string, { id: number; action: string }>> {
  const among = (column: PgColumn, keys: readonly (string | number)[]): SQL | undefined =>
    keys.length ? inArray(column, [...keys]) : undefined
  const where = or(
    among(job.foundation, foundations),
    among(job.structure, structures),
    among(job.dependency, dependencies),
  )
  if (!where) return new Map()
  const { id, action } = job
  const rows = await db
    .select({ id, action, foundation: job.foundation, structure: job.structure, dependency: job.dependency })
    .from(job)
    .where(and(isNull(job.outcome), where))
  return new Map(rows.map(row => [nodeKey(targetNode(jobTarget(row))), row]))
}
