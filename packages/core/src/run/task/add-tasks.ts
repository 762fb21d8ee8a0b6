import type { Json } from '@contractor/contract'
import type { TaskLimit } from '@contractor/plugin'
import type { ClaimedTask } from '@contractor/plugin/wire'
import { sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../../database/database.ts'
import { inParts } from '../../database/parts.ts'
import type { Engine } from '../../engine/engine.ts'
import { callIdOf } from '../call/call.ts'
import { allowedSites, type Claimer, capacityOf, deadlineOf, leaseEnd } from './claim-tasks.ts'
import { askForTurns } from './take-turns.ts'

export interface NewTask {
  job: number
  site: string
  module: string
  function: string
  params: Json
  attempt: number
  /** The request of the call that it carries out. */
  request: string
  timeoutMs: number
  limit?: TaskLimit
  /** Where the Job's progress stands before it and after it, in percent. */
  progressFrom?: number
  progressTo?: number
}

/**
 * Writes Tasks; those that the claimer may have and has capacity for are claimed for it at once, in the order given. An agent
 * that brings results thus leaves with the next Tasks of the same Jobs, which are written once and not found again:
 * without it, a step costs a second version of its row and of three index entries.
 *
 * One with a limit waits for its turn, which it is given once it can be seen.
 *
 * A Job whose revoked Task an agent still has gets none now: it is asked again what it wants when that is settled.
 */
export async function addTasks(
  engine: Engine,
  tx: Db,
  tasks: readonly NewTask[],
  claimer: Claimer | undefined,
): Promise<ClaimedTask[]> {
  await askForTurns(
    engine,
    tx,
    tasks.flatMap(task => task.limit?.key ?? []),
  )
  const handed: ClaimedTask[] = []
  const parts = inParts(tasks.map((task, place) => ({ place, ...task })))
  // The claimer's capacity is reckoned with in one statement: the first.
  for (const [at, part] of parts.entries())
    handed.push(...(await addPart(engine, tx, tasks, part, at === 0 ? claimer : undefined)))
  return handed
}

async function addPart(
  engine: Engine,
  tx: Db,
  tasks: readonly NewTask[],
  part: string,
  claimer: Claimer | undefined,
): Promise<ClaimedTask[]> {
  const rows = await executePrepared<{ id: string | number; job: string | number; claim_token: string | null }>(
    tx,
    sql`with recursive ${allowedSites(claimer)}, fresh as (
          select new.*, new."limit" is null and new.site in (select name from allowed) as allowed
          from jsonb_to_recordset(${part}::jsonb)
            as new(place int, job bigint, site text, module text, function text, params jsonb, attempt int, request text,
              "timeoutMs" int, "progressFrom" real, "progressTo" real, "limit" jsonb)
        ), handed as (
          select fresh.*,
            allowed and row_number() over (partition by fresh.module, allowed order by place) <= coalesce(capacity.slots, 0) as taken
          from fresh left join ${capacityOf(claimer)} on capacity.module = fresh.module
        )
        insert into contractor.task (job, site, module, function, params, attempt, request, timeout_ms, progress_from, progress_to,
          limit_key, limit_at_once, limit_spacing_ms, has_turn,
          created_at, claim_token, agent, claim_request, lease_until, deadline)
        select job, site, module, function, params, attempt, request, "timeoutMs", coalesce("progressFrom", 0), coalesce("progressTo", 0),
          "limit"->>'key', ("limit"->>'atOnce')::int, ("limit"->>'spacingMs')::int, "limit" is null,
          ${engine.clock.now()},
          case when taken then gen_random_uuid() end,
          case when taken then ${claimer?.name ?? ''} end,
          case when taken then ${claimer?.request ?? null} end,
          case when taken then ${leaseEnd(engine)} end,
          case when taken then ${deadlineOf(engine, sql`"timeoutMs"`)} end
        from handed order by place
        on conflict (job) do nothing
        returning id, job, claim_token`,
  )
  const byJob = new Map(tasks.map(task => [task.job, task]))
  return rows.flatMap(({ id, job, claim_token: claimToken }) => {
    const task = byJob.get(Number(job))
    if (!task || claimToken === null) return []
    const { module, function: name, params, attempt, request, timeoutMs } = task
    const claim = { taskId: Number(id), claimToken, callId: callIdOf(request), leaseMs: engine.leaseMs }
    return [{ ...claim, module, function: name, params, attempt, timeoutMs }]
  })
}
