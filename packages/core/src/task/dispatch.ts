import { type SQL, sql } from 'drizzle-orm'
import { type Db, executePrepared, inTransaction } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import type { Advancer } from '../foreman/advance-jobs.ts'
import type { Arrival, AskedTask } from '../foreman/call.ts'
import type { Json } from '../plugin/json.ts'
import { holdsSecret, mapSecretPlaces } from '../plugin/secret.ts'
import type {
  ClaimedTask,
  ClaimRequest,
  ClaimStatus,
  ReleaseRequest,
  ResultsReply,
  ResultsRequest,
  TaskClaim,
  TaskResult,
} from '../plugin/wire.ts'
import { scrub } from '../secret/seal.ts'
import { claimTasks, leaseEnd, roomAfter, type Taker, toTaker } from './claim-tasks.ts'
import { createPresence } from './presence.ts'

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
  /** Takes answers and claims more work, in one transaction; it does not wait for work. */
  exchange(agent: AgentIdentity, request: ResultsRequest, signal?: AbortSignal): Promise<ResultsReply>
  /** Extends leases; a claim that is refused is lost. */
  renew(agent: AgentIdentity, claims: readonly TaskClaim[]): Promise<ClaimStatus[]>
  /** Takes Tasks back. Those that were begun count as lost: their Jobs look before anything is done again. */
  release(agent: AgentIdentity, claims: ReleaseRequest['claims']): Promise<ClaimStatus[]>
}

/** How long a waiting claim sleeps without looking: a notification may have been lost. */
const slowPollMs = 5_000

