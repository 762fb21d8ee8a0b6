import type { ClaimedTask } from '@contractor/plugin/wire'
import { sql } from 'drizzle-orm'
import { type Db, executePrepared, together } from '../../database/database.ts'
import { inParts } from '../../database/parts.ts'
import type { Engine } from '../../engine/engine.ts'
import { notify, type Topic } from '../../engine/notifications.ts'
import { recordEvents } from '../../event/record-events.ts'
import { applyStateChanges } from '../../graph/target-state.ts'
import { wakeNeighbours } from '../../graph/wake-neighbours.ts'
import { markUndone, recordSteps } from '../history/step.ts'
import { addTasks } from '../task/add-tasks.ts'
import type { Claimer } from '../task/claim-tasks.ts'
import { dropOut } from '../task/find-out.ts'
import { moveAddresses, writeEffects } from './effects.ts'
import type { Transition } from './transition.ts'

/**
 * Writes many transitions: Jobs, their next Tasks, what they changed in their Foundations, the states of their targets
 * and the events, in a number of statements that grows with their bytes alone. Gives the Tasks that the claimer has now.
 */
export async function writeTransitions(
  engine: Engine,
  tx: Db,
  transitions: readonly Transition[],
  claimer?: Claimer,
): Promise<ClaimedTask[]> {
  if (!transitions.length) return []
  await dropOut(
    engine,
    tx,
    transitions.flatMap(one => one.out ?? []),
  )
  const tasks = transitions.flatMap(one => (one.task ? [{ ...one.task, job: one.job.id }] : []))
  const events = transitions.flatMap(one => one.events)
  const steps = transitions.flatMap(one => one.steps ?? [])
  const undone = transitions.flatMap(one => one.undone ?? [])
  const topics: Topic[] = []
  if (transitions.some(one => one.job.wakeAtMs !== null || one.task?.limit)) topics.push('job')
  // Sent together: none waits for the answer to the one before, and they are carried out in this order.
  const [handed] = await together([
    addTasks(engine, tx, tasks, claimer),
    writeJobs(engine, tx, transitions),
    recordEvents(engine, tx, events),
    recordSteps(tx, steps),
    markUndone(engine, tx, undone),
    notify(tx, ...topics),
  ])
  if (tasks.length > handed.length) await notify(tx, 'task')
  const effects = transitions.flatMap(one => one.effects ?? [])
  await writeEffects(engine, tx, effects)
  const changes = transitions.flatMap(one => one.changes)
  await applyStateChanges(engine, tx, changes, 'foreman')
  await moveAddresses(engine, tx, effects)
  // Whoever waits for the end of a Job: changed states have said so already.
  const over = transitions.flatMap(one => (one.over && !one.changes.length ? [one.over] : []))
  await wakeNeighbours(engine, tx, over)
  return handed
}

async function writeJobs(engine: Engine, tx: Db, transitions: readonly Transition[]): Promise<void> {
  const rows = transitions.map(one => one.job)
  for (const part of inParts(rows)) {
    await executePrepared(
      tx,
      sql`update contractor.job set
          state = new.state::contractor.job_state,
          outcome = new.outcome::contractor.job_outcome,
          vm = new.vm,
          vm_bytes = coalesce(pg_column_size(new.vm), 0),
          message = new.message,
          reason = new.reason,
          progress = new.progress,
          wake_at = to_timestamp(new."wakeAtMs" / 1000),
          undoing = case when new.undoing is null and new.outcome is null then job.undoing else nullif(new.undoing, 'null') end,
          signalled_at = case when new.heard is null then job.signalled_at
            when exists (select from jsonb_each(job.signals) where value = to_jsonb(job.waits_answered + new.heard + 1))
              then ${engine.clock.now()} end,
          waits_answered = job.waits_answered + coalesce(new.heard, 0),
          version = job.version + 1,
          updated_at = ${engine.clock.now()},
          finished_at = case when new.outcome is null then null else ${engine.clock.now()} end
        from jsonb_to_recordset(${part}::jsonb)
          as new(id bigint, state text, outcome text, vm jsonb, message text, reason text, progress real,
            "wakeAtMs" double precision, heard integer, undoing jsonb)
        where job.id = new.id`,
    )
  }
}
