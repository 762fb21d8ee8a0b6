import { type SQL, sql } from 'drizzle-orm'
import { type Db, executePrepared, inTransaction } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import { expireLeases } from '../task/expire-leases.ts'
import type { Advancer } from './advance-jobs.ts'
import { forgetOld } from './forget-old.ts'

/**
 * The loop that keeps Jobs going. It takes what is due, in batches, each in one transaction; when nothing is, it sleeps
 * until the next moment that the database knows of, or until it hears that there is something. Any number of processes
 * may run it: locked rows are left to whoever has them.
 */
export interface Foreman {
  /** Does all that is due now; says how many Jobs it advanced. */
  runDue(): Promise<number>
  /** Deletes what is older than the retention; says how many rows went. */
  forget(): Promise<number>
  start(): void
  /** Finishes the transaction under way, then stops. */
  stop(): Promise<void>
}

/** Jobs in one transaction. */
const batchSize = 200
/** How long to leave to another process what it has in hand. */
const takenPauseMs = 50
/** How long to sleep without looking, though nothing was heard: a notification may have been lost. */
const slowPollMs = 10_000
const errorPauseMs = 1_000
/** How often what is old is looked for. */
const forgetEveryMs = 3_600_000

export function createForeman(engine: Engine, advancer: Advancer): Foreman {
  const stopping = new AbortController()
  let running: Promise<unknown> | undefined

  const runBatches = async () => {
    let total = 0
    for (;;) {
      const { jobMs, leaseMs } = await nextDue(engine)
      const inHand = (run: (tx: Db) => Promise<number>) => inTransaction(engine.db, undefined, run)
      const expired = leaseMs < 0 ? await inHand(tx => expireLeases(engine, tx, advancer, batchSize)) : 0
      const advanced = jobMs <= 0 ? await inHand(tx => advancer.due(tx, batchSize)) : 0
      total += expired + advanced
      if (expired + advanced > 0 && !stopping.signal.aborted) continue
      // What is due and was not to be had is in another process's hands.
      const nextMs = Math.min(jobMs, leaseMs)
      return { total, pauseMs: nextMs <= 0 ? takenPauseMs : Math.ceil(nextMs) }
    }
  }

  const loop = async () => {
    while (!stopping.signal.aborted) {
      // Asked for before looking, so that what comes while looking is heard.
      const heard = engine.notifications.next('job')
      const awake = new AbortController()
      let pauseMs: number
      try {
        // A lease that is given out meanwhile ends after leaseMs at the earliest.
        pauseMs = Math.min((await runBatches()).pauseMs, slowPollMs, engine.leaseMs)
      } catch (error) {
        engine.log('error', 'The Foreman could not reach its database; it tries again', {
          error: error instanceof Error ? error.message : String(error),
        })
        pauseMs = errorPauseMs
      }
      const signal = AbortSignal.any([stopping.signal, awake.signal])
      await Promise.race([heard.promise, engine.clock.sleep(pauseMs, signal)])
      awake.abort()
      heard.cancel()
    }
  }

  const forget = async () => {
    let total = 0
    for (;;) {
      const gone = await inTransaction(engine.db, undefined, tx => forgetOld(engine, tx))
      total += gone
      if (gone === 0 || stopping.signal.aborted) return total
    }
  }

  const forgetLoop = async () => {
    while (!stopping.signal.aborted) {
      await forget().catch(error => engine.log('warn', 'What is old could not be deleted', { error: String(error) }))
      await engine.clock.sleep(forgetEveryMs, stopping.signal)
    }
  }

  return {
    runDue: async () => (await runBatches()).total,
    forget,
    start() {
      running ??= Promise.all([loop(), forgetLoop()])
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** Milliseconds until the next timer and the next end of a lease: negative when overdue, infinite when there is none. */
async function nextDue(engine: Engine): Promise<{ jobMs: number; leaseMs: number }> {
  const ms = (moment: SQL) => sql`(extract(epoch from ${moment} - ${engine.clock.now()}) * 1000)::float8`
  const [row] = await executePrepared<{ job: number | null; lease: number | null }>(
    engine.db,
    sql`select ${ms(sql`(select min(wake_at) from contractor.job where wake_at is not null)`)} as job,
          ${ms(sql`(select min(lease_until) from contractor.task where lease_until is not null)`)} as lease`,
  )
  return { jobMs: row?.job ?? Number.POSITIVE_INFINITY, leaseMs: row?.lease ?? Number.POSITIVE_INFINITY }
}
