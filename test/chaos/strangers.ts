import { setTimeout as delay } from 'node:timers/promises'
import { createLateness } from './lateness.ts'
import { type Deed, openSession, type Session } from './session.ts'

/** What a stranger had in hand. */
export interface Holding {
  kind: 'session' | 'prepared' | 'lock'
  statement: string
  rows: number
  /** Since when, in milliseconds since the epoch, and for how long. */
  sinceMs: number
  ms: number
  /** Since when a Job whose row it was should have gone on; absent when none should have. */
  lateSinceMs?: number
}

export interface Strangers {
  /** Ends them. Nothing of theirs is open, or prepared, after it. */
  stop(): Promise<void>
}

const strangers = 4
const pauseMs = 300

const isolations = ['read committed', 'repeatable read', 'serializable'] as const
const live = 'outcome is null'
const liveFoundation = `exists (select from contractor.job where job.foundation = locator and ${live})`
const take = (from: string) => (rows: number) => `select * from ${from} order by random() limit ${rows} for update`
const takeJobs = (which: string) => ({ hasJobs: true, statement: take(`contractor.job where ${which}`) })

/** What strangers do before they fall asleep in their transactions. */
const deeds: readonly { hasJobs?: boolean; statement(rows: number): string }[] = [
  { statement: () => 'select pg_current_xact_id()' },
  takeJobs(live),
  // An agent is about to answer.
  takeJobs('exists (select from contractor.task where task.job = job.id and claim_token is not null)'),
  { statement: take(`contractor.foundation where ${liveFoundation}`) },
  { statement: take('contractor.foundation') },
  { statement: take('contractor.task') },
  { statement: take('contractor.site') },
  { statement: take('contractor.event') },
  {
    statement: rows => `update contractor.foundation set updated_at = updated_at where locator in (
      select locator from contractor.foundation where ${liveFoundation} order by random() limit ${rows}) returning 1`,
  },
]
const tableLocks = [
  'lock table contractor.task in share row exclusive mode',
  'lock table contractor.event in access exclusive mode',
] as const

/**
 * Others who work in the same database, and forget their transactions for one to twenty seconds, in every isolation level;
 * every third they prepare. One of them locks whole tables, now and then and shortly: nobody goes on meanwhile.
 */
export function startStrangers(url: string, had: (holding: Holding) => void): Strangers {
  const stopping = new AbortController()
  const { signal } = stopping
  const lateness = createLateness(url)

  const sleepIn = async (session: Session) => {
    const { hasJobs, statement } = pick(deeds)
    let lateSinceMs: number | undefined
    const deed: Deed = {
      isolation: pick(isolations),
      statement: statement(1 + below(3)),
      waitMs: 2_000,
      began(rows, over) {
        if (!hasJobs) return
        void lateness.since(rows, over).then(ms => {
          lateSinceMs = ms
        })
      },
    }
    const isPrepared = below(3) === 0
    const held = await session[isPrepared ? 'holdPrepared' : 'hold'](deed, 1_000 + below(19_000), signal)
    const kind = isPrepared ? 'prepared' : 'session'
    had({ kind, statement: deed.statement, ...held, ...(lateSinceMs !== undefined && { lateSinceMs }) })
  }
  const lockTable = async (session: Session) => {
    await delay(3_000 + below(4_000), undefined, { signal })
    const statement = pick(tableLocks)
    // Whoever comes after it waits behind it, also while it has nothing yet.
    const deed: Deed = { isolation: 'read committed', statement, waitMs: 500 }
    const held = await session.hold(deed, 1_000 + below(2_000), signal)
    had({ kind: 'lock', statement, ...held })
  }

  const spend = async (name: string, act: (session: Session) => Promise<void>) => {
    const session = openSession(url, name)
    await session.forget()
    while (!signal.aborted) {
      // The database is away, or another had what it wanted.
      await act(session).catch(() => delay(pauseMs))
    }
    await session.end()
  }
  const lives = [
    ...Array.from({ length: strangers }, (_, at) => spend(`stranger-${at}`, sleepIn)),
    spend('locker', lockTable),
  ]
  return {
    async stop() {
      stopping.abort()
      await Promise.all(lives)
      await lateness.end()
    },
  }
}

const below = (limit: number) => Math.floor(Math.random() * limit)
const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T
