import type { Program } from '@contractor/tscript'
import { eq, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { type Config, loadConfigs } from '../config/load-config.ts'
import type { Db } from '../database/database.ts'
import { job as jobTable, task } from '../database/job-schema.ts'
import { dependency, foundation, structure } from '../database/schema.ts'
import { settledUpTo } from '../database/settled.ts'
import type { Engine } from '../engine/engine.ts'
import { loadNeighbours } from '../job/neighbours.ts'
import { findWait, jobKind } from '../job/rules.ts'
import { type JobRow, type Target, targetColumns } from '../job/target.ts'
import { loadPxeNames } from '../pxe/pxe.ts'
import type { ProgramCache } from './program-cache.ts'
import { needsOf } from './script-host.ts'

// An alias, since `for update of` takes no name with a schema.
const job = alias(jobTable, 'due')

/** Whether a Job may start. */
export interface Wait {
  /** What it waits for; it may start when absent. */
  readonly for: string | undefined
  /** Whether nothing that is under way elsewhere could have been missed: see findWaits. */
  readonly settled: boolean
  /** Its Foundation is provided by a built Complex, and so is located as it starts. */
  readonly locates: boolean
}

/** A Job with all that its next transition needs. Its row is locked. */
export interface Work {
  readonly job: JobRow
  readonly program: Program
  readonly target: Target
  /** Absent when its script reads none. */
  readonly config: Config | undefined
  /** The names of all PXEs, where its script may set one. */
  readonly pxes: ReadonlySet<string>
  readonly nowMs: number
  /** Whether a Task of it is out already. */
  readonly hasTask: boolean
  /** Of a Job that has not started. */
  readonly wait: Wait | undefined
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
  options: { skipLocked: boolean },
): Promise<Work[]> {
  const rows = await tx
    .select({
      job,
      ...targetColumns,
      task: task.id,
      settled: sql<boolean>`coalesce(${settledUpTo} >= ${job.waitsSince}, false)`,
      nowMs: sql<string>`(extract(epoch from ${engine.clock.now()}) * 1000)::bigint::text`,
    })
    .from(job)
    .leftJoin(dependency, eq(dependency.id, job.dependency))
    .leftJoin(structure, sql`${structure.id} = coalesce(${job.structure}, ${dependency.scriptStructure})`)
    .innerJoin(foundation, sql`${foundation.locator} = coalesce(${job.foundation}, ${structure.foundation})`)
    .leftJoin(task, eq(task.job, job.id))
    .where(which)
    .orderBy(job.wakeAt, job.id)
    .for('update', options.skipLocked ? { of: job, skipLocked: true } : { of: job })
    .prepare('load_work')
    .execute()
  if (!rows.length) return []

  const compiled = await programs.load(
    tx,
    rows.map(row => row.job.programId),
  )
  const started = rows.map(row => ({ ...row, program: compiled.get(row.job.programId) as Program }))
  const waiting = started.filter(row => row.job.state === 'waiting')
  const waits = await findWaits(
    tx,
    waiting.map(row => ({ job: row.job, target: toTarget(row), settled: row.settled })),
  )
  const reading = started.filter(row => needsOf(row.program).config)
  const pxes = started.some(row => needsOf(row.program).pxes) ? await loadPxeNames(tx) : new Set<string>()
  const configs = reading.length
    ? await loadConfigs(engine, tx, {
        structures: reading.flatMap(row => (row.structure ? [row.structure.id] : [])),
        foundations: reading.flatMap(row => (row.structure ? [] : [row.foundation.locator])),
      })
    : undefined
  return started.map(row => ({
    job: row.job,
    program: row.program,
    target: toTarget(row),
    config: row.structure
      ? configs?.structures.get(row.structure.id)
      : configs?.foundations.get(row.foundation.locator),
    pxes,
    nowMs: Number(row.nowMs),
    hasTask: row.task !== null,
    wait: waits.get(row.job.id),
  }))
}

/**
 * What Jobs wait for. Nobody is locked for that: whoever changes a state, or ends a Job, wakes the waiting Jobs around
 * it in the same transaction. What this can miss is a change that was not committed when it looked, by a transaction
 * that in turn did not see the Job yet. So a Job that has to wait notes which transactions were under way, and looks
 * again until all of these have ended (`settled`); from then on a wake-up is certain, and it costs nothing to wait.
 */
async function findWaits(
  tx: Db,
  waiting: readonly { job: JobRow; target: Target; settled: boolean }[],
): Promise<Map<number, Wait>> {
  if (!waiting.length) return new Map()
  const around = await loadNeighbours(
    tx,
    waiting.map(one => one.target),
  )
  return new Map(
    waiting.map(({ job: own, target, settled }) => {
      const facts = around.facts(target, jobKind(own.action), own.id)
      const locates = facts.job === 'create' && facts.state === 'planned' && facts.provided?.built === true
      return [own.id, { for: findWait(facts), settled, locates }]
    }),
  )
}

type Read = Pick<Target, 'foundation'> & {
  structure: Target['structure'] | null
  dependency: Target['dependency'] | null
}

function toTarget({ foundation: under, structure: own, dependency: edge }: Read): Target {
  return { foundation: under, ...(own && { structure: own }), ...(edge && { dependency: edge }) }
}

/**
 * Jobs whose moment has come, the longest overdue first. They are picked and locked before anything is joined to them:
 * where the limit applied to the join, PostgreSQL joined all that was due for each batch.
 */
export const dueJobs = (engine: Engine, limit: number): SQL =>
  sql`${job.id} = any(array(
        select id from contractor.job where wake_at <= ${engine.clock.now()} order by wake_at limit ${limit}::int for update skip locked))`

/** One parameter, so that the statement's text is the same for any number of them. */
export const jobsById = (ids: readonly number[]): SQL =>
  sql`${job.id} = any(array(select value::bigint from jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) as value))`
