import { type State, withPendingState } from '@contractor/tscript'
import { eq } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { job, task } from '../database/schema.ts'
import type { Engine } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import type { EventType } from '../event/event.ts'
import { recordEvents } from '../event/record-events.ts'
import { call as callSchema, findCalled, receive } from '../foreman/call.ts'
import { ContractorError } from '../plugin/error.ts'
import type { Json } from '../plugin/json.ts'
import { type JobRow, jobTarget, lockTarget, type Target } from './target.ts'
import { wakeNeighbours } from './wake-neighbours.ts'

/**
 * What an operator may do with a Job, and in which states: data, from which the refusals are derived too.
 */
export type Verb = 'pause' | 'resume' | 'reset' | 'cancel'

interface VerbRule {
  from: readonly JobRow['state'][]
  event: EventType
  /** What changes in the row. */
  apply(engine: Engine, row: JobRow, target: Target, hasTask: boolean): Partial<typeof job.$inferInsert>
}

export const verbs: Readonly<Record<Verb, VerbRule>> = {
  pause: {
    from: ['queued'],
    event: 'job.paused',
    apply: () => ({ state: 'paused', wakeAt: null, message: 'Paused by an operator' }),
  },
  resume: {
    from: ['paused'],
    event: 'job.resumed',
    apply: (engine, row, target) => ({ state: 'queued', message: '', vm: resumed(engine, row, target) as Json }),
  },
  /** Tries the failed step again: a call that failed is made anew; one that an agent is still at goes on. */
  reset: {
    from: ['error'],
    event: 'job.reset',
    apply: (_engine, row, _target, hasTask) => ({
      state: 'queued',
      message: '',
      vm: hasTask ? row.vm : callAnew(row.vm),
    }),
  },
  cancel: {
    from: ['waiting', 'queued', 'paused', 'error', 'aborted'],
    event: 'job.cancelled',
    apply: () => ({ state: 'done', outcome: 'cancelled', vm: null, wakeAt: null }),
  },
}

export async function applyVerb(engine: Engine, tx: Db, id: number, verb: Verb, by: string): Promise<JobRow> {
  const rule = verbs[verb]
  // Tasks before Jobs, in the order in which answers take them, so that the two do not wait for each other.
  if (verb === 'cancel') await tx.delete(task).where(eq(task.job, id))
  const [row] = await tx.select().from(job).where(eq(job.id, id)).for('update')
  if (!row) throw new ContractorError('NOT_FOUND', `Job ${id} does not exist`, { kind: 'Job', id })
  if (!rule.from.includes(row.state)) {
    throw new ContractorError(
      'WRONG_STATE',
      `Job ${id} cannot be ${past[verb]}: it is ${row.state}, and only a Job that is ${either(rule.from)} can`,
      {
        kind: 'Job',
        id,
        state: row.state,
      },
    )
  }
  const ref = jobTarget(row)
  const target = await lockTarget(tx, ref)
  const [out] = await tx.select({ id: task.id }).from(task).where(eq(task.job, id))
  const now = engine.clock.now()
  const [changed] = await tx
    .update(job)
    .set({
      wakeAt: now,
      ...rule.apply(engine, row, target as Target, out !== undefined),
      updatedAt: now,
      ...(verb === 'cancel' && { finishedAt: now }),
    })
    .where(eq(job.id, id))
    .returning()
  await recordEvents(tx, engine.clock, [
    {
      type: rule.event,
      by,
      job: id,
      foundation: row.foundation,
      structure: row.structure,
      dependency: row.dependency,
      data: { action: row.action, from: row.state },
    },
  ])
  if (verb === 'cancel') await wakeNeighbours(engine, tx, [ref])
  await notify(tx, 'job', 'event')
  return changed as JobRow
}

const past: Record<Verb, string> = { pause: 'paused', resume: 'resumed', reset: 'reset', cancel: 'cancelled' }

const either = (states: readonly string[]) => states.join(' or ')

/** A function that asked for the pause hears that it is over; a pause of the script's or an operator's just ends. */
function resumed(engine: Engine, row: JobRow, target: Target): unknown {
  const vm = row.vm as unknown as State
  if (vm.stop?.kind !== 'paused' || !vm.pending || vm.pending.state === null) return vm
  const called = findCalled(engine.plugins, vm.pending, target.foundation.type)
  if (!called) return vm
  const received = receive(called, vm.pending, callSchema.parse(vm.pending.state), { kind: 'resumed' }, 0)
  return withPendingState(vm, received.call as never)
}

function callAnew(vm: Json | null): Json | null {
  const state = vm as unknown as State | null
  return state?.pending ? (withPendingState(state, null) as unknown as Json) : vm
}
