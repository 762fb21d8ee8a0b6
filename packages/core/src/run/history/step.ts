import { idPageRequest, type Json, maskSecrets, maskText, type Page, parseInput, type Step } from '@contractor/contract'
import { asc, eq, inArray, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { type Db, executePrepared } from '../../database/database.ts'
import { step, taskLine } from '../../database/job-schema.ts'
import { inParts } from '../../database/parts.ts'
import type { Call } from '../../database/stored-call.ts'
import type { Engine } from '../../engine/engine.ts'
import { listRows, toPage } from '../../noun/list-rows.ts'

/** One call to be undone: of a step, or without one the call that was under way. */
export interface Undoable {
  step?: number
  module: string
  function: string
  call: Call
}

export interface NewStep {
  job: number
  module: string
  function: string
  end: Step['end']
  request?: Json
  reply?: Json
  agent?: string
  attempt?: number
  /** Of an answer: the Task that was answered. */
  task?: number
  /** Where the call stood when it was done: from there it can be undone. */
  call?: Call
  startedMs: number
  endedMs: number
}

/** Writes what Jobs have done, in the transaction in which they did it. */
export async function recordSteps(tx: Db, steps: readonly NewStep[]): Promise<void> {
  for (const part of inParts(steps)) {
    await executePrepared(
      tx,
      sql`insert into contractor.step (job, module, function, "end", request, reply, agent, attempt, task, call, started_at, ended_at)
        select job, module, function, "end", request, reply, agent, coalesce(attempt, 1), task, call,
          to_timestamp("startedMs" / 1000), to_timestamp("endedMs" / 1000)
        from jsonb_to_recordset(${part}::jsonb)
          as new(job bigint, module text, function text, "end" text, request jsonb, reply jsonb, agent text, attempt int,
            task bigint, call jsonb, "startedMs" double precision, "endedMs" double precision)`,
    )
  }
}

export async function markUndone(engine: Engine, tx: Db, ids: readonly number[]): Promise<void> {
  if (!ids.length) return
  await tx
    .update(step)
    .set({ undoneAt: engine.clock.now() })
    .where(inArray(step.id, [...ids]))
}

export async function skipStep(engine: Engine, tx: Db, id: number): Promise<void> {
  await tx.update(step).set({ skippedAt: engine.clock.now() }).where(eq(step.id, id))
}

/** The calls of Jobs that can be undone and are not, the last first: of each Job so many at the most. */
export async function undoableSteps(
  tx: Db,
  jobs: readonly number[],
  most: number,
): Promise<(Undoable & { job: number; step: number })[]> {
  if (!jobs.length) return []
  const rows = await executePrepared<{ job: string; step: string; module: string; function: string; call: Call }>(
    tx,
    sql`select wanted.job::text, found.* from jsonb_array_elements_text(${JSON.stringify(jobs)}::jsonb) as one
        cross join lateral (select one::bigint as job) as wanted
        cross join lateral (
          select id::text as step, module, function, call from contractor.step
          where step.job = wanted.job and call is not null and undone_at is null and skipped_at is null
          order by id desc limit ${most}::int) as found`,
  )
  return rows.map(row => ({ ...row, job: Number(row.job), step: Number(row.step) }))
}

export async function listSteps(db: Db, job: number, page: z.input<typeof idPageRequest>): Promise<Page<Step>> {
  const { after, limit } = parseInput(idPageRequest, page, 'The page')
  const rows = await listRows(db, step, { after, limit }, { key: step.id, where: [eq(step.job, job)] })
  const lines = await loadLines(db, rows)
  return toPage(
    rows,
    limit,
    row => row.id,
    row => toStep(row, lines.get(row.task ?? 0) ?? []),
  )
}

/** What handlers have logged, by Task. */
async function loadLines(db: Db, steps: readonly (typeof step.$inferSelect)[]): Promise<Map<number, Step['log']>> {
  const ids = steps.flatMap(one => one.task ?? [])
  if (!ids.length) return new Map()
  const rows = await db.select().from(taskLine).where(inArray(taskLine.task, ids)).orderBy(asc(taskLine.place))
  const lines = new Map<number, Step['log']>()
  for (const { task, at, text } of rows)
    lines.set(task, [...(lines.get(task) ?? []), { at: at.toISOString(), text: maskText(text) }])
  return lines
}

function toStep(row: typeof step.$inferSelect, log: Step['log']): Step {
  return {
    task: row.task,
    log,
    id: row.id,
    job: row.job,
    module: row.module,
    function: row.function,
    end: row.end as Step['end'],
    request: maskSecrets(row.request ?? null),
    reply: maskSecrets(row.reply ?? null),
    agent: row.agent,
    attempt: row.attempt,
    startedAt: row.startedAt.toISOString(),
    endedAt: row.endedAt.toISOString(),
    durationMs: Number(row.endedAt) - Number(row.startedAt),
    undoneAt: row.undoneAt?.toISOString() ?? null,
    skippedAt: row.skippedAt?.toISOString() ?? null,
  }
}
