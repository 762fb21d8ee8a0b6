import { timingSafeEqual } from 'node:crypto'
import { ContractorError, type EventType, parseInput } from '@contractor/contract'
import { eq, sql } from 'drizzle-orm'
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core'
import { z } from 'zod'
import { job } from '../../database/job-schema.ts'
import { takingLock } from '../../database/lock-order.ts'
import { type CallOptions, type Engine, transaction } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import { surface } from '../../engine/surface.ts'
import { recordEvents } from '../../event/record-events.ts'
import type { JobRow } from '../../graph/target.ts'
import { type CompletionReport, mostReports, placeReport } from './place-report.ts'

/** As high as the number of a wait goes: a script that waits as often waits in a loop, with texts or bare reports. */
const highestWait = 10_000

export const waitNumber = z.number().int().min(1).max(highestWait)

const completionReport = z.object({ wait: waitNumber.optional(), text: z.string().optional() })

export const signalText = z.string().trim().min(1, 'a text is needed').max(1000, 'must be 1,000 characters at the most')

export interface CompleteOptions extends CallOptions, CompletionReport {}

/**
 * What a machine that is being built may say of itself. Its Job's cookie is all that it has to show; that of an earlier
 * Job is refused, so a machine that still runs what was there before changes nothing. A machine whose answer was lost says
 * the same again: that is answered alike, and changes nothing.
 */
export interface Signals {
  /**
   * It is done, as far as one wait of the script goes: `wait` is its number, from 1, as `_structure_job_wait` has it, and
   * `text` is what it says instead, once for each wait. Kept until the script waits for it, if that comes later.
   */
  complete(jobId: number, cookie: string, options?: CompleteOptions): Promise<void>
  /** A line for the operator. */
  message(jobId: number, cookie: string, text: string, options?: CallOptions): Promise<void>
  /** Something is wrong: a Job that runs, or is paused, stops in error. */
  alert(jobId: number, cookie: string, text: string, options?: CallOptions): Promise<void>
}

/** What a signal does to its Job; nothing when it was heard already. */
interface Heard {
  type: EventType
  change: PgUpdateSetSource<typeof job>
  data?: Record<string, string>
}

export function createSignals(engine: Engine): Signals {
  const signal = (jobId: number, cookie: string, options: CallOptions, hear: (row: JobRow) => Heard | undefined) =>
    transaction(engine, options, async tx => {
      takingLock(tx, 'job')
      const [row] = await tx.select().from(job).where(eq(job.id, jobId)).for('update')
      if (!row || !isSame(row.cookie, cookie)) {
        const message = `This is not the cookie of Job ${jobId}: it may be that of an earlier Job`
        throw new ContractorError('FORBIDDEN', message, { needs: 'the cookie of the Job' })
      }
      const heard = hear(row)
      if (!heard) return
      if (row.outcome !== null) {
        throw new ContractorError('WRONG_STATE', `Job ${jobId} is over`, { kind: 'Job', id: jobId, state: row.state })
      }
      await tx
        .update(job)
        .set({ ...heard.change, version: sql`${job.version} + 1`, updatedAt: engine.clock.now() })
        .where(eq(job.id, jobId))
      const { foundation, structure, dependency } = row
      const about = { by: 'machine', job: jobId, foundation, structure, dependency }
      await recordEvents(engine, tx, [{ type: heard.type, ...about, data: heard.data ?? {} }])
      await notify(tx, 'job')
    })

  return surface(engine, {
    complete: async (jobId, cookie, { wait, text, ...options } = {}) => {
      const report = parseInput(completionReport, { wait, text }, 'The report')
      await signal(jobId, cookie, options, row => {
        const placed = placeReport(row, report)
        if (!placed) return undefined
        if (Object.keys(row.signals).length >= mostReports) throw tooManyReports(jobId)
        const now = engine.clock.now()
        const isNext = placed.wait === row.waitsAnswered + 1
        const signals = { ...row.signals, [placed.key]: placed.wait }
        return { type: 'job.signalled', change: { signals, ...(isNext && { signalledAt: now, wakeAt: now }) } }
      })
    },
    async message(jobId, cookie, text, options = {}) {
      const message = parseInput(signalText, text, 'The message')
      await signal(jobId, cookie, options, row =>
        row.outcome === null && row.message === message
          ? undefined
          : { type: 'job.message', change: { message }, data: { message } },
      )
    },
    async alert(jobId, cookie, text, options = {}) {
      const message = parseInput(signalText, text, 'The alert')
      await signal(jobId, cookie, options, row => {
        if (row.outcome === null && row.state === 'error' && row.message === message) return undefined
        // A Job that has not begun, or stands still already, is not stopped by it: that would be told of something else.
        const stops = row.state === 'queued' || row.state === 'paused'
        return {
          type: stops ? 'job.error' : 'job.message',
          change: stops ? { message, reason: message, state: 'error', wakeAt: null } : { message },
          data: { message },
        }
      })
    },
  })
}

const tooManyReports = (jobId: number) =>
  new ContractorError('LIMIT_REACHED', `Job ${jobId} has heard ${mostReports} reports, and no more are kept`, {
    ...{ kind: 'report', limit: mostReports },
  })

function isSame(kept: string, shown: string): boolean {
  const [a, b] = [Buffer.from(kept), Buffer.from(shown)]
  return a.length === b.length && timingSafeEqual(a, b)
}
