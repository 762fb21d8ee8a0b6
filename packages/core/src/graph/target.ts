import { eq } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import type { job } from '../database/job-schema.ts'
import { takingLock } from '../database/lock-order.ts'
import { complex, dependency, foundation, structure } from '../database/schema.ts'
import type { Node } from './edges.ts'

export type FoundationRow = typeof foundation.$inferSelect
export type StructureRow = typeof structure.$inferSelect
export type DependencyRow = typeof dependency.$inferSelect
export type JobRow = typeof job.$inferSelect

/**
 * What a Job is for: a Foundation; a Structure with the Foundation that it stands on; or a Dependency, with the
 * Structure on which its scripts run and the Foundation of that.
 */
export interface Target {
  foundation: TargetFoundation
  /** What provides the Foundation; read where a script is run. */
  complex?: TargetComplex
  structure?: TargetStructure
  dependency?: TargetDependency
}

/** The columns that Jobs need of their targets: each is read for every step of every Job. */
export const targetColumns = {
  foundation: {
    locator: foundation.locator,
    type: foundation.type,
    site: foundation.site,
    blueprint: foundation.blueprint,
    state: foundation.state,
    complex: foundation.complex,
    fields: foundation.fields,
  },
  structure: {
    id: structure.id,
    hostname: structure.hostname,
    site: structure.site,
    blueprint: structure.blueprint,
    foundation: structure.foundation,
    state: structure.state,
    configUuid: structure.configUuid,
    configValues: structure.configValues,
  },
  complex: { name: complex.name, type: complex.type, site: complex.site, fields: complex.fields },
  dependency: {
    id: dependency.id,
    foundation: dependency.foundation,
    structure: dependency.structure,
    dependency: dependency.dependency,
    link: dependency.link,
    scriptStructure: dependency.scriptStructure,
    createScript: dependency.createScript,
    destroyScript: dependency.destroyScript,
    state: dependency.state,
  },
} as const
export type TargetFoundation = Pick<FoundationRow, keyof (typeof targetColumns)['foundation']>
export type TargetStructure = Pick<StructureRow, keyof (typeof targetColumns)['structure']>
export type TargetComplex = Pick<typeof complex.$inferSelect, keyof (typeof targetColumns)['complex']>
export type TargetDependency = Pick<DependencyRow, keyof (typeof targetColumns)['dependency']>

/** A target with all columns of its rows. */
export interface WholeTarget extends Target {
  foundation: FoundationRow
  structure?: StructureRow
  dependency?: DependencyRow
}

export type TargetRef = { foundation: string } | { structure: number } | { dependency: number }

/** A target's name among all targets of all kinds. */
export function targetKey(ref: TargetRef): string {
  if ('foundation' in ref) return `foundation ${ref.foundation}`
  return 'structure' in ref ? `structure ${ref.structure}` : `dependency ${ref.dependency}`
}

export function targetRef(target: Target): TargetRef {
  if (target.dependency) return { dependency: target.dependency.id }
  return target.structure ? { structure: target.structure.id } : { foundation: target.foundation.locator }
}

/** The target of a Job's row: exactly one of the three columns is set. */
export function jobTarget(row: Pick<JobRow, 'foundation' | 'structure' | 'dependency'>): TargetRef {
  if (row.foundation !== null) return { foundation: row.foundation }
  return row.structure !== null ? { structure: row.structure } : { dependency: row.dependency as number }
}

/** A target as a place in the graph of what needs what. */
export function targetNode(ref: TargetRef): Node {
  if ('foundation' in ref) return { kind: 'Foundation', key: ref.foundation }
  return 'structure' in ref ? { kind: 'Structure', key: ref.structure } : { kind: 'Dependency', key: ref.dependency }
}

/** How messages name a target that is not there. */
export function refName(ref: TargetRef): string {
  if ('foundation' in ref) return `Foundation '${ref.foundation}'`
  return 'structure' in ref ? `Structure ${ref.structure}` : `Dependency ${ref.dependency}`
}

/** How messages name a target. */
export function targetName(target: Target): string {
  if (target.dependency) return `Dependency ${target.dependency.id}`
  return target.structure ? `Structure '${target.structure.hostname}'` : `Foundation '${target.foundation.locator}'`
}

/** Reads a target and locks its Foundation's row, so that of two orders at once the later sees the earlier. */
export async function lockTarget(tx: Db, ref: TargetRef): Promise<WholeTarget | undefined> {
  return findTarget(tx, ref, lockFoundation)
}

/** As it is now; waits for nobody. */
export async function readTarget(tx: Db, ref: TargetRef): Promise<WholeTarget | undefined> {
  return findTarget(tx, ref, readFoundation)
}

async function findTarget(
  tx: Db,
  ref: TargetRef,
  find: (tx: Db, locator: string) => Promise<FoundationRow | undefined>,
): Promise<WholeTarget | undefined> {
  if ('foundation' in ref) {
    const row = await find(tx, ref.foundation)
    return row && { foundation: row }
  }
  const [edge] =
    'dependency' in ref ? await tx.select().from(dependency).where(eq(dependency.id, ref.dependency)) : [undefined]
  const id = 'structure' in ref ? ref.structure : edge?.scriptStructure
  if (id === undefined) return undefined
  const [own] = await tx.select().from(structure).where(eq(structure.id, id))
  const under = own && (await find(tx, own.foundation))
  return own && under && { foundation: under, structure: own, ...(edge && { dependency: edge }) }
}

async function readFoundation(tx: Db, locator: string): Promise<FoundationRow | undefined> {
  const [row] = await tx.select().from(foundation).where(eq(foundation.locator, locator))
  return row
}

async function lockFoundation(tx: Db, locator: string): Promise<FoundationRow | undefined> {
  takingLock(tx, 'foundation')
  const [row] = await tx.select().from(foundation).where(eq(foundation.locator, locator)).for('no key update')
  return row
}
