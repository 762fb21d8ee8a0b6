import type { Program } from '@contractor/tscript'
import { eq, type SQL, sql } from 'drizzle-orm'
import { type Config, loadConfigs } from '../../config/load-config.ts'
import { anyNumber, anyText } from '../../database/any-of.ts'
import { type Db, executePrepared, inShortTransaction, isLockTimeout } from '../../database/database.ts'
import { job, task } from '../../database/job-schema.ts'
import { takingLock } from '../../database/lock-order.ts'
import { complex, dependency, foundation, structure } from '../../database/schema.ts'
import { loadPxeNames } from '../../definition/pxe/pxe.ts'
import type { Engine } from '../../engine/engine.ts'
import { loadNeighbours } from '../../graph/neighbours.ts'
import { findWait, jobKind } from '../../graph/rules.ts'
import { type JobRow, type Target, targetColumns } from '../../graph/target.ts'
import type { Undoable } from '../history/step.ts'
import { undoableSteps } from '../history/step.ts'
import { toOut } from '../task/find-out.ts'
import type { OutTask } from '../task/out-task.ts'
import type { ProgramCache } from './program-cache.ts'
import { needsOf } from './script-host.ts'

/** Whether a Job may start. */
export interface Wait {
  /** What it waits for; it may start when absent. */
  readonly for: string | undefined
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
  /** Of the Structure that stands on its Foundation, where its script reads what is made of that. */
  readonly structureConfig: Config | undefined
  /** The names of all PXEs, where its script may set one. */
  readonly pxes: ReadonlySet<string>
  readonly nowMs: number
  /** The Task of it that is out. */
  readonly out: OutTask | undefined
  /** Of a Job that has not started. */
  readonly wait: Wait | undefined
  /** Of a Job that is being undone: what comes next, and whether that is all. */
  readonly undoable: readonly Undoable[]
  readonly hasMoreUndoable: boolean
}

/** How many calls of a Job are undone in one transition at the most. */
const undoableAtOnce = 50

/** How much of Jobs' states is read at once, in bytes. */
const mostBytes = 32 * 1024 * 1024

/**
 * Locks Jobs, and says which of them are had: those that somebody else has in hand are left to them. To lock and to read
 * are two statements, since one that does both has waited with the snapshot of before: PostgreSQL reads anew the row
 * that it locks, and nothing that is joined to it. Of very large Jobs there are fewer at once, and one at the least.
 */
export async function lockJobs(tx: Db, which: SQL): Promise<{ locked: number[]; left: number[] }> {
  takingLock(tx, 'job')
  const rows = await executePrepared<{ id: string | number; bytes: number }>(
    tx,
    sql`select job.id, job.vm_bytes as bytes from contractor.job where ${which} for update of job skip locked`,
  )
  let bytes = 0
  const locked: number[] = []
  const left: number[] = []
  for (const row of rows) {
    const fits = bytes === 0 || bytes + row.bytes <= mostBytes
    if (fits) bytes += row.bytes
    ;(fits ? locked : left).push(Number(row.id))
  }
  return { locked, left }
}

/** Waits for whoever has one of these Jobs in hand, for a moment at the most. */
export async function waitForJobs({ database }: Engine, ids: readonly number[]): Promise<void> {
  await inShortTransaction(database, tx =>
    executePrepared(
      tx,
      sql`select job.id from contractor.job where ${jobsById(ids)} order by job.id for update of job`,
    ),
  ).catch(error => {
    if (!isLockTimeout(error)) throw error
  })
}

