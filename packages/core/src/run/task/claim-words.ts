import type { TaskClaim } from '@contractor/plugin/wire'
import { type SQL, sql } from 'drizzle-orm'
import { momentAfter } from '../../database/clock.ts'
import { type Db, executePrepared } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Arrival } from '../call/call.ts'
import type { Answer } from './answered-tasks.ts'

/**
 * What agents say while somebody else has the rows in hand that it concerns (see `claim_word` in job-schema.ts). Taken at
 * once, by rows for which nobody has to wait, and acted upon when that can be done.
 */

/** How long an answer rests that could not be acted upon, in milliseconds. */
const restMs = 200

/** Keeps answers; says which were kept: of a claim one, whatever comes after it. */
export async function keepAnswers(engine: Engine, tx: Db, answers: ReadonlyMap<number, Answer>): Promise<Set<number>> {
  const rows = [...answers].flatMap(([job, { task, arrival }]) =>
    task ? [{ task: task.id, token: task.claimToken, job, arrival }] : [],
  )
  if (!rows.length) return new Set()
  const kept = await executePrepared<{ job: string }>(
    tx,
    sql`insert into contractor.claim_word (task, claim_token, job, arrival, look_at)
        select task.id, task.claim_token, task.job, said.arrival, ${restAt(engine)}
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as said(task bigint, token text, arrival jsonb)
        join contractor.task on task.id = said.task and task.claim_token::text = said.token
        on conflict (task, claim_token) do update set arrival = excluded.arrival, look_at = excluded.look_at
          where claim_word.arrival is null
        returning job::text`,
  )
  return new Set(kept.map(row => Number(row.job)))
}

const restAt = (engine: Engine): SQL => momentAfter(engine.clock, restMs)

/** Answers that may be acted upon now, by Job; their next moment is put off, for when they cannot. */
export async function dueAnswers(engine: Engine, tx: Db, limit: number): Promise<Map<number, Answer>> {
  const rows = await executePrepared<{ task: string; token: string; job: string; arrival: Arrival }>(
    tx,
    sql`update contractor.claim_word set look_at = ${restAt(engine)}
        where (task, claim_token) in (
          select task, claim_token from contractor.claim_word
          where arrival is not null and look_at <= ${engine.clock.now()} order by look_at limit ${limit}::int for update skip locked)
        returning task::text, claim_token::text as token, job::text, arrival`,
  )
  return new Map(
    rows.map(row => [
      Number(row.job),
      { arrival: row.arrival, task: { id: Number(row.task), claimToken: row.token, isKept: true } },
    ]),
  )
}

/** Forgets words whose Task is gone or is another's now, and renewals that have run out. */
export async function forgetWords(engine: Engine, tx: Db): Promise<void> {
  await executePrepared(
    tx,
    sql`delete from contractor.claim_word word where (arrival is null and look_at <= ${engine.clock.now()}) or not exists (
          select from contractor.task where task.id = word.task and task.claim_token = word.claim_token)`,
  )
}

/** Keeps that agents still work, whose Tasks somebody else has in hand. */
export async function keepRenewals(tx: Db, claims: readonly TaskClaim[], leaseEnd: SQL): Promise<void> {
  if (!claims.length) return
  const shown = JSON.stringify(claims.map(({ taskId, claimToken }) => ({ task: taskId, token: claimToken })))
  await executePrepared(
    tx,
    sql`insert into contractor.claim_word (task, claim_token, job, lease_until, look_at)
        select task.id, task.claim_token, task.job, least(${leaseEnd}, task.deadline), ${leaseEnd}
        from contractor.task join jsonb_to_recordset(${shown}::jsonb) as said(task bigint, token text)
          on said.task = task.id and said.token = task.claim_token::text
        on conflict (task, claim_token) do update set lease_until = excluded.lease_until,
          look_at = case when claim_word.arrival is null then excluded.look_at else claim_word.look_at end`,
  )
}
