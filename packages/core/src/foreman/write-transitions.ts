import { inArray, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { foundation, task } from '../database/schema.ts'
import type { Engine } from '../engine/engine.ts'
import { notify, type Topic } from '../engine/notifications.ts'
import { recordEvents } from '../event/record-events.ts'
import { applyStateChanges } from '../target-state.ts'
import type { Transition } from './advance.ts'

/**
 * Writes many transitions: Jobs, their next Tasks, what they changed in their Foundations, the states of their targets
 * and the events, in a number of statements that does not grow with them.
 */
export async function writeTransitions(engine: Engine, tx: Db, transitions: readonly Transition[]): Promise<void> {
  if (!transitions.length) return
  const changes = transitions.flatMap(one => (one.change ? [one.change] : []))
  if (changes.length) await lockFoundations(tx, transitions)

  const rows = transitions.map(({ job }) => ({ ...job, vm: job.vm, wake_ms: job.wakeAtMs }))
  await tx.execute(sql`
    update contractor.job set
      state = new.state::contractor.job_state,
      outcome = new.outcome::contractor.job_outcome,
      vm = new.vm,
      message = new.message,
      progress = new.progress,
      wake_at = to_timestamp(new.wake_ms / 1000),
      updated_at = ${engine.clock.now()},
      finished_at = case when new.outcome is null then null else ${engine.clock.now()} end
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as new(id bigint, state text, outcome text, vm jsonb, message text, progress real, wake_ms double precision)
    where job.id = new.id`)

  const tasks = transitions.flatMap(one =>
    one.task ? [{ ...one.task, job: one.job.id, createdAt: engine.clock.now() }] : [],
  )
  if (tasks.length) await tx.insert(task).values(tasks)
  for (const { foundation: changed } of transitions) if (changed) await writeFields(engine, tx, changed)
  await applyStateChanges(engine, tx, changes, 'foreman')
  const events = transitions.flatMap(one => one.events)
  await recordEvents(tx, engine.clock, events)

  const topics: Topic[] = []
  if (tasks.length) topics.push('task')
  if (events.length) topics.push('event')
  if (transitions.some(one => one.job.wakeAtMs !== null)) topics.push('job')
  await notify(tx, ...topics)
}

/** Before states change: see findWaits. In one order, so that two writers do not wait for each other. */
async function lockFoundations(tx: Db, transitions: readonly Transition[]): Promise<void> {
  const ids = transitions.flatMap(({ change }) => (change && 'structure' in change ? [change.structure] : []))
  const locators = transitions.flatMap(({ change }) => (change && 'foundation' in change ? [change.foundation] : []))
  await tx.execute(sql`
    select 1 from contractor.foundation
    where locator in (
      select value from jsonb_array_elements_text(${JSON.stringify(locators)}::jsonb) as value
      union select foundation from contractor.structure
        where id in (select value::bigint from jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) as value))
    order by locator for no key update`)
}

/** Only the fields that the script changed, so that what somebody else changed meanwhile stays. */
async function writeFields(
  engine: Engine,
  tx: Db,
  { locator, fields }: NonNullable<Transition['foundation']>,
): Promise<void> {
  const set = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
  const cleared = Object.keys(fields).filter(name => fields[name] === undefined)
  const removed = sql.raw(cleared.map(name => ` - '${name.replaceAll("'", "''")}'`).join(''))
  await tx
    .update(foundation)
    .set({
      fields: sql`(${foundation.fields} || ${JSON.stringify(set)}::jsonb)${removed}`,
      updatedAt: engine.clock.now(),
    })
    .where(inArray(foundation.locator, [locator]))
}