export function createDispatch(engine: Engine, advancer: Advancer, closing: AbortSignal): Dispatch {
  const presence = createPresence(engine, closing)

  /** What has waited longest is handed out first, and then what these results bring forth. */
  async function take(
    tx: Db,
    agent: AgentIdentity,
    results: readonly TaskResult[],
    taker?: Taker,
  ): Promise<ResultsReply> {
    const [taken, older] = await Promise.all([takeHeld(tx, agent, results), taker ? claimTasks(engine, tx, taker) : []])
    const arrivals = new Map<number, Arrival>()
    for (const answer of results) {
      const task = taken.get(nameOf(answer))
      if (task) arrivals.set(Number(task.job), toArrival(engine, answer, task))
    }
    const fresh = await advancer.deliver(tx, arrivals, taker && roomAfter(taker, older))
    // An answer that stands twice in one message is taken once.
    const once = new Set(taken.keys())
    return { results: toStatuses(results, one => once.delete(nameOf(one))), tasks: [...older, ...fresh].map(reveal) }
  }

  /** Secrets are resolved here alone: into the Task that is handed out. */
  const reveal = (task: ClaimedTask): ClaimedTask => ({ ...task, params: engine.seals.reveal(task.params) })

  /** Whoever asked is gone: nobody has begun these. */
  async function giveBack(agent: AgentIdentity, tasks: readonly ClaimedTask[]): Promise<ClaimedTask[]> {
    if (tasks.length)
      await dispatch.release(
        agent,
        tasks.map(({ taskId, claimToken }) => ({ taskId, claimToken, begun: false })),
      )
    return []
  }

  const dispatch: Dispatch = {
    async claim(agent, request, signal) {
      const taker = toTaker(agent, request)
      presence.seen(agent, request)
      const waited = new AbortController()
      const over = signal ? AbortSignal.any([signal, waited.signal]) : waited.signal
      const timeout = engine.clock.sleep(request.waitMs, over).then(() => waited.abort())
      try {
        for (;;) {
          const heard = engine.notifications.next('task')
          try {
            const tasks = (await claimTasks(engine, engine.db, taker)).map(reveal)
            if (signal?.aborted) return await giveBack(agent, tasks)
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
      return inTransaction(engine.db, undefined, async tx => (await take(tx, agent, results)).results)
    },
    async exchange(agent, { results, claim }, signal) {
      if (claim) presence.seen(agent, claim)
      const taker = claim && toTaker(agent, claim)
      const reply = await inTransaction(engine.db, undefined, tx => take(tx, agent, results, taker))
      return signal?.aborted ? { ...reply, tasks: await giveBack(agent, reply.tasks) } : reply
    },
    async renew(agent, claims) {
      const kept = await executePrepared<{ id: string | number; claim_token: string }>(
        engine.db,
        sql`update contractor.task set lease_until = ${leaseEnd(engine)} where ${held(agent, claims)} returning id, claim_token`,
      )
      const names = new Set(kept.map(row => nameOf({ taskId: Number(row.id), claimToken: row.claim_token })))
      return toStatuses(claims, one => names.has(nameOf(one)))
    },
    async release(agent, claims) {
      return inTransaction(engine.db, undefined, async tx => {
        const idle = claims.filter(one => !one.begun)
        const free = await freeHeld(tx, agent, idle)
        const lost = await takeHeld(
          tx,
          agent,
          claims.filter(one => one.begun),
        )
        await advancer.deliver(
          tx,
          new Map(
            [...lost.values()].map((one): [number, Arrival] => [
              Number(one.job),
              { kind: 'lost', agent: one.agent, task: toAsked(one) },
            ]),
          ),
        )
        if (free.size) await notify(tx, 'task')
        return toStatuses(claims, one => free.has(one.taskId) || lost.has(nameOf(one)))
      })
    },
  }
  return dispatch
}

/**
 * The Tasks among these that are still held with the token that was shown, and that this agent may have. The token is
 * compared as text, since what is shown may be none.
 */
function held(agent: AgentIdentity, claims: readonly TaskClaim[]): SQL {
  const shown = JSON.stringify(claims.map(({ taskId, claimToken }) => ({ id: taskId, token: claimToken })))
  return sql`task.id = any(array(select id from jsonb_to_recordset(${shown}::jsonb) as shown(id bigint)))
    and (task.id, task.claim_token::text) in (
      select id, token from jsonb_to_recordset(${shown}::jsonb) as shown(id bigint, token text))
    and task.module in (select value from jsonb_array_elements_text(${JSON.stringify(agent.modules)}::jsonb) as value)`
}

interface Taken extends Record<string, unknown> {
  id: string | number
  job: string | number
  agent: string
  claim_token: string
  module: string
  function: string
  params: Json
  attempt: number
  since_ms: string
}

/** Removes the Tasks that are held by these claims; by claim, their Jobs. */
async function takeHeld(tx: Db, agent: AgentIdentity, claims: readonly TaskClaim[]): Promise<Map<string, Taken>> {
  if (!claims.length) return new Map()
  const rows = await executePrepared<Taken>(
    tx,
    sql`delete from contractor.task where ${held(agent, claims)} returning id, job, agent, claim_token,
          module, function, params, attempt, (extract(epoch from created_at) * 1000)::bigint::text as since_ms`,
  )
  return new Map(rows.map(row => [nameOf({ taskId: Number(row.id), claimToken: row.claim_token }), row]))
}

/** Makes the Tasks that are held by these claims free for others. */
async function freeHeld(tx: Db, agent: AgentIdentity, claims: readonly TaskClaim[]): Promise<Set<number>> {
  if (!claims.length) return new Set()
  const rows = await executePrepared<{ id: string | number }>(
    tx,
    sql`update contractor.task set claim_token = null, agent = null, lease_until = null
        where ${held(agent, claims)} returning id`,
  )
  return new Set(rows.map(row => Number(row.id)))
}

const nameOf = ({ taskId, claimToken }: TaskClaim) => `${taskId} ${claimToken}`

/**
 * What an agent answers, without secrets in clear: those that its Task's result marks are sealed, and those that it was
 * given are masked wherever it repeats them.
 */
function toArrival(engine: Engine, { result, error }: TaskResult, taken: Taken): Arrival {
  const task = toAsked(taken)
  const given = engine.seals.plainTexts(taken.params)
  if (error) return { kind: 'failed', error: { ...error, message: String(scrub(error.message, given)) }, task }
  const answered = result ?? null
  const schema = engine.plugins.findTask(taken.module, taken.function)?.result
  const seal = (text: string) =>
    holdsSecret(text) ? text : engine.seals.seal(text, `The answer of ${taken.module}.${taken.function}`)
  const sealed = schema ? mapSecretPlaces(schema, answered, seal) : answered
  return { kind: 'result', value: scrub(sealed, given), task }
}

function toAsked({ module, function: name, params, agent, attempt, since_ms }: Taken): AskedTask {
  return { module, function: name, params, agent, attempt, sinceMs: Number(since_ms) }
}

function toStatuses(shown: readonly TaskClaim[], isKept: (claim: TaskClaim) => boolean): ClaimStatus[] {
  return shown.map(claim =>
    isKept(claim)
      ? { taskId: claim.taskId, accepted: true }
      : {
          taskId: claim.taskId,
          accepted: false,
          reason: 'This claim is lost: its lease ran out, or its Job does not want it any more',
        },
  )
}
