import { sql } from 'drizzle-orm'
import { type Db, executeRows } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'

/** How many rows of a table go at once, so that no transaction is long. */
const batchSize = 5_000

/**
 * Deletes what is older than the retention: Jobs that are over, the steps, logs and attachments of all Jobs, events, and
 * machines and agents that are nobody's and were not heard of since; and attachments that have not become whole within a day. What a live Job has done stays as long as the Job. Says how many rows went.
 */
export async function forgetOld(engine: Engine, tx: Db): Promise<number> {
  if (engine.retentionDays === 0) return 0
  const since = sql`${engine.clock.now()} - ${engine.retentionDays}::int * interval '1 day'`
  const [gone] = await executeRows<{ count: string }>(
    tx,
    sql`with live as (select id from contractor.job where outcome is null),
          jobs as (delete from contractor.job where id in (
            select id from contractor.job where finished_at < ${since} limit ${batchSize} for update skip locked) returning 1),
          steps as (delete from contractor.step where id in (
            select id from contractor.step where ended_at < ${since} and job not in (select id from live) limit ${batchSize}) returning 1),
          events as (delete from contractor.event where id in (
            select id from contractor.event
            where at < ${since} and (job is null or job not in (select id from live)) limit ${batchSize}) returning 1),
          machines as (delete from contractor.cartographer where identifier in (
            select identifier from contractor.cartographer
            where state <> 'matched' and updated_at < ${since} limit ${batchSize}) returning 1),
          agents as (delete from contractor.agent where name in (
            select name from contractor.agent where seen_at < ${since} limit ${batchSize}) returning 1),
          lines as (delete from contractor.task_line where (task, place) in (
            select task, place from contractor.task_line
            where at < ${since} and job not in (select id from live) limit ${batchSize}) returning 1),
          attachments as (delete from contractor.attachment where id in (
            select id from contractor.attachment
            where (created_at < ${since} and job not in (select id from live))
              or (sha256 is null and created_at < ${engine.clock.now()} - interval '1 day') limit ${batchSize}) returning 1),
          inquiries as (delete from contractor.inquiry where expires_at < ${engine.clock.now()} - interval '1 day' returning 1),
          words as (delete from contractor.claim_word where look_at < ${since} returning 1),
          processes as (delete from contractor.engine_process where seen_at < ${since} returning 1)
        select ((select count(*) from jobs) + (select count(*) from steps) + (select count(*) from events)
          + (select count(*) from machines) + (select count(*) from agents)
          + (select count(*) from lines) + (select count(*) from attachments))::text as count`,
  )
  return Number(gone?.count ?? 0)
}
