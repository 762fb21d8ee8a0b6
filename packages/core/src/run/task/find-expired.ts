import type { Json } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Answer } from './answered-tasks.ts'

/**
 * Tasks whose agents are not heard of any more, as what that is to their Jobs: the answer is lost, and each decides by its
 * function whether to look, to ask again, or to say so. An agent that has said something which could not be written yet
 * is not silent. A Task that somebody else has in hand is looked at again.
 */
export async function findExpired(engine: Engine, db: Db, limit: number): Promise<Map<number, Answer>> {
  const rows = await executePrepared<{
    id: string
    job: string
    token: string
    agent: string | null
    request: string
    module: string
    function: string
    params: Json
    attempt: number
    since_ms: string
    overdue: boolean
    timeout_ms: number
  }>(
    db,
    sql`select id::text, job::text, claim_token::text as token, agent, request, module, function, params, attempt,
          (extract(epoch from created_at) * 1000)::bigint::text as since_ms,
          timeout_ms, coalesce(deadline <= ${engine.clock.now()}, false) as overdue
        from contractor.task
        where lease_until < ${engine.clock.now()} and not exists (
          select from contractor.claim_word word
          where word.task = task.id and word.claim_token = task.claim_token
            and (word.arrival is not null or word.lease_until >= ${engine.clock.now()}))
        order by lease_until limit ${limit}::int`,
  )
  return new Map(
    rows.map(({ id, job, token, request, module, function: name, params, attempt, ...row }) => {
      const agent = row.agent ?? 'that had it'
      const task = {
        task: Number(id),
        request,
        module,
        function: name,
        params,
        agent,
        attempt,
        sinceMs: Number(row.since_ms),
      }
      const late = row.overdue && { reason: `the agent ${agent} did not end it within ${row.timeout_ms / 1000} s` }
      return [
        Number(job),
        {
          arrival: { kind: 'lost', agent, ...late, task },
          task: { id: Number(id), claimToken: token, isSilence: true },
        },
      ]
    }),
  )
}
