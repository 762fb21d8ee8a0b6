import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import { z } from 'zod'
import { type Db, executePrepared } from '../database/database.ts'
import { step } from '../database/job-schema.ts'
import type { Engine } from '../engine/engine.ts'
import type { Call } from '../foreman/call.ts'
import type { Undoing } from '../foreman/undo.ts'
import { type Page, pageRequest, toPage } from '../name.ts'
import { parseInput } from '../plugin/error.ts'
import { type Json, json } from '../plugin/json.ts'
import { maskSecrets } from '../plugin/secret.ts'

/** One thing that a Job has done: an answer of an agent, or a call that can be undone. */
export const stepView = z.object({
  id: z.number().int(),
  job: z.number().int(),
  module: z.string(),
  function: z.string(),
  /** How it ended: an agent's `result` or `failed`, `lost` when it did not answer, `done` for a call. */
  end: z.enum(['result', 'failed', 'lost', 'done']),
  request: json.nullable(),
  reply: json.nullable(),
  agent: z.string().nullable(),
  attempt: z.number().int(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  durationMs: z.number().int(),
  undoneAt: z.iso.datetime().nullable(),
})
export type Step = z.output<typeof stepView>

export interface NewStep {
  job: number
  module: string
  function: string
  end: Step['end']
  request?: Json
  reply?: Json
  agent?: string
  attempt?: number
  /** Where the call stood when it was done: from there it can be undone. */
  call?: Call
  startedMs: number
  endedMs: number
}

/** Writes what Jobs have done, in the transaction in which they did it. */
export async function recordSteps(tx: Db, steps: readonly NewStep[]): Promise<void> {
  if (!steps.length) return
  await executePrepared(
    tx,
    sql`insert into contractor.step (job, module, function, "end", request, reply, agent, attempt, call, started_at, ended_at)
        select job, module, function, "end", request, reply, agent, coalesce(attempt, 1), call,
          to_timestamp("startedMs" / 1000), to_timestamp("endedMs" / 1000)
        from jsonb_to_recordset(${JSON.stringify(steps)}::jsonb)
          as new(job bigint, module text, function text, "end" text, request jsonb, reply jsonb, agent text, attempt int,
            call jsonb, "startedMs" double precision, "endedMs" double precision)`,
  )
}

export async function markUndone(engine: Engine, tx: Db, ids: readonly number[]): Promise<void> {
  if (!ids.length) return
  await tx
    .update(step)
    .set({ undoneAt: engine.clock.now() })
    .where(inArray(step.id, [...ids]))
}

/** A Job's calls that can be undone and are not, the last first. */
export async function undoableSteps(tx: Db, job: number): Promise<Undoing['left']> {
  const rows = await tx
    .select({ step: step.id, module: step.module, function: step.function, call: step.call })
    .from(step)
    .where(and(eq(step.job, job), isNotNull(step.call), isNull(step.undoneAt)))
    .orderBy(desc(step.id))
  return rows.flatMap(({ call, ...row }) => (call ? [{ ...row, call }] : []))
}

export async function listSteps(db: Db, job: number, page: z.input<typeof pageRequest>): Promise<Page<Step>> {
  const { after, limit } = parseInput(pageRequest, page, 'The page')
  const rows = await db
    .select()
    .from(step)
    .where(and(eq(step.job, job), after === undefined ? undefined : gt(step.id, Number(after))))
    .orderBy(asc(step.id))
    .limit(limit + 1)
  return toPage(rows, limit, row => row.id, toStep)
}

function toStep(row: typeof step.$inferSelect): Step {
  return {
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
  }
}
