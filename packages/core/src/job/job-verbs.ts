import { type State, withPendingState } from '@contractor/tscript'
import { eq } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { job, task } from '../database/job-schema.ts'
import type { Engine } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import type { EventType } from '../event/event.ts'
import { recordEvents } from '../event/record-events.ts'
import { call as callSchema, findCalled, receive } from '../foreman/call.ts'
import { beginAgain, resumeUndoing, skipFirst } from '../foreman/undo.ts'
import { ContractorError } from '../plugin/error.ts'
import { asJson, type Json, json } from '../plugin/json.ts'
import { undoableSteps } from './step.ts'
import { type JobRow, jobTarget, lockTarget, type Target } from './target.ts'
import { wakeNeighbours } from './wake-neighbours.ts'

/**
 * What an operator may do with a Job, and in which states: data, from which the refusals are derived too.
 */
export type Verb = 'pause' | 'resume' | 'reset' | 'rollback' | 'undo' | 'skip' | 'cancel'

interface VerbContext {
  engine: Engine
  tx: Db
  row: JobRow
  target: Target
  /** Whether a Task of it is out. */
  hasTask: boolean
}

interface VerbRule {
  from: readonly JobRow['state'][]
  event: EventType
  past: string
  /** Why it cannot be, though the state is right. */
  refuses?(context: VerbContext): string | undefined
  /** What changes in the row. */
  apply(context: VerbContext): RowChange | Promise<RowChange>
}

type RowChange = Partial<typeof job.$inferInsert>

const notUndoing = ({ row }: VerbContext) => (row.undoing === null ? undefined : 'it is being undone')

export const verbs: Readonly<Record<Verb, VerbRule>> = {
  pause: {
    from: ['queued'],
    event: 'job.paused',
    past: 'paused',
    apply: () => ({ state: 'paused', wakeAt: null, message: 'Paused by an operator' }),
  },
  resume: {
    from: ['paused'],
    event: 'job.resumed',
    past: 'resumed',
    apply: ({ engine, row, target }) => ({
      state: 'queued',
      message: '',
      ...(row.undoing === null
        ? { vm: resumed(engine, row, target) }
        : { undoing: resumeUndoing(engine, row.undoing, target.foundation.type) }),
    }),
  },
  /** Tries the failed step again: a call that failed is made anew; one that an agent is still at goes on. */
  reset: {
    from: ['error'],
    event: 'job.reset',
    past: 'reset',
    apply: ({ row, hasTask }) => {
      const change: RowChange = { state: 'queued', message: '' }
      if (hasTask) return change
      return row.undoing === null
        ? { ...change, vm: callAnew(row.vm) }
        : { ...change, undoing: beginAgain(row.undoing) }
    },
  },
  /** The function's own undo of the call that failed, then on. */
  rollback: {
    from: ['error'],
    event: 'job.rolled-back',
    past: 'rolled back',
    refuses: context => notUndoing(context) ?? (rolledBack(context) ? undefined : 'what failed has no rollback'),
    apply: context => ({ state: 'queued', message: '', vm: rolledBack(context) ?? null }),
  },
  /** Undoes all that can be undone, the last call first. */
  undo: {
    from: ['paused', 'error', 'aborted'],
    event: 'job.undoing',
    past: 'undone',
    refuses: context => notUndoing(context) ?? (context.hasTask ? 'an agent is still at a Task of it' : undefined),
    apply: async ({ tx, row }) => ({
      state: 'queued',
      message: '',
      undoing: { left: await undoableSteps(tx, row.id) },
    }),
  },
  /** Leaves the call whose undoing failed as it is, and goes on with the one before. */
  skip: {
    from: ['error', 'paused'],
    event: 'job.skipped',
    past: 'skipped',
    refuses: ({ row }) => (row.undoing === null ? 'it is not being undone' : undefined),
    apply: ({ row }) => ({ state: 'queued', message: '', undoing: skipFirst(row.undoing) }),
  },
  cancel: {
    from: ['waiting', 'queued', 'paused', 'error', 'aborted'],
    event: 'job.cancelled',
    past: 'cancelled',
    apply: ({ row }) => ({
      state: 'done',
      outcome: 'cancelled',
      vm: null,
      undoing: null,
      wakeAt: null,
      message: row.message && `Cancelled at: ${row.message}`,
    }),
  },
}

