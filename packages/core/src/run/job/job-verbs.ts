import { asJson, ContractorError, type EventType, type Json, json } from '@contractor/contract'
import { type State, withPendingState } from '@contractor/tscript'
import { eq, sql } from 'drizzle-orm'
import type { Db } from '../../database/database.ts'
import { job } from '../../database/job-schema.ts'
import { takingLock } from '../../database/lock-order.ts'
import type { Call } from '../../database/stored-call.ts'
import type { Engine } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import { recordEvents } from '../../event/record-events.ts'
import { type JobRow, jobTarget, readTarget, type Target } from '../../graph/target.ts'
import { wakeNeighbours } from '../../graph/wake-neighbours.ts'
import { callOf, findCalled, isAwaited, receive } from '../call/call.ts'
import { beginAgain, beginUndoing, hasUndoFailed, resumeUndoing } from '../foreman/undo.ts'
import type { Undoable } from '../history/step.ts'
import { recordSteps, skipStep, undoableSteps } from '../history/step.ts'
import { dropOut, findOut } from '../task/find-out.ts'
import { fateOf, type OutTask } from '../task/out-task.ts'

/**
 * What an operator may do with a Job, and in which states: data, from which the refusals are derived too.
 */
export type Verb = 'pause' | 'resume' | 'reset' | 'rollback' | 'undo' | 'skip' | 'cancel'

interface VerbContext {
  engine: Engine
  tx: Db
  row: JobRow
  target: Target
  /** Milliseconds since the epoch. */
  nowMs: number
  /** The Task of it that is out. */
  out: OutTask | undefined
  /** Of one that is being undone: the step that is undone now, unless it is the call that was under way. */
  latest: Undoable | undefined
  /** What the operator says with a resume. */
  answer: string | undefined
}

interface VerbRule {
  from: readonly JobRow['state'][]
  event: EventType
  past: string
  /**
   * What becomes of the Task that is out, and of an answer that waits. Where the call goes on, both are the call's still.
   * Where another call takes its place, a Task that nobody has begun is withdrawn, one that an agent has is revoked (see
   * out-task.ts), and its answer only goes into the history.
   */
  task:
    | 'goes on'
    | 'goes on unless the call has failed'
    | 'is let go'
    | 'refused while an agent has it'
    | 'is taken away'
  /** Why it cannot be, though the state is right. */
  refuses?(context: VerbContext): string | undefined
  /** What changes in the row. */
  apply(context: VerbContext): RowChange | Promise<RowChange>
}

type RowChange = Partial<typeof job.$inferInsert>

const notUndoing = ({ row }: VerbContext) => (row.undoing === null ? undefined : 'it is being undone')
const onwards: RowChange = { state: 'queued', message: '', reason: null }

