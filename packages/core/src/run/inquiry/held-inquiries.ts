import { holdsSecret, type Json, mapSecretPlaces, mendJson, mendText } from '@contractor/contract'
import type { ClaimedTask, TaskClaim, TaskResult } from '@contractor/plugin/wire'
import { sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import { scrub } from '../../engine/seal.ts'
import type { AgentIdentity } from '../task/agent-identity.ts'
import { allowedSites, type Claimer, capacityOf, hasCapacity, leaseEnd } from '../task/claim-tasks.ts'
import { isClaim, nameOf } from '../task/held-tasks.ts'

/** Inquiries for an agent, in what capacity Tasks of Jobs have left. */
export async function claimInquiries(engine: Engine, db: Db, claimer: Claimer): Promise<ClaimedTask[]> {
  if (!hasCapacity(claimer)) return []
  const rows = await executePrepared<{
    id: string
    token: string
    module: string
    function: string
    params: Json
    attempt: number
    timeout_ms: number
  }>(
    db,
    sql`with recursive ${allowedSites(claimer)}, picked as (
          select taken.id from ${capacityOf(claimer)} cross join lateral (
            select id from contractor.inquiry
            where answer is null and claim_token is null and module = capacity.module
              and site in (select name from allowed) and expires_at > ${engine.clock.now()}
            order by id limit capacity.slots for update skip locked) as taken)
        update contractor.inquiry set claim_token = gen_random_uuid(), agent = ${claimer.name}, lease_until = ${leaseEnd(engine)}
        where id in (select id from picked)
        returning id::text, claim_token::text as token, module, function, params, attempt, timeout_ms`,
  )
  return rows.map(row => ({
    taskId: Number(row.id),
    claimToken: row.token,
    callId: `inquiry-${row.id}`,
    module: row.module,
    function: row.function,
    params: row.params,
    attempt: row.attempt,
    timeoutMs: row.timeout_ms,
    leaseMs: engine.leaseMs,
  }))
}

/** What no claim can be is left out, which the database would refuse with all that is shown beside it. */
const shown = (claims: readonly TaskClaim[]) =>
  sql`jsonb_to_recordset(${JSON.stringify(claims.filter(isClaim).map(({ taskId: id, claimToken: token }) => ({ id, token })))}::jsonb) as shown(id bigint, token text)`

/** Takes answers of inquiries; says which were taken. */
export async function answerInquiries(
  engine: Engine,
  db: Db,
  agent: AgentIdentity,
  results: readonly TaskResult[],
): Promise<Set<string>> {
  if (!results.length) return new Set()
  const held = await executePrepared<{ id: string; token: string; module: string; function: string; params: Json }>(
    db,
    sql`select inquiry.id::text, token, module, function, params from contractor.inquiry join ${shown(results)}
          on shown.id = inquiry.id and shown.token = inquiry.claim_token::text where answer is null`,
  )
  const taken = new Set<string>()
  for (const { id, token, module, function: name, params } of held.filter(row => agent.modules.includes(row.module))) {
    const claim = { taskId: Number(id), claimToken: token }
    const answer = results.find(one => nameOf(one) === nameOf(claim))
    if (!answer) continue
    const secrets = engine.seals.plainTexts(params)
    const schema = engine.plugins.findTask(module, name)?.result
    const seal = (text: string) =>
      holdsSecret(text) ? text : engine.seals.seal(text, `The answer of ${module}.${name}`)
    const mended = mendJson(answer.result ?? null)
    const kept = answer.error
      ? {
          error: { message: mendText(String(scrub(answer.error.message, secrets))), retryable: answer.error.retryable },
        }
      : { result: scrub(schema ? mapSecretPlaces(schema, mended, seal) : mended, secrets) }
    const rows = await executePrepared(
      db,
      sql`update contractor.inquiry set answer = ${JSON.stringify(kept)}::jsonb, lease_until = null
          where id = ${claim.taskId} and claim_token::text = ${token} returning 1`,
    )
    if (rows.length) taken.add(nameOf(claim))
  }
  return taken
}

/** Extends the leases of inquiries, or frees those that are given back; says which. */
export async function holdInquiries(
  engine: Engine,
  db: Db,
  claims: readonly TaskClaim[],
  isKept: boolean,
): Promise<Set<string>> {
  if (!claims.length) return new Set()
  const rows = await executePrepared<{ id: string; token: string }>(
    db,
    sql`update contractor.inquiry set lease_until = case when ${isKept}::boolean then ${leaseEnd(engine)} end,
          claim_token = case when ${isKept}::boolean then claim_token end
        from ${shown(claims)} where shown.id = inquiry.id and shown.token = inquiry.claim_token::text and answer is null
        returning inquiry.id::text, shown.token`,
  )
  return new Set(rows.map(row => nameOf({ taskId: Number(row.id), claimToken: row.token })))
}