export async function applyVerb(engine: Engine, tx: Db, id: number, verb: Verb, by: string): Promise<JobRow> {
  const rule = verbs[verb]
  // Tasks before Jobs, in the order in which answers take them, so that the two do not wait for each other.
  if (verb === 'cancel') await tx.delete(task).where(eq(task.job, id))
  const [row] = await tx.select().from(job).where(eq(job.id, id)).for('update')
  if (!row) throw new ContractorError('NOT_FOUND', `Job ${id} does not exist`, { kind: 'Job', id })
  const refuse = (why: string) =>
    new ContractorError('WRONG_STATE', `Job ${id} cannot be ${rule.past}: ${why}`, {
      kind: 'Job',
      id,
      state: row.state,
    })
  if (!rule.from.includes(row.state)) {
    throw refuse(`it is ${row.state}, and only a Job that is ${rule.from.join(' or ')} can`)
  }
  const ref = jobTarget(row)
  const target = await lockTarget(tx, ref)
  const [out] = await tx.select({ id: task.id }).from(task).where(eq(task.job, id))
  const context: VerbContext = { engine, tx, row, target: target as Target, hasTask: out !== undefined }
  const refusal = rule.refuses?.(context)
  if (refusal !== undefined) throw refuse(refusal)
  const left = verb === 'cancel' ? leftBehind(row) : {}
  const now = engine.clock.now()
  const [changed] = await tx
    .update(job)
    .set({
      wakeAt: now,
      ...(await rule.apply(context)),
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
      data: { action: row.action, from: row.state, ...left },
    },
  ])
  if (verb === 'cancel') await wakeNeighbours(engine, tx, [ref])
  await notify(tx, 'job', 'event')
  return changed as JobRow
}

/** What a cancelled Job leaves as it is: where its script was, and what it was at. */
function leftBehind(row: JobRow): Record<string, Json> {
  if (row.vm === null) return {}
  const { pending, stop } = row.vm
  return {
    leftAt: row.message,
    ...(pending && { call: `${pending.module}.${pending.function}` }),
    ...(stop && 'line' in stop && { line: stop.line }),
  }
}

/** The script's state with the failed call on its way back; undefined where its function knows none. */
function rolledBack({ engine, row: { vm }, target }: VerbContext): State | undefined {
  if (!vm?.pending || vm.pending.state === null) return undefined
  const definition = findCalled(engine.plugins, vm.pending, target.foundation.type)?.definition
  const rollback = definition?.rollback
  if (!rollback) return undefined
  const current = callSchema.parse(vm.pending.state)
  const state = json.parse(definition.state.parse(rollback(definition.state.parse(current.state))))
  return withPendingState(vm, asJson({ id: current.id, state, ask: 'request', failures: 0 }))
}

/** A function that asked for the pause hears that it is over; a pause of the script's or an operator's just ends. */
function resumed(engine: Engine, { vm }: JobRow, target: Target): State | null {
  if (vm?.stop?.kind !== 'paused' || !vm.pending || vm.pending.state === null) return vm
  const called = findCalled(engine.plugins, vm.pending, target.foundation.type)
  if (!called) return vm
  const received = receive(called, vm.pending, callSchema.parse(vm.pending.state), { kind: 'resumed' }, 0)
  return withPendingState(vm, asJson(received.call))
}

function callAnew(vm: State | null): State | null {
  return vm?.pending ? withPendingState(vm, null) : vm
}