/** Reads Jobs that are locked with all that they need: a number of statements that does not grow with them. */
export async function loadWork(
  engine: Engine,
  tx: Db,
  programs: ProgramCache,
  ids: readonly number[],
): Promise<Work[]> {
  if (!ids.length) return []
  const rows = await tx
    .select({
      job,
      ...targetColumns,
      task: {
        id: task.id,
        request: task.request,
        module: task.module,
        function: task.function,
        params: task.params,
        claimToken: task.claimToken,
        revokedAt: task.revokedAt,
      },
      nowMs: sql<string>`(extract(epoch from ${engine.clock.now()}) * 1000)::bigint::text`,
    })
    .from(job)
    .leftJoin(dependency, eq(dependency.id, job.dependency))
    .leftJoin(structure, sql`${structure.id} = coalesce(${job.structure}, ${dependency.scriptStructure})`)
    .innerJoin(foundation, sql`${foundation.locator} = coalesce(${job.foundation}, ${structure.foundation})`)
    .leftJoin(complex, eq(complex.name, foundation.complex))
    .leftJoin(task, eq(task.job, job.id))
    .where(jobsById(ids))
    .orderBy(job.wakeAt, job.id)
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
    waiting.map(row => ({ job: row.job, target: toTarget(row) })),
  )
  const undoing = started.filter(row => row.job.undoing !== null).map(row => row.job.id)
  const left = await undoableSteps(tx, undoing, undoableAtOnce)
  const undoableOf = (id: number) => left.filter(one => one.job === id)
  const needs = new Map(started.map(row => [row.job.id, needsOf(engine.plugins, row.program, row.foundation.type)]))
  const reading = started.filter(row => needs.get(row.job.id)?.config)
  const above = started.filter(row => !row.structure && needs.get(row.job.id)?.structureConfig)
  const heirs = above.length ? await findHeirs(tx, above) : new Map<string, number>()
  const pxes = [...needs.values()].some(one => one.pxes) ? await loadPxeNames(tx) : new Set<string>()
  const configs =
    reading.length || heirs.size
      ? await loadConfigs(engine, tx, {
          structures: [...reading.flatMap(row => (row.structure ? [row.structure.id] : [])), ...heirs.values()],
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
    structureConfig: configs?.structures.get(row.structure?.id ?? heirs.get(row.foundation.locator) ?? 0),
    pxes,
    nowMs: Number(row.nowMs),
    out: row.task ? toOut(row.task) : undefined,
    wait: waits.get(row.job.id),
    undoable: undoableOf(row.job.id),
    hasMoreUndoable: undoableOf(row.job.id).length === undoableAtOnce,
  }))
}

/** The Structures that stand on Foundations, by locator. */
async function findHeirs(tx: Db, rows: readonly { foundation: { locator: string } }[]): Promise<Map<string, number>> {
  const found = await tx
    .select({ id: structure.id, locator: structure.foundation })
    .from(structure)
    .where(sql`${structure.foundation} = ${anyText(rows.map(row => row.foundation.locator))}`)
  return new Map(found.map(row => [row.locator, row.id]))
}

/**
 * What Jobs wait for. Nobody is locked for that: whoever changes a state, or ends a Job, leaves a wake-up in the same
 * transaction (see wake-neighbours.ts), which is delivered when that can be seen.
 */
async function findWaits(tx: Db, waiting: readonly { job: JobRow; target: Target }[]): Promise<Map<number, Wait>> {
  if (!waiting.length) return new Map()
  const around = await loadNeighbours(
    tx,
    waiting.map(one => one.target),
  )
  return new Map(
    waiting.map(({ job: own, target }) => {
      const facts = around.facts(target, jobKind(own.action), own.id)
      const locates = facts.job === 'create' && facts.state === 'planned' && facts.provided?.built === true
      return [own.id, { for: findWait(facts), locates }]
    }),
  )
}

type Read = Pick<Target, 'foundation'> & {
  structure: Target['structure'] | null
  complex: Target['complex'] | null
  dependency: Target['dependency'] | null
}

function toTarget({ foundation: under, complex: above, structure: own, dependency: edge }: Read): Target {
  return {
    foundation: under,
    ...(above && { complex: above }),
    ...(own && { structure: own }),
    ...(edge && { dependency: edge }),
  }
}

/**
 * Jobs whose moment has come, the longest overdue first. Those that somebody else has in hand do not count for the limit. A
 * Job of which an answer is kept gets that before anything else: no timer overtakes what was taken.
 */
export const dueJobs = (engine: Engine, limit: number): SQL =>
  sql`job.id = any(array(
        select id from contractor.job where wake_at <= ${engine.clock.now()}
          and not exists (select from contractor.claim_word word where word.job = job.id and word.arrival is not null)
        order by wake_at, id limit ${limit}::int for update skip locked))`

export const jobsById = (ids: readonly number[]): SQL => sql`${sql.raw('job.id')} = ${anyNumber(ids)}`
