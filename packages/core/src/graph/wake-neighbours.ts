import { sql } from 'drizzle-orm'
import { momentAfter } from '../database/clock.ts'
import { type Db, executePrepared } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import type { TargetRef } from './target.ts'

/**
 * Has the waiting Jobs of targets, and of all that stands around them, look again whether they may start: called in the
 * transaction that changes a target's state, ends its Job, or changes what it needs.
 *
 * It only says so, in rows of its own: which Jobs that are is found by the Foreman, when the change can be seen. An UPDATE
 * of the Jobs from here waited for whoever had one of them in hand, and missed those that the transaction could not see:
 * ordered after a REPEATABLE READ transaction had begun, or by one that had not committed yet.
 */
export async function wakeNeighbours(engine: Engine, tx: Db, targets: readonly TargetRef[]): Promise<void> {
  if (!targets.length) return
  await executePrepared(
    tx,
    sql`insert into contractor.wake (foundation, structure, dependency, look_at)
        select distinct foundation, structure, dependency, ${engine.clock.now()}
        from jsonb_to_recordset(${JSON.stringify(targets)}::jsonb) as changed(foundation text, structure bigint, dependency bigint)`,
  )
}

/** How long a wake-up is left alone while somebody else has a Job of it in hand, in milliseconds. */
const retryMs = 50

/**
 * Wakes the Jobs that wait around what has changed, and forgets the wake-ups of which every Job could be told; says how
 * many wake-ups it looked at, and which Jobs could not be told. A Job that is in somebody's hands may just be deciding by what it read before the change: its
 * wake-up stays until the Job could be told.
 */
export async function deliverWakes(engine: Engine, tx: Db, limit: number): Promise<{ looked: number; held: number[] }> {
  const [row] = await executePrepared<{ count: string; held: number[] | null }>(
    tx,
    sql`with told as (
          select id, foundation, structure, dependency from contractor.wake
          where look_at <= ${engine.clock.now()} order by look_at, id limit ${limit}::int for update skip locked
        ), around as (
          select told.id as wake, near.* from told cross join lateral (
            select told.foundation as foundation, null::bigint as structure, null::bigint as dependency where told.foundation is not null
            union all select under.foundation, null, null from contractor.structure under where under.id = told.structure
            union all select edge.foundation, null, null from contractor.dependency edge where edge.id = told.dependency
            union all select provided.locator, null, null from contractor.complex_member member
              join contractor.foundation provided on provided.complex = member.complex where member.structure = told.structure
            union all select null, told.structure, null where told.structure is not null
            union all select null, upon.id, null from contractor.structure upon where upon.foundation = told.foundation
            union all select null, edge.structure, null from contractor.dependency edge where edge.id = told.dependency
            union all select null, member.structure, null from contractor.foundation provided
              join contractor.complex_member member on member.complex = provided.complex where provided.locator = told.foundation
            union all select null, null, told.dependency where told.dependency is not null
            union all select null, null, edge.id from contractor.dependency edge where edge.foundation = told.foundation
            union all select null, null, edge.id from contractor.dependency edge where edge.structure = told.structure
            union all select null, null, edge.id from contractor.dependency edge where edge.dependency = told.dependency
            union all select null, null, edge.dependency from contractor.dependency edge where edge.id = told.dependency
          ) as near
        ), waiting as (
          select around.wake, job.id from around join contractor.job on job.foundation = around.foundation and job.outcome is null and job.state = 'waiting'
          union select around.wake, job.id from around join contractor.job on job.structure = around.structure and job.outcome is null and job.state = 'waiting'
          union select around.wake, job.id from around join contractor.job on job.dependency = around.dependency and job.outcome is null and job.state = 'waiting'
        ), free as (
          select id from contractor.job where id in (select id from waiting) for no key update skip locked
        ), woken as (
          update contractor.job set wake_at = ${engine.clock.now()} where id in (select id from free)
        ), held as (
          select wake, id from waiting where id not in (select id from free)
        ), later as (
          update contractor.wake set look_at = ${momentAfter(engine.clock, retryMs)}
          where id in (select wake from held)
        ), done as (
          delete from contractor.wake where id in (select id from told) and id not in (select wake from held)
        )
        select count(*)::text as count, (select json_agg(distinct id) from held) as held from told`,
  )
  return { looked: Number(row?.count ?? 0), held: row?.held ?? [] }
}