export const verbs: Readonly<Record<Verb, VerbRule>> = {
  pause: {
    from: ['queued'],
    event: 'job.paused',
    past: 'paused',
    task: 'goes on',
    apply: () => ({
      state: 'paused',
      wakeAt: null,
      message: 'Paused by an operator',
      reason: 'Paused by an operator',
    }),
  },
  resume: {
    from: ['paused'],
    event: 'job.resumed',
    past: 'resumed',
    task: 'goes on',
    apply: context => ({ ...onwards, ...resumed(context) }),
  },
  /** Tries the failed step again: a call that failed is made anew; one that did not fail goes on where it is. */
  reset: {
    from: ['error'],
    event: 'job.reset',
    past: 'reset',
    task: 'goes on unless the call has failed',
    apply: async context => {
      const { engine, row, target, latest } = context
      // One that could not even be started begins again where it was.
      if (row.undoing === null && row.vm === null) return { ...onwards, state: 'waiting' }
      if (row.undoing === null) {
        if (!hasFailed(row.vm)) return onwards
        await keepForUndo(context)
        return { ...onwards, vm: callAnew(row.vm) }
      }
      const again = hasUndoFailed(engine, row.undoing, latest, target.foundation.type)
      return { ...onwards, ...(again && { undoing: beginAgain(row.undoing) }) }
    },
  },
  /** The function's own undo of the call that failed; the Job stops there when that is done. */
  rollback: {
    from: ['error'],
    event: 'job.rolled-back',
    past: 'rolled back',
    task: 'is let go',
    refuses: context =>
      notUndoing(context) ??
      (isTakenBack(context) ? 'what failed was taken back already' : undefined) ??
      (rolledBack(context) ? undefined : 'what failed has no rollback'),
    apply: context => ({ ...onwards, vm: rolledBack(context) ?? null }),
  },
  /** Undoes all that can be undone, the last call first. */
  undo: {
    from: ['paused', 'error', 'aborted'],
    event: 'job.undoing',
    past: 'undone',
    task: 'refused while an agent has it',
    refuses: context =>
      notUndoing(context) ?? (context.out?.isClaimed ? 'an agent is still at a Task of it' : undefined),
    apply: ({ engine, row, target }) => ({
      ...onwards,
      undoing: beginUndoing(engine, row.vm, target.foundation.type),
    }),
  },
  /** Leaves the call whose undoing failed as it is, and goes on with the one before. */
  skip: {
    from: ['error', 'paused'],
    event: 'job.skipped',
    past: 'skipped',
    task: 'is let go',
    refuses: ({ row }) => (row.undoing === null ? 'it is not being undone' : undefined),
    apply: async ({ engine, tx, row, latest }) => {
      if (!row.undoing?.first && latest?.step !== undefined) await skipStep(engine, tx, latest.step)
      return { ...onwards, undoing: {} }
    },
  },
  cancel: {
    from: ['waiting', 'queued', 'paused', 'error', 'aborted'],
    event: 'job.cancelled',
    past: 'cancelled',
    task: 'is taken away',
    apply: ({ row }) => ({
      state: 'done',
      outcome: 'cancelled',
      vm: null,
      vmBytes: 0,
      undoing: null,
      wakeAt: null,
      reason: null,
      message: row.message && `Cancelled at: ${row.message}`,
    }),
  },
}

export interface VerbOptions {
  /** Who does it. */
  by: string
  /** What the operator says with a resume. */
  answer?: string | undefined
}

/** Locks the Job before anything of it, as everybody does (see database.ts). */
export async function applyVerb(
  engine: Engine,
  tx: Db,
  id: number,
  verb: Verb,
  { by, answer }: VerbOptions,
): Promise<JobRow> {
  const rule = verbs[verb]
  const nowMs = sql<string>`(extract(epoch from ${engine.clock.now()}) * 1000)::bigint::text`
  takingLock(tx, 'job')
  const [found] = await tx.select({ row: job, nowMs }).from(job).where(eq(job.id, id)).for('update')
  const row = found?.row
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
  const target = (await readTarget(tx, ref)) as Target
  const out = await findOut(tx, id)
  const context = await contextOf(engine, tx, { row, target, out, answer, nowMs: Number(found?.nowMs) })
  const refusal = rule.refuses?.(context)
  if (refusal !== undefined) throw refuse(refusal)
  const left = verb === 'cancel' ? leftBehind(row) : {}
  const now = engine.clock.now()
  const change = await rule.apply(context)
  const [changed] = await tx
    .update(job)
    .set({
      wakeAt: now,
      ...change,
      version: sql`${job.version} + 1`,
      updatedAt: now,
      ...(verb === 'cancel' && { finishedAt: now }),
    })
    .where(eq(job.id, id))
    .returning()
  if (out) await dropOut(engine, tx, [{ id: out.id, fate: fateAfter(changed as JobRow, out) }])
  await recordEvents(engine, tx, [
    {
      type: rule.event,
      by,
      job: id,
      foundation: row.foundation,
      structure: row.structure,
      dependency: row.dependency,
      data: { action: row.action, from: row.state, ...left, ...(answer !== undefined && { answer }) },
    },
  ])
  if (verb === 'cancel') await wakeNeighbours(engine, tx, [ref])
  await notify(tx, 'job')
  return changed as JobRow
}

function fateAfter({ outcome, vm, undoing }: JobRow, out: OutTask) {
  if (outcome !== null) return 'taken'
  const call: Call | undefined = undoing ? undoing.current : callOf(vm)
  return fateOf(out, isAwaited(call, out.request))
}

