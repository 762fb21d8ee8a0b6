import { setTimeout as delay } from 'node:timers/promises'
import { type Deed, openSession, type Session } from './session.ts'

/** What a stranger had in hand. */
export interface Holding {
  kind: 'session' | 'prepared' | 'lock'
  statement: string
  rows: number
  /** Since when, in milliseconds since the epoch, and for how long. */
  sinceMs: number
  ms: number
  /** The rows are those of live Jobs, or of their Foundations. */
  isOfLiveJobs: boolean
}

export interface Strangers {
  /** Ends them. Nothing of theirs is open, or prepared, after it. */
  stop(): Promise<void>
}

const strangers = 4
const pauseMs = 300

const isolations = ['read committed', 'repeatable read', 'serializable'] as const
const liveFoundation = 'exists (select from contractor.job where job.foundation = locator and outcome is null)'
const take = (from: string) => (rows: number) => `select 1 from ${from} order by random() limit ${rows} for update`

/** What strangers do before they fall asleep in their transactions. */
const deeds: readonly { isOfLiveJobs?: boolean; statement(rows: number): string }[] = [
  { statement: () => 'select pg_current_xact_id()' },
  { isOfLiveJobs: true, statement: take('contractor.job where outcome is null') },
  { isOfLiveJobs: true, statement: take(`contractor.foundation where ${liveFoundation}`) },
  { statement: take('contractor.foundation') },
  { statement: take('contractor.task') },
  { statement: take('contractor.site') },
  { statement: take('contractor.event') },
  {
    isOfLiveJobs: true,
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

  const sleepIn = async (session: Session) => {
    const { isOfLiveJobs = false, statement } = pick(deeds)
    const deed: Deed = { isolation: pick(isolations), statement: statement(1 + below(3)), waitMs: 2_000 }
    const isPrepared = below(3) === 0
    const held = await session[isPrepared ? 'holdPrepared' : 'hold'](deed, 1_000 + below(19_000), signal)
    had({ kind: isPrepared ? 'prepared' : 'session', statement: deed.statement, ...held, isOfLiveJobs })
  }
  const lockTable = async (session: Session) => {
    await delay(3_000 + below(4_000), undefined, { signal })
    const statement = pick(tableLocks)
    // Whoever comes after it waits behind it, also while it has nothing yet.
    const deed: Deed = { isolation: 'read committed', statement, waitMs: 500 }
    const held = await session.hold(deed, 1_000 + below(2_000), signal)
    had({ kind: 'lock', statement, ...held, isOfLiveJobs: false })
  }

  const live = async (name: string, act: (session: Session) => Promise<void>) => {
    const session = openSession(url, name)
    await session.forget()
    while (!signal.aborted) {
      // The database is away, or another had what it wanted.
      await act(session).catch(() => delay(pauseMs))
    }
    await session.end()
  }
  const lives = [
    ...Array.from({ length: strangers }, (_, at) => live(`stranger-${at}`, sleepIn)),
    live('locker', lockTable),
  ]
  return {
    async stop() {
      stopping.abort()
      await Promise.all(lives)
    },
  }
}

const below = (limit: number) => Math.floor(Math.random() * limit)
const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T
