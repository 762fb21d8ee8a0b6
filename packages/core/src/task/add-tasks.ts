import { sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import type { Json } from '../plugin/json.ts'
import type { ClaimedTask } from '../plugin/wire.ts'
import { allowedSites, leaseEnd, roomOf, type Taker } from './claim-tasks.ts'

export interface NewTask {
  job: number
  site: string
  module: string
  function: string
  params: Json
  attempt: number
}

/**
 * Writes Tasks; those that the taker may have and has room for are claimed for it at once, in the order given. An agent
 * that brings results thus leaves with the next Tasks of the same Jobs, which are written once and not found again:
 * without it, a step costs a second version of its row and of three index entries.
 */
export async function addTasks(
  engine: Engine,
  tx: Db,
  tasks: readonly NewTask[],
  taker: Taker | undefined,
): Promise<ClaimedTask[]> {
  if (!tasks.length) return []
  const rows = await executePrepared<{ id: string | number; job: string | number; claim_token: string | null }>(
    tx,
    sql`with recursive ${allowedSites(taker)}, fresh as (
          select new.*, new.site in (select name from allowed) as allowed
          from jsonb_to_recordset(${JSON.stringify(tasks.map((task, place) => ({ place, ...task })))}::jsonb)
            as new(place int, job bigint, site text, module text, function text, params jsonb, attempt int)
        ), handed as (
          select fresh.*,
            allowed and row_number() over (partition by fresh.module, allowed order by place) <= coalesce(room.slots, 0) as taken
          from fresh left join ${roomOf(taker)} on room.module = fresh.module
        )
        insert into contractor.task (job, site, module, function, params, attempt, created_at, claim_token, agent, lease_until)
        select job, site, module, function, params, attempt, ${engine.clock.now()},
          case when taken then gen_random_uuid() end,
          case when taken then ${taker?.name ?? ''} end,
          case when taken then ${leaseEnd(engine)} end
        from handed order by place
        returning id, job, claim_token`,
  )
  const byJob = new Map(tasks.map(task => [task.job, task]))
  return rows.flatMap(({ id, job, claim_token: claimToken }) => {
    const task = byJob.get(Number(job))
    if (!task || claimToken === null) return []
    const { module, function: name, params, attempt } = task
    return [{ taskId: Number(id), claimToken, module, function: name, params, attempt, leaseMs: engine.leaseMs }]
  })
}