/** What a cancelled Job leaves as it is: where its script was, and what it was at. */
function leftBehind(row: JobRow): Record<string, Json> {
  if (row.vm === null) return {}
  const { pending, stop } = row.vm
  return {
    leftAt: row.message,
    ...(row.reason !== null && { reason: row.reason }),
    ...(pending && { call: `${pending.module}.${pending.function}` }),
    ...(stop && 'line' in stop && { line: stop.line }),
  }
}

/** The script's state with the failed call on its way back; undefined where its function knows none. */
function rolledBack({ engine, row: { vm, reason, message }, target }: VerbContext): State | undefined {
  const current = callOf(vm)
  if (!vm?.pending || !current) return undefined
  const definition = findCalled(engine.plugins, vm.pending, target.foundation.type)?.definition
  const rollback = definition?.rollback
  if (!rollback) return undefined
  const state = json.parse(definition.state.parse(rollback(definition.state.parse(current.state))))
  const { id, asked, takesBack = reason ?? message } = current
  return withPendingState(vm, asJson({ id, asked, state, ask: 'request', failures: 0, takesBack }))
}

function isTakenBack({ engine, row: { vm }, target }: VerbContext): boolean {
  const current = callOf(vm)
  if (!vm?.pending || current?.takesBack === undefined) return false
  const definition = findCalled(engine.plugins, vm.pending, target.foundation.type)?.definition
  const kind = definition?.outcome(definition.state.parse(current.state)).kind
  return kind === 'done' || kind === 'undone'
}

/** A function that asked for the pause hears that it is over; a pause of the script's or an operator's just ends. */
function resumed({ engine, row, target, latest, nowMs, answer }: VerbContext): RowChange {
  const { vm, undoing } = row
  const { type } = target.foundation
  const arrival = { kind: 'resumed' as const, ...(answer !== undefined && { answer }) }
  if (undoing !== null) return { undoing: resumeUndoing(engine, undoing, latest, type, nowMs, arrival) }
  const current = callOf(vm)
  const called = vm?.pending ? findCalled(engine.plugins, vm.pending, type) : undefined
  if (vm?.stop?.kind !== 'paused' || !vm.pending || !current || !called) return {}
  return { vm: withPendingState(vm, asJson(receive(called, vm.pending, current, arrival, nowMs).call)) }
}

/**
 * Whether the call itself has failed, and not only the Job: an alert stops the Job, and its call may have been answered
 * since.
 */
function hasFailed(vm: State | null): boolean {
  const current = callOf(vm)
  return vm?.stop?.kind === 'error' || current?.failed !== undefined
}

/** What a failed attempt may have left is its own call's: when the Job is undone, that is taken back as well. */
async function keepForUndo(context: VerbContext): Promise<void> {
  const { engine, tx, row, target, nowMs } = context
  const { pending } = row.vm ?? {}
  const current = callOf(row.vm)
  if (!pending || !current || current.asked === 0 || isTakenBack(context)) return
  if (!findCalled(engine.plugins, pending, target.foundation.type)?.definition.rollback) return
  const { module, function: name } = pending
  const step = { job: row.id, module, function: name, end: 'failed' as const, call: current }
  await recordSteps(tx, [{ ...step, startedMs: nowMs, endedMs: nowMs }])
}

function callAnew(vm: State | null): State | null {
  return vm?.pending ? withPendingState(vm, null) : vm
}

async function contextOf(
  engine: Engine,
  tx: Db,
  given: Omit<VerbContext, 'engine' | 'tx' | 'latest'>,
): Promise<VerbContext> {
  const { row } = given
  const [latest] = row.undoing && !row.undoing.first ? await undoableSteps(tx, [row.id], 1) : []
  return { engine, tx, ...given, latest }
}

/** What an operator may do with a Job as it is, by the table that would refuse the rest; locks nothing. */
export async function allowedVerbs(engine: Engine, tx: Db, row: JobRow, target: Target): Promise<Verb[]> {
  const context = await contextOf(engine, tx, { row, target, out: undefined, answer: undefined, nowMs: 0 })
  return (Object.keys(verbs) as Verb[]).filter(
    verb => verbs[verb].from.includes(row.state) && verbs[verb].refuses?.(context) === undefined,
  )
}
