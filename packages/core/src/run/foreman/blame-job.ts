import { asJson, cutText, mendJson, mendText } from '@contractor/contract'
import { withPendingState } from '@contractor/tscript'
import { sql } from 'drizzle-orm'
import { anyNumber } from '../../database/any-of.ts'
import { momentAfter } from '../../database/clock.ts'
import { type Db, executePrepared, inShortTransaction, isLockTimeout } from '../../database/database.ts'
import { toDatabaseError } from '../../database/database-error.ts'
import type { Engine } from '../../engine/engine.ts'
import { callOf } from '../call/call.ts'
import { type Answer, deleteAnswered, lockAnswered } from '../task/answered-tasks.ts'
import { advance } from './advance.ts'
import type { ProgramCache } from './program-cache.ts'
import { stopped, type Transition, toStep } from './transition.ts'
import { jobsById, loadWork, lockJobs, type Work } from './work.ts'
import { writeTransitions } from './write-transitions.ts'

/**
 * Stops a Job in error whose transition cannot be written, with the reason. First with what arrived, so that
 * an answer that was taken is not lost; where just that cannot be kept, as it was before, and the history says what came.
 * False where somebody else has the Job in hand.
 */
export async function blameJob(
  engine: Engine,
  programs: ProgramCache,
  id: number,
  answer: Answer | undefined,
  error: unknown,
): Promise<boolean> {
  const shown = toDatabaseError(error, 'The database')
  const reason = mendText(cutText(shown instanceof Error ? shown.message : String(shown), 2000))
  engine.log('error', 'A Job could not go on as it should have', { job: id, reason })
  for (const stop of [stopDelivered, stopBefore]) {
    try {
      return await inShortTransaction(engine.database, async tx => {
        const { locked } = await lockJobs(tx, jobsById([id]))
        if (!locked.length) return false
        if (answer && (await lockAnswered(engine, tx, new Map([[id, answer]]), [id])).held.size) return false
        const [work] = await loadWork(engine, tx, programs, [id])
        if (!work || work.job.outcome !== null) return true
        const own = answer?.task && work.out?.id === answer.task.id ? { ...work, out: undefined } : work
        if (answer) await deleteAnswered(engine, tx, [answer])
        await writeTransitions(engine, tx, [stop(engine, own, answer, reason)])
        return true
      })
    } catch (failure) {
      if (isLockTimeout(failure)) return false
      if (stop === stopBefore) throw failure
    }
  }
  return false
}

/**
 * Where its script was, with what arrived: going on from there is to try the same again. Not where the script would have
 * come to, since what it changed on the way would be lost.
 */
function stopDelivered(engine: Engine, work: Work, answer: Answer | undefined, reason: string): Transition {
  if (work.job.vm === null) return stopped(work, null, 'error', reason)
  const { job, steps = [] } = advance(engine, { ...work, job: { ...work.job, state: 'paused' } }, answer?.arrival)
  const halted = stopped(work, job.vm, 'error', reason)
  return { ...halted, job: { ...halted.job, ...(job.undoing !== undefined && { undoing: job.undoing }) }, steps }
}

/** Where it was, with the failed call marked: trying again is to ask again. */
function stopBefore(_: Engine, work: Work, answer: Answer | undefined, reason: string): Transition {
  const { vm } = work.job
  const current = callOf(vm)
  const { awaits: _awaits, ...answered } = current ?? { awaits: undefined }
  const failed = vm && current && answer ? withPendingState(vm, asJson({ ...answered, failed: reason })) : vm
  const halted = stopped(work, failed ?? null, 'error', reason)
  const { arrival } = answer ?? {}
  if (!arrival?.task) return halted
  const { module, function: name, params, agent, attempt, sinceMs } = arrival.task
  const request = mendJson(params)
  const step = toStep(work, {
    module,
    function: name,
    end: 'failed',
    request,
    reply: reason,
    agent,
    attempt,
    startedMs: sinceMs,
  })
  return { ...halted, steps: [step] }
}

/** When Jobs are looked at again that are held up by somebody else, in milliseconds. */
const postponeMs = 1_000

/** Their rows are ours, or were a moment ago. */
export async function postponeJobs(engine: Engine, tx: Db, ids: readonly number[]): Promise<void> {
  if (!ids.length) return
  await executePrepared(
    tx,
    sql`update contractor.job set wake_at = ${momentAfter(engine.clock, postponeMs)}
        where id = any(array(
          select id from contractor.job where wake_at <= ${engine.clock.now()}
            and id = ${anyNumber(ids)}
          for update skip locked))`,
  )
}
