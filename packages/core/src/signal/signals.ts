import { timingSafeEqual } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { z } from 'zod'
import { job } from '../database/job-schema.ts'
import { type CallOptions, type Engine, transaction } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { surface } from '../engine/surface.ts'
import type { EventType } from '../event/event.ts'
import { recordEvents } from '../event/record-events.ts'
import type { JobRow } from '../job/target.ts'
import { ContractorError, parseInput } from '../plugin/error.ts'

export const signalText = z.string().trim().min(1, 'a text is needed').max(1000, 'must be 1,000 characters at the most')

/**
 * What a machine that is being built may say of itself. Its Job's cookie is all that it has to show; that of an earlier
 * Job is refused, so a machine that still runs what was there before changes nothing.
 */
export interface Signals {
  /** It is done. Kept until the script waits for it, if that comes later. */
  complete(jobId: number, cookie: string, options?: CallOptions): Promise<void>
  /** A line for the operator. */
  message(jobId: number, cookie: string, text: string, options?: CallOptions): Promise<void>
  /** Something is wrong: a Job that runs, or is paused, stops in error. */
  alert(jobId: number, cookie: string, text: string, options?: CallOptions): Promise<void>
}

export function createSignals(engine: Engine): Signals {
  const signal = (
    jobId: number,
    cookie: string,
    options: CallOptions,
    type: EventType | ((row: JobRow) => EventType),
    change: (row: JobRow) => Partial<typeof job.$inferInsert>,
    data: Record<string, string> = {},
  ) =>
    transaction(engine, options, async tx => {
      const [row] = await tx.select().from(job).where(eq(job.id, jobId)).for('update')
      if (!row || !isSame(row.cookie, cookie)) {
        throw new ContractorError(
          'FORBIDDEN',
          `This is not the cookie of Job ${jobId}: it may be that of an earlier Job`,
          {
            needs: 'the cookie of the Job',
          },
        )
      }
      if (row.outcome !== null) {
        throw new ContractorError('WRONG_STATE', `Job ${jobId} is over`, { kind: 'Job', id: jobId, state: row.state })
      }
      await tx
        .update(job)
        .set({ ...change(row), updatedAt: engine.clock.now() })
        .where(eq(job.id, jobId))
      const { foundation, structure, dependency } = row
      await recordEvents(tx, engine.clock, [
        {
          type: typeof type === 'string' ? type : type(row),
          by: 'machine',
          job: jobId,
          foundation,
          structure,
          dependency,
          data,
        },
      ])
      await notify(tx, 'job', 'event')
    })

  return surface(engine, {
    complete: (jobId, cookie, options = {}) =>
      signal(
        jobId,
        cookie,
        options,
        'job.signalled',
        () => ({ signalledAt: engine.clock.now(), wakeAt: engine.clock.now() }) as never,
      ),
    async message(jobId, cookie, text, options = {}) {
      const message = parseInput(signalText, text, 'The message')
      await signal(jobId, cookie, options, 'job.message', () => ({ message }), { message })
    },
    async alert(jobId, cookie, text, options = {}) {
      const message = parseInput(signalText, text, 'The alert')
      // A Job that has not begun, or stands still already, is not stopped by it: that would be told of something else.
      const stops = (row: JobRow) => row.state === 'queued' || row.state === 'paused'
      await signal(
        jobId,
        cookie,
        options,
        row => (stops(row) ? 'job.error' : 'job.message'),
        row => (stops(row) ? { message, reason: message, state: 'error' as const, wakeAt: null } : { message }),
        { message },
      )
    },
  })
}

function isSame(kept: string, shown: string): boolean {
  const [a, b] = [Buffer.from(kept), Buffer.from(shown)]
  return a.length === b.length && timingSafeEqual(a, b)
}
