import { sql } from 'drizzle-orm'
import { type Database, type Db, executePrepared } from '../database/database.ts'

/**
 * What server processes of one database tell each other, by NOTIFY: that there may be something to do, never what. A
 * lost notification therefore costs time and nothing else. NOTIFY is part of its transaction: nobody hears of what was
 * rolled back.
 */
export type Topic = 'job' | 'task' | 'event' | 'token' | 'inquiry' | 'answer'

export const channel = 'contractor'
const topics: readonly Topic[] = ['job', 'task', 'event', 'token', 'inquiry', 'answer']

export interface Heard {
  /** Resolves at the next notification since this was asked for, or when cancelled. */
  readonly promise: Promise<void>
  cancel(): void
}

export interface Notifications {
  /** Starts listening for the next one. Ask before looking at the database, so that nothing falls in between. */
  next(topic: Topic): Heard
  close(): Promise<void>
}

/** Tells all processes, when the transaction commits. */
export async function notify(tx: Db, ...about: Topic[]): Promise<void> {
  if (about.length) await executePrepared(tx, sql`select pg_notify(${channel}, ${about.join(',')})`)
}

export async function openNotifications(database: Database): Promise<Notifications> {
  const waiting = new Map<Topic, Set<() => void>>(topics.map(topic => [topic, new Set()]))
  const wake = (about: readonly string[]) => {
    for (const topic of topics) {
      if (about.includes(topic)) for (const resolve of [...(waiting.get(topic) ?? [])]) resolve()
    }
  }
  const unlisten = await database.listen(
    channel,
    payload => wake(payload.split(',')),
    () => wake(topics),
  )
  return {
    next(topic) {
      const set = waiting.get(topic) as Set<() => void>
      let resolve = () => {}
      const promise = new Promise<void>(done => {
        resolve = () => {
          set.delete(resolve)
          done()
        }
      })
      set.add(resolve)
      return { promise, cancel: () => resolve() }
    },
    async close() {
      wake(topics)
      await unlisten()
    },
  }
}
