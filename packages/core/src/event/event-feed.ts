import type { Event } from '@contractor/contract'
import { asc, gt, sql } from 'drizzle-orm'
import { event } from '../database/job-schema.ts'
import type { Engine } from '../engine/engine.ts'
import { placeIn, toEvent } from './event-row.ts'
import { placeEvents } from './place-events.ts'

/**
 * The newest events, read once for all watchers of this process: a message costs the database the same for one watcher and
 * for a thousand. It reads while somebody watches. Who is behind what is kept here catches up by reading for itself.
 */
export interface EventFeed {
  /** Watches from here on, of one Job or of all, until closed. */
  follow(job: number | undefined): Follower
}

export interface Follower {
  /** What came after this place, oldest first; undefined when not all of that is kept here. */
  after(place: number): readonly Event[] | undefined
  /** From which place on everything is kept here. */
  since(): number
  /** Resolves with true when there is something new for it, and at the latest after a while: what is over it has to find out itself. */
  next(signal: AbortSignal): Promise<boolean>
  close(): void
}

/** How many events are kept for watchers that lag behind. */
const mostKept = 5_000
/** How long the reader sleeps without looking, in milliseconds: a notification may have been lost. */
const slowPollMs = 5_000
const errorPauseMs = 1_000

interface Waiter {
  job: number | undefined
  wake(): void
}

export function createEventFeed(engine: Engine): EventFeed {
  const followers = new Set<Waiter>()
  let kept: Event[] = []
  /** Everything after this place is in `kept`. */
  let since = Number.POSITIVE_INFINITY
  let reader: AbortController | undefined

  const read = async (): Promise<void> => {
    await placeEvents(engine)
    for (;;) {
      const last = kept.at(-1)
      const from = last ? placeIn(last.cursor) : since
      const rows = await engine.db
        .select()
        .from(event)
        .where(gt(event.place, from))
        .orderBy(asc(event.place))
        .limit(1000)
        .prepare('read_events')
        .execute()
      const fresh = rows.map(toEvent)
      kept.push(...fresh)
      if (kept.length > mostKept) {
        const gone = kept.slice(0, kept.length - mostKept)
        since = placeIn(gone.at(-1)?.cursor ?? String(since))
        kept = kept.slice(-mostKept)
      }
      const jobs = new Set(fresh.map(one => one.job))
      for (const one of [...followers]) if (fresh.length && (one.job === undefined || jobs.has(one.job))) one.wake()
      if (rows.length < 1000) return
    }
  }

  const loop = async (stop: AbortSignal) => {
    while (!stop.aborted) {
      // Asked for before reading, so that what comes while reading is heard.
      const heard = engine.notifications.next('event')
      let pauseMs = slowPollMs
      try {
        if (since === Number.POSITIVE_INFINITY) {
          since = await newestPlace(engine)
          // What came before, each reads for itself.
          for (const one of [...followers]) one.wake()
        }
        await read()
      } catch (error) {
        pauseMs = errorPauseMs
        engine.log('warn', 'Events could not be read; it is tried again', {
          error: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
        })
      }
      const awake = new AbortController()
      await Promise.race([heard.promise, engine.clock.sleep(pauseMs, AbortSignal.any([stop, awake.signal]))])
      awake.abort()
      heard.cancel()
    }
  }

  /** The last one to go ends the reader; the next one begins anew, where the events are then. */
  const leave = (own: Waiter) => {
    followers.delete(own)
    if (followers.size) return
    reader?.abort()
    reader = undefined
    kept = []
    since = Number.POSITIVE_INFINITY
  }

  return {
    follow(job) {
      let isFresh = false
      let resolve = () => {}
      const own: Waiter = {
        job,
        wake() {
          isFresh = true
          resolve()
        },
      }
      followers.add(own)
      if (!reader) {
        reader = new AbortController()
        void loop(AbortSignal.any([reader.signal, engine.closing]))
      }
      return {
        after(place) {
          if (place < since) return undefined
          // The places are in order: a watcher that keeps up has few before it.
          let at = kept.length
          while (at > 0 && placeIn((kept[at - 1] as Event).cursor) > place) at--
          const news = kept.slice(at)
          return job === undefined ? news : news.filter(one => one.job === job)
        },
        since: () => since,
        async next(signal) {
          if (isFresh || signal.aborted) {
            const wasFresh = isFresh
            isFresh = false
            return wasFresh
          }
          const waited = new AbortController()
          const over = AbortSignal.any([signal, engine.closing, waited.signal])
          await Promise.race([
            new Promise<void>(done => {
              resolve = done
            }),
            engine.clock.sleep(slowPollMs, over),
          ])
          waited.abort()
          const isWoken = isFresh
          isFresh = false
          return isWoken
        },
        close: () => leave(own),
      }
    },
  }
}

/** 0 when there is none. */
export async function newestPlace(engine: Engine): Promise<number> {
  const [last] = await engine.db
    .select({ place: sql<string>`coalesce(max(${event.place}), 0)::text` })
    .from(event)
    .where(sql`${event.place} is not null`)
  return Number(last?.place ?? 0)
}
