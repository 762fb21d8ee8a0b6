import { sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import type { Arrival } from '../call/call.ts'
import { passTurns } from './take-turns.ts'

/** What arrives at a Job, and whose claim it answers. */
export interface Answer {
  arrival: Arrival
  /** The Task, and the claim that must be the present one; absent for what is no agent's word. */
  task?: {
    id: number
    claimToken: string
    /** It is the silence of its agent: the claim must still be one that nobody renewed. */
    isSilence?: boolean
    /** It was kept before: see claim-words.ts. */
    isKept?: boolean
  }
}

const shownClaims = (answers: Iterable<Answer>) =>
  JSON.stringify(
    [...answers].flatMap(({ task }) =>
      task
        ? [{ id: task.id, token: task.claimToken, silent: task.isSilence ?? false, kept: task.isKept ?? false }]
        : [],
    ),
  )

/**
 * Locks the Tasks that are answered, of Jobs that are locked already. `present`: Jobs whose answer shows the present claim;
 * `held`: those whose Task somebody else has in hand. Of neither, the claim is worth nothing any more.
 */
export async function lockAnswered(
  engine: Engine,
  tx: Db,
  answers: ReadonlyMap<number, Answer>,
  jobs: readonly number[],
): Promise<{ present: Set<number>; held: Set<number> }> {
  const isOwn = new Set(jobs)
  const own = new Map([...answers].filter(([id]) => isOwn.has(id)))
  const present = new Set([...own].flatMap(([id, { task }]) => (task ? [] : [id])))
  if (present.size === own.size) return { present, held: new Set() }
  const shown = sql`jsonb_to_recordset(${shownClaims(own.values())}::jsonb) as shown(id bigint, token text, silent boolean, kept boolean)`
  const rows = await executePrepared<{ job: string; locked: boolean }>(
    tx,
    // The claim and its lease as they are now that the row is locked: they may be others than when the statement began.
    sql`with free as (
          select task.id, task.claim_token, task.lease_until from contractor.task
          where task.id in (select id from ${shown}) for update skip locked
        )
        select task.job::text, free.id is not null as locked from contractor.task left join free on free.id = task.id
        join ${shown} on shown.id = task.id
          and shown.token = (case when free.id is null then task.claim_token else free.claim_token end)::text
        left join contractor.claim_word word on word.task = task.id and word.claim_token::text = shown.token
        where (shown.kept or word.arrival is null)
          and (not shown.silent or greatest(free.lease_until, word.lease_until) < ${engine.clock.now()})`,
  )
  for (const row of rows) if (row.locked) present.add(Number(row.job))
  return { present, held: new Set(rows.flatMap(row => (row.locked ? [] : [Number(row.job)]))) }
}

/** Removes Tasks that are answered, with what was kept of their agents' words. */
export async function deleteAnswered(engine: Engine, tx: Db, answers: readonly Answer[]): Promise<void> {
  const shown = shownClaims(answers)
  if (shown === '[]') return
  const passed = await executePrepared(
    tx,
    sql`with shown as (select id, token from jsonb_to_recordset(${shown}::jsonb) as shown(id bigint, token text)),
          words as (delete from contractor.claim_word where task in (select id from shown)),
          gone as (delete from contractor.task using shown where task.id = shown.id and task.claim_token::text = shown.token
            returning task.limit_key, task.limit_spacing_ms, task.claim_token)
        ${passTurns(engine)}`,
  )
  if (passed.length) await notify(tx, 'job')
}
