import { and, eq, inArray, isNull } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { foundation, job, structure } from '../database/schema.ts'
import { type Facts, type JobKind, jobKind } from './rules.ts'

export type FoundationRow = typeof foundation.$inferSelect
export type StructureRow = typeof structure.$inferSelect
export type JobRow = typeof job.$inferSelect

/** What a Job is for: a Foundation, or a Structure with the Foundation that it stands on. */
export interface Target {
  foundation: FoundationRow
  structure?: StructureRow
}

export type TargetRef = { foundation: string } | { structure: number }

/** How messages name a target. */
export function targetName({ foundation: under, structure: own }: Target): string {
  return own ? `Structure '${own.hostname}'` : `Foundation '${under.locator}'`
}

/** The neighbours of targets, and which of them have live Jobs: what the rules ask for. */
export interface Surroundings {
  /** The Structure on each Foundation. */
  heirs: ReadonlyMap<string, StructureRow>
  foundationJobs: ReadonlyMap<string, { id: number; action: string }>
  structureJobs: ReadonlyMap<number, { id: number; action: string }>
}

export async function loadSurroundings(db: Db, targets: readonly Target[]): Promise<Surroundings> {
  const locators = [...new Set(targets.map(target => target.foundation.locator))]
  const heirs = locators.length ? await db.select().from(structure).where(inArray(structure.foundation, locators)) : []
  const ids = heirs.map(heir => heir.id)
  const jobs = locators.length
    ? [
        ...(await db
          .select({ id: job.id, action: job.action, foundation: job.foundation, structure: job.structure })
          .from(job)
          .where(and(inArray(job.foundation, locators), isNull(job.outcome)))),
        ...(ids.length
          ? await db
              .select({ id: job.id, action: job.action, foundation: job.foundation, structure: job.structure })
              .from(job)
              .where(and(inArray(job.structure, ids), isNull(job.outcome)))
          : []),
      ]
    : []
  return {
    heirs: new Map(heirs.map(heir => [heir.foundation, heir])),
    foundationJobs: new Map(jobs.flatMap(one => (one.foundation === null ? [] : [[one.foundation, one]]))),
    structureJobs: new Map(jobs.flatMap(one => (one.structure === null ? [] : [[one.structure, one]]))),
  }
}

/** The facts for a Job of this kind on this target; `own` is a Job of the target that does not count. */
export function toFacts(target: Target, kind: JobKind, around: Surroundings, own?: number): Facts {
  const under = target.foundation
  const underJob = around.foundationJobs.get(under.locator)
  const kindOf = (found: { id: number; action: string } | undefined) =>
    found && found.id !== own ? jobKind(found.action) : undefined
  if (target.structure) {
    return {
      target: 'structure',
      job: kind,
      state: target.structure.state,
      present: kindOf(around.structureJobs.get(target.structure.id)),
      bases: [{ name: `Foundation '${under.locator}'`, built: under.state === 'built', job: kindOf(underJob) }],
      heirs: [],
    }
  }
  const heir = around.heirs.get(under.locator)
  return {
    target: 'foundation',
    job: kind,
    state: under.state,
    present: kindOf(underJob),
    bases: [],
    heirs: heir
      ? [
          {
            name: `Structure '${heir.hostname}'`,
            planned: heir.state === 'planned',
            hasJob: around.structureJobs.has(heir.id),
          },
        ]
      : [],
  }
}

/** Reads a target and locks its Foundation's row, so that of two orders at once the later sees the earlier. */
export async function lockTarget(tx: Db, ref: TargetRef): Promise<Target | undefined> {
  if ('foundation' in ref) {
    const [row] = await tx.select().from(foundation).where(eq(foundation.locator, ref.foundation)).for('no key update')
    return row && { foundation: row }
  }
  const [own] = await tx.select().from(structure).where(eq(structure.id, ref.structure))
  if (!own) return undefined
  const [under] = await tx.select().from(foundation).where(eq(foundation.locator, own.foundation)).for('no key update')
  return under && { foundation: under, structure: own }
}
