import { type SQL, sql } from 'drizzle-orm'
import { momentAfter } from '../../database/clock.ts'
import { type Db, executePrepared } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'

/**
 * Turns: of Tasks that share a limit, as many may be in agents' hands as it allows, and a pause lies between one and the
 * next. A Task with a limit is laid out without a turn, and no agent can have it before it has got one. Turns are given by
 * the Foreman, who hears by `limit_word` that there may be some to give: when a Task comes, and when one is gone.
 *
 * To count Tasks while agents claim would not do: two that claim at once see neither what the other one takes. So one
 * process at a time gives turns of a key, under a lock of the transaction, and counts in a statement that begins with it.
 */

/** Tells that Tasks with these keys have come. */
export async function askForTurns(engine: Engine, tx: Db, keys: readonly string[]): Promise<void> {
  if (!keys.length) return
  await executePrepared(
    tx,
    sql`insert into contractor.limit_word (key, look_at)
        select distinct key, ${engine.clock.now()}
        from jsonb_array_elements_text(${JSON.stringify(keys)}::jsonb) as key`,
  )
}

/**
 * The end of a statement: tells that the Tasks of its table `gone(limit_key, limit_spacing_ms, claim_token)` are out no
 * more. Of one that nobody has begun there is no pause.
 */
export const passTurns = (engine: Engine): SQL =>
  sql`insert into contractor.limit_word (key, look_at)
      select limit_key, ${engine.clock.now()}
          + case when claim_token is null then 0 else limit_spacing_ms end * interval '1 millisecond' from gone
      where limit_key is not null returning 1`

/** Gives turns of limits that are to be looked at; says how many words of these it heard, and how many turns it gave. */
export async function giveTurns(engine: Engine, tx: Db, limit: number): Promise<{ heard: number; given: number }> {
  const now = engine.clock.now()
  const keys = await executePrepared<{ key: string }>(
    tx,
    sql`with due as (
          select key, min(look_at) as look_at from contractor.limit_word
          where look_at <= ${now} group by key order by min(look_at) limit ${limit}::int)
        select key from due where pg_try_advisory_xact_lock(hashtextextended(key, ${turnLock}))`,
  )
  if (!keys.length) return { heard: 0, given: 0 }
  const locked = JSON.stringify(keys.map(one => one.key))
  const [told] = await executePrepared<{ heard: number; given: number }>(
    tx,
    sql`with locked as (select value as key from jsonb_array_elements_text(${locked}::jsonb)),
          words as (delete from contractor.limit_word where id = any(array(
              select word.id from contractor.limit_word word join locked using (key)
              where word.look_at <= ${now} for update skip locked))
            returning 1),
          free as (select key from locked where not exists (
            select from contractor.limit_word word where word.key = locked.key and word.look_at > ${now})),
          next as (
            select free.key, task.id from free
            cross join lateral (
              select count(*) as out from contractor.task where limit_key = free.key and has_turn) as taken
            cross join lateral (
              select ordered.id, ordered.limit_at_once, row_number() over (order by ordered.id) as place
              from contractor.task ordered where ordered.limit_key = free.key and not ordered.has_turn
              order by ordered.id limit ${mostTurns}::int) as task
            where taken.out + task.place <= task.limit_at_once),
          -- Whoever holds one of them holds up no other: it is looked at again.
          picked as (select id from contractor.task where id in (select id from next) for update skip locked),
          missed as (insert into contractor.limit_word (key, look_at)
            select distinct key, ${momentAfter(engine.clock, restMs)} from next where id not in (select id from picked)),
          given as (update contractor.task set has_turn = true where id = any(array(select id from picked)) returning 1)
        select (select count(*) from words)::int as heard, (select count(*) from given)::int as given`,
  )
  return told ?? { heard: 0, given: 0 }
}

/** Sets these locks of keys apart from others. */
const turnLock = 72_634
/** How long one rests that somebody else has in hand, in milliseconds. */
const restMs = 200
/** Of one key, at once: as many as a limit may allow. */
const mostTurns = 1000
