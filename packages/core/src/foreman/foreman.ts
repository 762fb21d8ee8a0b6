import { type SQL, sql } from 'drizzle-orm'
import { type Db, executePrepared, inShortTransaction, inTransaction, isLockTimeout } from '../database/database.ts'
import { toDatabaseError } from '../database/database-error.ts'
import type { Engine } from '../engine/engine.ts'
import { deliverWakes } from '../job/wake-neighbours.ts'
import { dueAnswers, forgetWords } from '../task/claim-words.ts'
import { findExpired } from '../task/find-expired.ts'
import type { Pulse } from '../task/pulse.ts'
import type { Advancer } from './advance-jobs.ts'
import { forgetOld } from './forget-old.ts'
import { createHeldUpLog } from './held-up.ts'

/**
 * The loop that keeps Jobs going. It takes what is due, in batches, each in one transaction; when nothing is, it sleeps
 * until the next moment that the database knows of, or until it hears that there is something. Any number of processes
 * may run it: what is locked is left to whoever has it, and looked at again.
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
/** How long to leave to others what they have in hand: longer and longer, in milliseconds. */
const heldPauses = [50, 100, 200, 500, 1_000]
/** How long to sleep without looking, though nothing was heard: a notification may have been lost. */
const slowPollMs = 10_000
const errorPauseMs = 1_000
/** How often what is old is looked for. */
const forgetEveryMs = 3_600_000

export function createForeman(engine: Engine, advancer: Advancer, pulse: Pulse): Foreman {
  const stopping = new AbortController()
  const heldUp = createHeldUpLog(engine)
  let running: Promise<unknown> | undefined
  let vain = 0

  /** A lock that is not to be had: what it is about is looked at again. */
  const orLater = (run: Promise<number>): Promise<number> =>
    run.catch(error => {
      if (isLockTimeout(error)) return 0
      throw error
    })

  const short = (run: (tx: Db) => Promise<number>) => orLater(inShortTransaction(engine.database, run))

  async function actOnWords(): Promise<number> {
    const answers = await inShortTransaction(engine.database, tx => dueAnswers(engine, tx, batchSize))
    const { moved } = await advancer.deliver(answers)
    await short(async tx => {
      await forgetWords(tx)
      return 0
    })
    return moved.size
  }

  async function takeFromSilent(): Promise<number> {
    await pulse.beat()
    return (await advancer.deliver(await findExpired(engine, engine.db, batchSize))).moved.size
  }

  const runBatches = async () => {
    let total = 0
    for (;;) {
      const due = await nextDue(engine)
      const isDue = (ms: number) => ms <= 0
      const woken = isDue(due.wakeMs) ? await short(tx => deliverWakes(engine, tx, batchSize)) : 0
      const expired = due.leaseMs < 0 ? await orLater(takeFromSilent()) : 0
      const answered = isDue(due.wordMs) ? await orLater(actOnWords()) : 0
      const advanced = isDue(due.jobMs) || woken > 0 ? (await advancer.due(batchSize)).moved.size : 0
      total += expired + answered + advanced
      if (expired + answered + advanced > 0) vain = 0
      if (expired + answered + advanced + woken > 0 && vain === 0 && !stopping.signal.aborted) continue
      const nextMs = Math.min(due.jobMs, due.leaseMs, due.wordMs, due.wakeMs)
      if (nextMs > 0) {
        vain = 0
        return { total, pauseMs: Math.ceil(nextMs) }
      }
      // What is due and was not to be had is in somebody else's hands.
      const pauseMs = heldPauses[Math.min(vain, heldPauses.length - 1)] as number
      if (vain > 1) await heldUp.tell()
      vain++
      return { total, pauseMs: Math.min(pauseMs, due.laterMs) }
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
        const shown = toDatabaseError(error, `The database in ${engine.database.name}`)
        engine.log('error', 'The Foreman could not do what is due; it tries again', {
          error: shown instanceof Error ? shown.message : String(shown),
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
    async runDue() {
      vain = 0
      return (await runBatches()).total
    },
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

/** Milliseconds until what comes next of each kind: negative when overdue, infinite when there is none. */
interface Due {
  jobMs: number
  leaseMs: number
  wordMs: number
  wakeMs: number
  /** Until the next that is not overdue, whatever it is. */
  laterMs: number
}

async function nextDue(engine: Engine): Promise<Due> {
  const now = engine.clock.now()
  const ms = (moment: SQL) => sql`(extract(epoch from ${moment} - ${now}) * 1000)::float8`
  const [row] = await executePrepared<
    Record<'job' | 'lease' | 'word' | 'wake' | 'later_job' | 'later_lease', number | null>
  >(
    engine.db,
    sql`select ${ms(sql`(select min(wake_at) from contractor.job where wake_at is not null)`)} as job,
          ${ms(sql`(select min(wake_at) from contractor.job where wake_at > ${now})`)} as later_job,
          ${ms(sql`(select min(lease_until) from contractor.task where lease_until is not null)`)} as lease,
          ${ms(sql`(select min(lease_until) from contractor.task where lease_until > ${now})`)} as later_lease,
          ${ms(sql`(select min(look_at) from contractor.claim_word where arrival is not null)`)} as word,
          ${ms(sql`(select min(look_at) from contractor.wake)`)} as wake`,
  )
  const of = (value: number | null | undefined) => value ?? Number.POSITIVE_INFINITY
  return {
    jobMs: of(row?.job),
    leaseMs: of(row?.lease),
    wordMs: of(row?.word),
    wakeMs: of(row?.wake),
    laterMs: Math.min(of(row?.later_job), of(row?.later_lease)),
  }
}
