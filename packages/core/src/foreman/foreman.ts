import { sql } from 'drizzle-orm'
import { executeRows, inTransaction } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import { expireLeases } from '../task/expire-leases.ts'
import type { Advancer } from './advance-jobs.ts'

/**
 * The loop that keeps Jobs going. It takes what is due, in batches, each in one transaction; when nothing is, it sleeps
 * until the next moment that the database knows of, or until it hears that there is something. Any number of processes
 * may run it: locked rows are left to whoever has them.
 */
export interface Foreman {
  /** Does all that is due now; says how many Jobs it advanced. */
  runDue(): Promise<number>
  start(): void
  /** Finishes the transaction under way, then stops. */
  stop(): Promise<void>
}

/** Jobs in one transaction. */
const batchSize = 50
/** How long to sleep without looking, though nothing was heard: a notification may have been lost. */
const slowPollMs = 10_000
const errorPauseMs = 1_000

export function createForeman(engine: Engine, advancer: Advancer): Foreman {
  const stopping = new AbortController()
  let running: Promise<void> | undefined

  const runDue = async () => {
    let total = 0
    for (;;) {
      const expired = await inTransaction(engine.db, undefined, tx => expireLeases(engine, tx, advancer, batchSize))
      const advanced = await inTransaction(engine.db, undefined, tx => advancer.due(tx, batchSize))
      total += expired + advanced
      if (expired + advanced === 0 || stopping.signal.aborted) return total
    }
  }

  const loop = async () => {
    while (!stopping.signal.aborted) {
      // Asked for before looking, so that what comes while looking is heard.
      const heard = engine.notifications.next('job')
      const awake = new AbortController()
      let pauseMs: number
      try {
        await runDue()
        // A lease that is given out meanwhile ends after leaseMs at the earliest.
        pauseMs = Math.min(await nextDueMs(engine), slowPollMs, engine.leaseMs)
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

  return {
    runDue,
    start() {
      running ??= loop()
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** Milliseconds until the next timer or lease; infinite when there is none. */
async function nextDueMs(engine: Engine): Promise<number> {
  const now = engine.clock.now()
  const [row] = await executeRows<{ ms: string | null }>(
    engine.db,
    sql`select (extract(epoch from least(
          (select min(wake_at) from contractor.job where wake_at is not null),
          (select min(lease_until) from contractor.task where lease_until is not null)
        ) - ${now}) * 1000)::float8::text as ms`,
  )
  return row?.ms == null ? Number.POSITIVE_INFINITY : Math.max(Math.ceil(Number(row.ms)), 0)
}
