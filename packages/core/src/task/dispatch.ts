import { and, inArray, sql } from 'drizzle-orm'
import { executeRows, inTransaction } from '../database/database.ts'
import { task } from '../database/schema.ts'
import type { Engine } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import type { Advancer } from '../foreman/advance-jobs.ts'
import type { Arrival } from '../foreman/call.ts'
import type { Json } from '../plugin/json.ts'
import type { ClaimedTask, ClaimRequest, ClaimStatus, ReleaseRequest, TaskClaim, TaskResult } from '../plugin/wire.ts'

/** What an agent's token allows it: decided by the server, never by the agent. */
export interface AgentIdentity {
  /** The token's name. */
  name: string
  /** Sites, each with all below it. */
  sites: readonly string[]
  modules: readonly string[]
}

/** The handing out of Tasks, and the taking of their answers. */
export interface Dispatch {
  /** Tasks for an agent, each with a fresh claim token and a lease. Waits up to `waitMs` for there to be any. */
  claim(agent: AgentIdentity, request: ClaimRequest, signal?: AbortSignal): Promise<ClaimedTask[]>
  /** Takes answers. One without the present token of its Task is refused, and changes nothing. */
  results(agent: AgentIdentity, results: readonly TaskResult[]): Promise<ClaimStatus[]>
  /** Extends leases; a claim that is refused is lost. */
  renew(agent: AgentIdentity, claims: readonly TaskClaim[]): Promise<ClaimStatus[]>
  /** Takes Tasks back. Those that were begun count as lost: their Jobs look before anything is done again. */
  release(agent: AgentIdentity, claims: ReleaseRequest['claims']): Promise<ClaimStatus[]>
}

/** How long a waiting claim sleeps without looking: a notification may have been lost. */
const slowPollMs = 5_000

export function createDispatch(engine: Engine, advancer: Advancer): Dispatch {
  const dispatch: Dispatch = {
    async claim(agent, request, signal) {
      const waited = new AbortController()
      const over = signal ? AbortSignal.any([signal, waited.signal]) : waited.signal
      const timeout = engine.clock.sleep(request.waitMs, over).then(() => waited.abort())
      try {
        for (;;) {
          const heard = engine.notifications.next('task')
          try {
            const tasks = await claimTasks(engine, agent, request)
            if (tasks.length && signal?.aborted) {
              // Whoever asked is gone: nobody has begun these.
              await dispatch.release(
                agent,
                tasks.map(({ taskId, claimToken }) => ({ taskId, claimToken, begun: false })),
              )
              return []
            }
            if (tasks.length || over.aborted || request.waitMs === 0) return tasks
            const awake = new AbortController()
            await Promise.race([
              heard.promise,
              timeout,
              engine.clock.sleep(slowPollMs, AbortSignal.any([over, awake.signal])),
            ])
            awake.abort()
          } finally {
            heard.cancel()
          }
        }
      } finally {
        waited.abort()
      }
    },
    async results(agent, results) {
      return inTransaction(engine.db, undefined, async tx => {
        const taken = await tx.delete(task).where(held(agent, results)).returning({ id: task.id, job: task.job })
        const arrivals = new Map<number, Arrival>()
        for (const { id, job } of taken) {
          const answer = results.find(one => one.taskId === id)
          if (answer) arrivals.set(job, toArrival(answer))
        }
        await advancer.deliver(tx, arrivals)
        return toStatuses(results, taken)
      })
    },
    async renew(agent, claims) {
      const kept = await engine.db
        .update(task)
        .set({ leaseUntil: leaseEnd(engine) })
        .where(held(agent, claims))
        .returning({ id: task.id })
      return toStatuses(claims, kept)
    },
    async release(agent, claims) {
      return inTransaction(engine.db, undefined, async tx => {
        const idle = claims.filter(one => !one.begun)
        const begun = claims.filter(one => one.begun)
        const free = idle.length
          ? await tx
              .update(task)
              .set({ claimToken: null, agent: null, leaseUntil: null })
              .where(held(agent, idle))
              .returning({ id: task.id })
          : []
        const lost = begun.length
          ? await tx.delete(task).where(held(agent, begun)).returning({ id: task.id, job: task.job, agent: task.agent })
          : []
        await advancer.deliver(
          tx,
          new Map(lost.map((one): [number, Arrival] => [one.job, { kind: 'lost', agent: one.agent ?? agent.name }])),
        )
        if (free.length) await notify(tx, 'task')
        return toStatuses(claims, [...free, ...lost])
      })
    },
  }
  return dispatch
}

/** The Tasks among these that are still held with the token that was shown, and that this agent may have. */
function held(agent: AgentIdentity, claims: readonly TaskClaim[]) {
  const pairs = JSON.stringify(claims.map(({ taskId, claimToken }) => ({ id: taskId, token: claimToken })))
  return and(
    inArray(task.module, [...agent.modules]),
    sql`(${task.id}, ${task.claimToken}::text) in (select id, token from jsonb_to_recordset(${pairs}::jsonb) as shown(id bigint, token text))`,
  )
}

const leaseEnd = (engine: Engine) => sql`${engine.clock.now()} + ${engine.leaseMs}::float8 * interval '1 millisecond'`

interface ClaimedRow extends Record<string, unknown> {
  id: string | number
  claim_token: string
  module: string
  function: string
  params: Json
  attempt: number
}

/**
 * One statement: for each module that the agent has room for, the oldest free Tasks of its Sites. `skip locked` lets
 * several agents claim at once without waiting for each other.
 */
async function claimTasks(engine: Engine, agent: AgentIdentity, request: ClaimRequest): Promise<ClaimedTask[]> {
  const room = Object.entries(request.modules)
    .filter(([module, { slots }]) => slots > 0 && agent.modules.includes(module))
    .map(([module, { slots }]) => ({ module, slots }))
  if (!room.length || !agent.sites.length) return []
  const rows = await inTransaction(engine.db, undefined, tx =>
    executeRows<ClaimedRow>(
      tx,
      sql`with recursive allowed as (
            select name from contractor.site where name in (select value from jsonb_array_elements_text(${JSON.stringify(agent.sites)}::jsonb) as value)
            union select below.name from contractor.site below join allowed on below.parent = allowed.name
          ), picked as (
            select free.id from jsonb_to_recordset(${JSON.stringify(room)}::jsonb) as room(module text, slots int)
            cross join lateral (
              select task.id from contractor.task
              where task.claim_token is null and task.module = room.module and task.site in (select name from allowed)
              order by task.id limit room.slots for update skip locked
            ) as free
          )
          update contractor.task set claim_token = gen_random_uuid(), agent = ${request.agent}, lease_until = ${leaseEnd(engine)}
          from picked where task.id = picked.id
          returning task.id::text, task.claim_token::text, task.module, task.function, task.params, task.attempt`,
    ),
  )
  return rows.map(row => ({
    taskId: Number(row.id),
    claimToken: row.claim_token,
    module: row.module,
    function: row.function,
    params: row.params,
    leaseMs: engine.leaseMs,
    attempt: row.attempt,
  }))
}

function toArrival({ result, error }: TaskResult): Arrival {
  return error ? { kind: 'failed', error } : { kind: 'result', value: result ?? null }
}

function toStatuses(shown: readonly TaskClaim[], kept: readonly { id: number }[]): ClaimStatus[] {
  return shown.map(({ taskId }) =>
    kept.some(one => one.id === taskId)
      ? { taskId, accepted: true }
      : {
          taskId,
          accepted: false,
          reason: 'This claim is lost: its lease ran out, or its Job does not want it any more',
        },
  )
}
