import { sql } from 'drizzle-orm'
import { momentAfter } from '../database/clock.ts'
import { type Db, executePrepared } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import { edgesAt, needs } from './edges.ts'
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
        ), own as (
          select id as wake, 'Foundation' as kind, null::bigint as id, foundation as name from told where foundation is not null
          union all select id, 'Structure', structure, null from told where structure is not null
          union all select id, 'Dependency', dependency, null from told where dependency is not null
        ), near as (
          select own.wake, edge.to_kind as kind, edge.to_id as id, edge.to_name as name from own cross join ${edgesAt(sql`own`, 'from', needs)} as edge
          union all select own.wake, edge.from_kind, edge.from_id, edge.from_name from own cross join ${edgesAt(sql`own`, 'to', needs)} as edge
        ), complexes as (
          select * from near where kind = 'Complex'
        ), around as (
          -- A Complex has no Jobs: what it consists of, and what it provides, stand around each other.
          select * from own union select * from near
          union select wake, edge.to_kind, edge.to_id, edge.to_name from complexes cross join ${edgesAt(sql`complexes`, 'from', needs)} as edge
          union select wake, edge.from_kind, edge.from_id, edge.from_name from complexes cross join ${edgesAt(sql`complexes`, 'to', needs)} as edge
        ), waiting as (
          select around.wake, job.id from around join contractor.job on around.kind = 'Foundation' and job.foundation = around.name and job.outcome is null and job.state = 'waiting'
          union select around.wake, job.id from around join contractor.job on around.kind = 'Structure' and job.structure = around.id and job.outcome is null and job.state = 'waiting'
          union select around.wake, job.id from around join contractor.job on around.kind = 'Dependency' and job.dependency = around.id and job.outcome is null and job.state = 'waiting'
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
