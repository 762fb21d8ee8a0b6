import type { Program } from '@contractor/tscript'
import { eq, inArray, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { type LazyConfig, loadConfigs } from '../config/load-config.ts'
import type { Db } from '../database/database.ts'
import { foundation, job as jobTable, structure, task } from '../database/schema.ts'
import type { Engine } from '../engine/engine.ts'
import { findWait, jobKind } from '../job/rules.ts'
import { type JobRow, loadSurroundings, type Target, toFacts } from '../job/target.ts'
import { mentions, type ProgramCache } from './program-cache.ts'

// An alias, since `for update of` takes no name with a schema.
const job = alias(jobTable, 'due')

/** A Job with all that its next transition needs. Its row is locked. */
export interface Work {
  readonly job: JobRow
  readonly program: Program
  readonly target: Target
  readonly config: LazyConfig
  readonly nowMs: number
  /** Whether a Task of it is out already. */
  readonly hasTask: boolean
  /** For a Job that has not started: what it waits for; null when that cannot be told at this moment. */
  readonly wait: string | null | undefined
}

/**
 * Reads Jobs with all that they need and locks their rows: a number of statements that does not grow with them. With
 * `skipLocked`, Jobs that another process has in hand are left to it.
 */
export async function loadWork(
  engine: Engine,
  tx: Db,
  programs: ProgramCache,
  which: SQL,
  options: { skipLocked: boolean; limit: number },
): Promise<Work[]> {
  const rows = await tx
    .select({
      job,
      structure,
      foundation,
      task: task.id,
      nowMs: sql<string>`(extract(epoch from ${engine.clock.now()}) * 1000)::bigint::text`,
    })
    .from(job)
    .leftJoin(structure, eq(structure.id, job.structure))
    .innerJoin(foundation, sql`${foundation.locator} = coalesce(${job.foundation}, ${structure.foundation})`)
    .leftJoin(task, eq(task.job, job.id))
    .where(which)
    .orderBy(job.wakeAt, job.id)
    .limit(options.limit)
    .for('update', options.skipLocked ? { of: job, skipLocked: true } : { of: job })
  if (!rows.length) return []

  const compiled = await programs.load(
    tx,
    rows.map(row => row.job.programId),
  )
  const started = rows.map(row => ({ ...row, program: compiled.get(row.job.programId) as Program }))
  const waiting = started.filter(row => row.job.state === 'waiting')
  const waits = await findWaits(
    tx,
    waiting.map(row => ({ job: row.job, target: toTarget(row) })),
  )
  const reading = started.filter(row => mentions(row.program, 'config'))
  const configs = await loadConfigs(engine, tx, {
    structures: reading.flatMap(row => (row.structure ? [row.structure.id] : [])),
    foundations: reading.flatMap(row => (row.structure ? [] : [row.foundation.locator])),
  })
  return started.map(row => ({
    job: row.job,
    program: row.program,
    target: toTarget(row),
    config:
      (row.structure ? configs.structures.get(row.structure.id) : configs.foundations.get(row.foundation.locator)) ??
      (() => ({})),
    nowMs: Number(row.nowMs),
    hasTask: row.task !== null,
    wait: waits.get(row.job.id),
  }))
}

/**
 * What Jobs wait for, asked under a lock on their Foundations. Whoever changes a state takes that lock first, then
 * wakes the waiting Jobs: so either the change is seen here, or its wake-up comes after this. A Foundation that is
 * being changed at this moment is not waited for, since the changer may in turn wait for our Job's row: null, ask again.
 */
async function findWaits(
  tx: Db,
  waiting: readonly { job: JobRow; target: Target }[],
): Promise<Map<number, string | null | undefined>> {
  if (!waiting.length) return new Map()
  const locators = [...new Set(waiting.map(one => one.target.foundation.locator))]
  const quiet = await tx
    .select()
    .from(foundation)
    .where(inArray(foundation.locator, locators))
    .for('share', { skipLocked: true })
  const seen = waiting.flatMap(({ job: own, target }) => {
    const under = quiet.find(row => row.locator === target.foundation.locator)
    return under ? [{ own, target: { ...target, foundation: under } }] : []
  })
  const around = await loadSurroundings(
    tx,
    seen.map(one => one.target),
  )
  const waits = new Map<number, string | null | undefined>(waiting.map(one => [one.job.id, null]))
  for (const { own, target } of seen) waits.set(own.id, findWait(toFacts(target, jobKind(own.action), around, own.id)))
  return waits
}

function toTarget(row: { foundation: Target['foundation']; structure: Target['structure'] | null }): Target {
  return row.structure ? { foundation: row.foundation, structure: row.structure } : { foundation: row.foundation }
}

/** Jobs whose moment has come. */
export const dueJobs = (engine: Engine): SQL => sql`${job.wakeAt} <= ${engine.clock.now()}`

export const jobsById = (ids: readonly number[]): SQL => inArray(job.id, [...ids])
