import { isStorable, type Json } from '@contractor/contract'
import type { TaskClaim } from '@contractor/plugin/wire'
import { type SQL, sql } from 'drizzle-orm'
import { anyText } from '../../database/any-of.ts'
import { momentAfter } from '../../database/clock.ts'
import { type Db, executePrepared } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import type { AgentIdentity } from './agent-identity.ts'
import { leaseEnd } from './claim-tasks.ts'
import { keepRenewals } from './claim-words.ts'

/** A Task that an agent holds, by the claim that it shows. */
export interface HeldTask {
  id: number
  claimToken: string
  job: number
  agent: string
  request: string
  module: string
  function: string
  params: Json
  attempt: number
  /** Milliseconds since the epoch. */
  sinceMs: number
  /** Nobody waits for its answer any more. */
  isRevoked: boolean
}

export const nameOf = ({ taskId, claimToken }: TaskClaim) => `${taskId} ${claimToken}`

/** What no claim can be is refused before it reaches the database, which would refuse all that is shown with it. */
export const isClaim = ({ taskId, claimToken }: TaskClaim): boolean =>
  Number.isSafeInteger(taskId) && taskId > 0 && isStorable(claimToken)

/**
 * The Tasks among these that are still held with the token that was shown, and that this agent may have. The token is
 * compared as text, since what is shown may be none.
 */
function held(agent: AgentIdentity, claims: readonly TaskClaim[]): SQL {
  const shown = JSON.stringify(
    claims.filter(isClaim).map(({ taskId, claimToken }) => ({ id: taskId, token: claimToken })),
  )
  return sql`task.id = any(array(select id from jsonb_to_recordset(${shown}::jsonb) as shown(id bigint)))
    and (task.id, task.claim_token::text) in (
      select id, token from jsonb_to_recordset(${shown}::jsonb) as shown(id bigint, token text))
    and task.module = ${anyText(agent.modules)}`
}

/** The Tasks that are held by these claims, and not answered yet; by claim. Locks nothing. */
export async function findHeld(
  db: Db,
  agent: AgentIdentity,
  claims: readonly TaskClaim[],
): Promise<Map<string, HeldTask>> {
  if (!claims.length) return new Map()
  const rows = await executePrepared<
    Record<'id' | 'job' | 'token' | 'request' | 'module' | 'function' | 'since_ms', string> & {
      agent: string | null
      params: Json
      attempt: number
      revoked: boolean
    }
  >(
    db,
    sql`select id::text, job::text, claim_token::text as token, agent, request, module, function, params, attempt,
          revoked_at is not null as revoked, (extract(epoch from created_at) * 1000)::bigint::text as since_ms
        from contractor.task where ${held(agent, claims)} and not exists (
          select from contractor.claim_word word
          where word.task = task.id and word.claim_token = task.claim_token and word.arrival is not null)`,
  )
  return new Map(
    rows.map(row => [
      nameOf({ taskId: Number(row.id), claimToken: row.token }),
      {
        id: Number(row.id),
        claimToken: row.token,
        job: Number(row.job),
        agent: row.agent ?? 'that had it',
        request: row.request,
        module: row.module,
        function: row.function,
        params: row.params,
        attempt: row.attempt,
        sinceMs: Number(row.since_ms),
        isRevoked: row.revoked,
      },
    ]),
  )
}

/**
 * Extends leases, but for no longer than the Tasks may take; says which claims go on. Of a Task that is not wanted any
 * more, or whose time is over, its agent hears by that, and has a moment to let go of it.
 */
export async function renewHeld(
  engine: Engine,
  tx: Db,
  agent: AgentIdentity,
  claims: readonly TaskClaim[],
): Promise<Set<string>> {
  const rows = await executePrepared<{ id: string; token: string; locked: boolean; over: boolean }>(
    tx,
    sql`with free as (
          select task.id from contractor.task where ${held(agent, claims)} for no key update skip locked
        ), renewed as (
          update contractor.task set lease_until =
            case when revoked_at is null then greatest(lease_until, least(${leaseEnd(engine)}, deadline))
            else least(lease_until, ${momentAfter(engine.clock, letGoMs)}) end
          where id in (select id from free)
        )
        select task.id::text, claim_token::text as token, task.id in (select id from free) as locked,
          revoked_at is not null or coalesce(deadline <= ${engine.clock.now()}, false) as over
        from contractor.task where ${held(agent, claims)}`,
  )
  const kept = rows.filter(row => !row.over)
  const claimOf = (row: { id: string; token: string }) => ({ taskId: Number(row.id), claimToken: row.token })
  await keepRenewals(tx, kept.filter(row => !row.locked).map(claimOf), leaseEnd(engine))
  return new Set(kept.map(row => nameOf(claimOf(row))))
}

/** How long an agent may take to stop a handler whose Task was revoked, in milliseconds: what `abandonMs` is to it, and more. */
const letGoMs = 3_000

/**
 * Makes the Tasks that are held by these claims free for others. Of those that were revoked nobody is to have them any
 * more: they are given up as they are.
 */
export async function freeHeld(
  tx: Db,
  agent: AgentIdentity,
  claims: readonly TaskClaim[],
): Promise<{ idle: Set<string>; revoked: Set<string> }> {
  if (!claims.length) return { idle: new Set(), revoked: new Set() }
  const rows = await executePrepared<{ id: string; token: string; revoked: boolean }>(
    tx,
    sql`with free as (
          select task.id, task.claim_token::text as token, revoked_at is not null as revoked
          from contractor.task where ${held(agent, claims)} for update skip locked
        ), freed as (
          update contractor.task set claim_token = null, agent = null, claim_request = null, lease_until = null
          where id in (select id from free where not revoked)
        )
        select id::text, token, revoked from free`,
  )
  const names = (revoked: boolean) =>
    new Set(
      rows.flatMap(row => (row.revoked === revoked ? [nameOf({ taskId: Number(row.id), claimToken: row.token })] : [])),
    )
  return { idle: names(false), revoked: names(true) }
}

/** Frees what was handed out in answers that an agent never had: nobody has begun it. Says how many Tasks those were. */
export async function freeUnheard(tx: Db, agent: string, requests: readonly string[]): Promise<number> {
  const ids = requests.filter(isStorable)
  if (!ids.length) return 0
  const rows = await executePrepared(
    tx,
    sql`update contractor.task set claim_token = null, agent = null, claim_request = null, lease_until = null
        where id = any(array(
          select id from contractor.task where lease_until is not null and revoked_at is null and agent = ${agent}
            and claim_request = ${anyText(ids)}
            and not exists (select from contractor.claim_word word where word.task = task.id and word.claim_token = task.claim_token)
          for update skip locked))
        returning id`,
  )
  return rows.length
}
