import { ContractorError, type Event, pageRequest, parseInput } from '@contractor/contract'
import { and, asc, eq, gt, isNotNull, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { event } from '../database/job-schema.ts'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { closed, surface } from '../engine/surface.ts'
import { createEventFeed, newestPlace } from './event-feed.ts'
import { placeIn, toEvent } from './event-row.ts'
import { placeEvents } from './place-events.ts'

/** The place and the id of an event; of earlier versions, a transaction's id and the event's. A place alone will do. */
const cursorPattern = /^(\d{1,19})(?:-(\d{1,15}))?$/

export const eventQuery = pageRequest.extend({
  after: z.string().regex(cursorPattern, 'is no cursor of an event').optional(),
  job: z.number().int().positive().optional(),
})

export interface WatchOptions {
  /** Where to begin; after the newest event unless said. */
  after?: string | undefined
  job?: number | undefined
  signal?: AbortSignal | undefined
  /** Asked when there was nothing new for a while: whether nothing can come any more. */
  isOver?: (() => Promise<boolean>) | undefined
}

export interface Events {
  /**
   * What happened, oldest first, after a cursor. With `tx`, as that transaction sees it: of what has just been committed,
   * some may come with the next call only.
   */
  list(query?: z.input<typeof eventQuery>, options?: CallOptions): Promise<Event[]>
  /** The newest event's cursor: where a watcher of what comes next begins. */
  cursor(): Promise<string>
  /** What happens, as it happens, until the signal aborts; throws CLOSED when the engine is closed. */
  watch(options?: WatchOptions): AsyncGenerator<Event>
}

export function createEvents(engine: Engine): Events {
  const feed = createEventFeed(engine)

  const list: Events['list'] = async (query = {}, options = {}) => {
    const { after, job, limit } = parseInput(eventQuery, query, 'The query for events')
    if (!options.tx) await placeEvents(engine)
    const db = options.tx ?? engine.db
    const conditions: (SQL | undefined)[] = [
      gt(event.place, after === undefined ? 0 : await placeOf(db, after)),
      job === undefined ? undefined : eq(event.job, job),
    ]
    const rows = await db
      .select()
      .from(event)
      .where(and(isNotNull(event.place), ...conditions))
      .orderBy(asc(event.place))
      .limit(limit)
    return rows.map(toEvent)
  }

  const newest = async () => {
    await placeEvents(engine)
    return newestPlace(engine)
  }
  const cursor = async () => `${await newest()}-0`

  return surface(engine, {
    list,
    cursor,
    async *watch({ after, job, signal = new AbortController().signal, isOver } = {}) {
      const follower = feed.follow(job)
      try {
        let place = after === undefined ? await newest() : await placeOf(engine.db, after)
        let isLast = false
        let isWoken = false
        while (!signal.aborted) {
          if (engine.closing.aborted) throw closed()
          const since = follower.since()
          const kept = isLast ? undefined : follower.after(place)
          const found = kept ?? (await list({ after: String(place), job, limit: pageSize }))
          for (const one of found) {
            if (signal.aborted) return
            place = placeIn(one.cursor)
            yield one
          }
          if (found.length === pageSize) continue
          // Everything up to where the kept ones begin has been read now.
          if (!kept && since !== Number.POSITIVE_INFINITY) place = Math.max(place, since)
          if (found.length) continue
          if (isLast) return
          // What came between the reading and the question is read once more. Who is woken by what comes need not ask.
          isLast = !isWoken && ((await isOver?.()) ?? false)
          if (!isLast) isWoken = await follower.next(signal)
        }
      } finally {
        follower.close()
      }
    },
  })
}

const pageSize = 500

/** The place that a cursor stands for; throws VALIDATION_FAILED for what is none. */
async function placeOf(db: Db, cursor: string): Promise<number> {
  const [, place, id] = cursorPattern.exec(cursor) ?? []
  if (place === undefined || !Number.isSafeInteger(Number(place))) {
    throw new ContractorError('VALIDATION_FAILED', `'${cursor}' is no cursor of an event`, {
      issues: [{ path: 'after', message: 'is no cursor' }],
    })
  }
  if (id === undefined || id === '0') return Number(place)
  const [row] = await db
    .select({ place: event.place })
    .from(event)
    .where(eq(event.id, Number(id)))
  return row?.place ?? Number(place)
}
