import { and, asc, eq, max, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { event } from '../database/job-schema.ts'
import { settledUpTo } from '../database/settled.ts'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { ContractorError, parseInput } from '../plugin/error.ts'
import type { Event, EventType } from './event.ts'

const cursorPattern = /^(\d{1,19})-(\d{1,15})$/

export const eventQuery = z.strictObject({
  after: z.string().regex(cursorPattern, 'is no cursor of an event').optional(),
  job: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})

export interface WatchOptions {
  /** Where to begin; after the newest event unless said. */
  after?: string | undefined
  job?: number | undefined
  signal?: AbortSignal | undefined
}

export interface Events {
  /** What happened, oldest first, after a cursor. */
  list(query?: z.input<typeof eventQuery>, options?: CallOptions): Promise<Event[]>
  /** The newest event's cursor: where a watcher of what comes next begins. */
  cursor(): Promise<string>
  /** What happens, as it happens, until the signal aborts. */
  watch(options?: WatchOptions): AsyncGenerator<Event>
}

export function createEvents(engine: Engine): Events {
  const list: Events['list'] = async (query = {}, options = {}) => {
    const { after, job, limit } = parseInput(eventQuery, query, 'The query for events')
    const conditions: (SQL | undefined)[] = [
      sql`${event.txid} < ${settledUpTo}`,
      after === undefined ? undefined : afterCursor(after),
      job === undefined ? undefined : eq(event.job, job),
    ]
    const rows = await (options.tx ?? engine.db)
      .select()
      .from(event)
      .where(and(...conditions))
      .orderBy(asc(event.txid), asc(event.id))
      .limit(limit)
    return rows.map(toEvent)
  }

  const cursor = async () => {
    const [last] = await engine.db
      .select({
        txid: sql<string>`coalesce(${max(event.txid)}, '0')::text`,
        id: sql<string>`coalesce(max(${event.id}), 0)::text`,
      })
      .from(event)
      .where(sql`${event.txid} < ${settledUpTo}`)
    return `${last?.txid ?? 0}-${last?.id ?? 0}`
  }

  return {
    list,
    cursor,
    async *watch({ after, job, signal } = {}) {
      let position = after ?? (await cursor())
      while (!signal?.aborted) {
        const heard = engine.notifications.next('event')
        const stop = () => heard.cancel()
        signal?.addEventListener('abort', stop, { once: true })
        try {
          const found = await list({ after: position, job, limit: 500 })
          if (!found.length) {
            await waitFor(engine, heard.promise, signal)
            continue
          }
          for (const one of found) {
            position = one.cursor
            yield one
          }
        } finally {
          heard.cancel()
          signal?.removeEventListener('abort', stop)
        }
      }
    },
  }
}

/** How long a watcher waits before it looks without having heard anything, in milliseconds. */
const slowPollMs = 5_000

async function waitFor(engine: Engine, heard: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const done = new AbortController()
  const stop = signal ? AbortSignal.any([signal, done.signal]) : done.signal
  await Promise.race([heard, engine.clock.sleep(slowPollMs, stop)])
  done.abort()
}

function afterCursor(cursor: string): SQL {
  const [, txid, id] = cursorPattern.exec(cursor) ?? []
  if (txid === undefined || id === undefined) {
    throw new ContractorError('VALIDATION_FAILED', `'${cursor}' is no cursor of an event`, {
      issues: [{ path: 'after', message: 'is no cursor' }],
    })
  }
  return sql`(${event.txid}, ${event.id}) > (${txid}::xid8, ${id}::bigint)`
}

function toEvent(row: typeof event.$inferSelect): Event {
  return {
    cursor: `${row.txid}-${row.id}`,
    at: row.at.toISOString(),
    type: row.type as EventType,
    by: row.by,
    job: row.job,
    foundation: row.foundation,
    structure: row.structure,
    dependency: row.dependency,
    data: row.data,
  }
}
