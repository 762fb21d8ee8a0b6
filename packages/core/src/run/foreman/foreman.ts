import { type SQL, sql } from 'drizzle-orm'
import { type Db, executePrepared, inShortTransaction, inTransaction, isLockTimeout } from '../../database/database.ts'
import { toDatabaseError } from '../../database/database-error.ts'
import type { Engine } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'
import { deliverWakes } from '../../graph/wake-neighbours.ts'
import { dueAnswers, forgetWords } from '../task/claim-words.ts'
import { findExpired } from '../task/find-expired.ts'
import type { Pulse } from '../task/pulse.ts'
import { giveTurns } from '../task/take-turns.ts'
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
/** From then on it is looked who may hold up what is due, in milliseconds. */
const overdueMs = 1_000
/** How often what is old is looked for. */
const forgetEveryMs = 3_600_000

/** What a look at one kind of things that were due has brought. */
interface Advance {
  moved: { readonly size: number }
  /** Jobs that somebody else has in hand. */
  aside: Iterable<number>
}

const none: Advance = { moved: { size: 0 }, aside: [] }

export function createForeman(engine: Engine, advancer: Advancer, pulse: Pulse): Foreman {
  const stopping = new AbortController()
  const heldUp = createHeldUpLog(engine)
  let running: Promise<unknown> | undefined
  let vain = 0

  /** A lock that is not to be had: what it is about is looked at again. */
  const orLater = (run: Promise<Advance>): Promise<Advance> =>
    run.catch(error => {
      if (isLockTimeout(error)) return none
      throw error
    })

  const short = <T>(run: (tx: Db) => Promise<T>) => inShortTransaction(engine.database, run)

  async function wake(): Promise<Advance> {
    const { looked, held } = await short(tx => deliverWakes(engine, tx, batchSize))
    return { moved: { size: looked }, aside: held }
  }

  async function actOnWords(): Promise<Advance> {
    const advanced = await advancer.deliver(await short(tx => dueAnswers(engine, tx, batchSize)))
    await orLater(short(tx => forgetWords(engine, tx)).then(() => none))
    return advanced
  }

  async function passOn(): Promise<Advance> {
    const heard = await short(async tx => {
      const turns = await giveTurns(engine, tx, batchSize)
      if (turns.given > 0) await notify(tx, 'task')
      return turns.heard
    })
    return { moved: { size: heard }, aside: [] }
  }

  async function takeFromSilent(): Promise<Advance> {
    await pulse.beat()
    return advancer.deliver(await findExpired(engine, engine.db, batchSize))
  }

  const runBatches = async () => {
    let total = 0
    for (;;) {
      const due = await nextDue(engine)
      const isDue = (ms: number) => ms <= 0
      const woken = isDue(due.wakeMs) ? await orLater(wake()) : none
      const expired = due.leaseMs < 0 ? await orLater(takeFromSilent()) : none
      const answered = isDue(due.wordMs) ? await orLater(actOnWords()) : none
      const advanced = isDue(due.jobMs) || woken.moved.size > 0 ? await advancer.due(batchSize) : none
      const passed = isDue(due.turnMs) ? await orLater(passOn()) : none
      const moved = expired.moved.size + answered.moved.size + advanced.moved.size
      total += moved
      if (moved > 0) vain = 0
      const nextMs = Math.min(due.jobMs, due.leaseMs, due.wordMs, due.wakeMs, due.turnMs)
      const aside = new Set([woken, expired, answered, advanced].flatMap(one => [...one.aside]))
      if (aside.size || nextMs < -overdueMs) await heldUp.tell(aside)
      if (moved + woken.moved.size + passed.moved.size > 0 && vain === 0 && !stopping.signal.aborted) continue
      if (nextMs > 0) {
        vain = 0
        return { total, pauseMs: Math.ceil(nextMs) }
      }
      // What is due and was not to be had is in somebody else's hands.
      const pauseMs = heldPauses[Math.min(vain, heldPauses.length - 1)] as number
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
        if (isLockTimeout(error)) await heldUp.tell([]).catch(() => undefined)
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
  turnMs: number
  /** Until the next that is not overdue, whatever it is. */
  laterMs: number
}

async function nextDue(engine: Engine): Promise<Due> {
  const now = engine.clock.now()
  const ms = (moment: SQL) => sql`(extract(epoch from ${moment} - ${now}) * 1000)::float8`
  const [row] = await executePrepared<
    Record<'job' | 'lease' | 'word' | 'wake' | 'turn' | 'later_job' | 'later_lease', number | null>
  >(
    engine.db,
    sql`select ${ms(sql`(select min(wake_at) from contractor.job where wake_at is not null)`)} as job,
          ${ms(sql`(select min(wake_at) from contractor.job where wake_at > ${now})`)} as later_job,
          ${ms(sql`(select min(lease_until) from contractor.task where lease_until is not null)`)} as lease,
          ${ms(sql`(select min(lease_until) from contractor.task where lease_until > ${now})`)} as later_lease,
          ${ms(sql`(select min(look_at) from contractor.claim_word)`)} as word,
          ${ms(sql`(select min(look_at) from contractor.wake)`)} as wake,
          ${ms(sql`(select min(look_at) from contractor.limit_word)`)} as turn`,
  )
  const of = (value: number | null | undefined) => value ?? Number.POSITIVE_INFINITY
  return {
    jobMs: of(row?.job),
    leaseMs: of(row?.lease),
    wordMs: of(row?.word),
    wakeMs: of(row?.wake),
    turnMs: of(row?.turn),
    laterMs: Math.min(of(row?.later_job), of(row?.later_lease)),
  }
}
