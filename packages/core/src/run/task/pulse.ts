import { sql } from 'drizzle-orm'
import { momentAfter } from '../../database/clock.ts'
import { type Db, executePrepared, executeRows, inShortTransaction, isLockTimeout } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import { deadlineOf, leaseEnd } from './claim-tasks.ts'

/**
 * Leases are for agents that have fallen silent; in a time in which nobody could hear them, no silence says anything. So
 * every process with an engine says regularly that it is there, and whoever finds that there was nobody (a server that was
 * away, a database that was, a process that was stopped) gives all leases a whole one from now on, before any of them is
 * looked at.
 *
 * Whether somebody is alive is judged by the server's own clock, and a process's own absence by its monotonic one; so
 * neither a test that turns the engine's clock nor a jump of the database's makes an absence, and a jump by itself is
 * treated like one: leases that were given by another clock are worth nothing.
 */
export interface Pulse {
  /** Says that this process is there, and finds out whether nobody was. To be called before a lease is held to be over. */
  beat(): Promise<void>
  /** The first of a process; it can do without, where somebody else has in hand what it needs. */
  begin(): Promise<void>
  start(): void
  /** Says that it is there no more. */
  stop(): Promise<void>
}

export function createPulse(engine: Engine, id: string): Pulse {
  const everyMs = Math.max(200, engine.leaseMs / 5)
  /** Silent for longer than that, it could not have heard an agent in time. */
  const absentMs = Math.max(1_000, everyMs * 2)
  let beatenAt = Number.NEGATIVE_INFINITY
  let last: Beat | undefined
  const beating = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined

  const beatNow = async (): Promise<void> => {
    const before = performance.now()
    const silentMs = before - beatenAt
    const beaten = await inShortTransaction(engine.database, async (tx): Promise<Beat> => {
      const after = performance.now()
      // One at a time, so that the first that is back is the one that finds out.
      await executeRows(tx, sql`select pg_advisory_xact_lock(${pulseLock})`)
      const [row] = await executePrepared<{
        others: boolean
        ever: boolean
        seen: string | null
        since: number | null
      }>(
        tx,
        sql`select coalesce(bool_or(id <> ${id}::uuid and case
                when ended_at is null then beat_at > clock_timestamp() + ${-absentMs}::float8 * interval '1 millisecond'
                else seen_at between ${momentAfter(engine.clock, -absentMs)} and ${engine.clock.now()} end), false) as others,
              count(*) > 0 as ever, max(seen_at) filter (where id = ${id}::uuid)::text as seen,
              extract(epoch from max(${engine.clock.now()} - seen_at) filter (where id = ${id}::uuid))::float8 * 1000 as since
            from contractor.engine_process`,
      )
      const jumpMs =
        engine.clock.isSteady && row?.seen === last?.seenAt ? jumpOf(row?.since ?? 0, { before, after }) : 0
      if (Math.abs(jumpMs) > absentMs) await followJump(tx, jumpMs)
      if (silentMs > absentMs && row?.ever && !row.others) {
        const extended = await executePrepared(
          tx,
          sql`update contractor.task set lease_until = greatest(lease_until, ${leaseEnd(engine)}),
                deadline = greatest(deadline, ${deadlineOf(engine, sql`timeout_ms`)})
              where id = any(array(select id from contractor.task where lease_until is not null for no key update skip locked))
              returning 1`,
        )
        if (extended.length)
          engine.log('info', 'Nobody could hear the agents for a while: their leases begin anew', {
            tasks: extended.length,
          })
      }
      const [own] = await executePrepared<{ seen: string }>(
        tx,
        sql`insert into contractor.engine_process (id, seen_at, beat_at)
            values (${id}::uuid, ${engine.clock.now()}, clock_timestamp())
            on conflict (id) do update set seen_at = excluded.seen_at, beat_at = excluded.beat_at, ended_at = null
            returning seen_at::text as seen`,
      )
      return { seenAt: own?.seen, before, after }
    })
    beatenAt = performance.now()
    last = beaten
  }

  /**
   * By how much the database's clock went further than time, in milliseconds. A transaction's moment lies between what was
   * before it was asked for and what was after it had begun; only what is outside of that is no waiting.
   */
  const jumpOf = (sinceMs: number, { before, after }: Pick<Beat, 'before' | 'after'>): number =>
    last ? sinceMs - Math.min(Math.max(sinceMs, before - last.after), after - last.before) : 0

  /** Leases are given anew by the clock as it is now; and what is due now is not to wait until it has caught up. */
  const followJump = async (tx: Db, jumpMs: number): Promise<void> => {
    engine.log('warn', "The database's clock has jumped: leases begin anew", { jumpMs: Math.round(jumpMs) })
    await executePrepared(
      tx,
      sql`update contractor.task set lease_until = ${leaseEnd(engine)}, deadline = ${deadlineOf(engine, sql`timeout_ms`)}
          where id = any(array(select id from contractor.task where lease_until is not null for no key update skip locked))`,
    )
    for (const table of [sql`contractor.service`, sql`contractor.inquiry`]) {
      await executePrepared(
        tx,
        sql`update ${table} set lease_until = ${leaseEnd(engine)}
            where id = any(array(select id from ${table} where lease_until is not null for no key update skip locked))`,
      )
    }
    if (jumpMs > 0) return
    const earlier = sql`${jumpMs}::float8 * interval '1 millisecond'`
    await executePrepared(tx, sql`update contractor.wake set look_at = look_at + ${earlier}`)
    await executePrepared(tx, sql`update contractor.claim_word set look_at = look_at + ${earlier}`)
    await executePrepared(tx, sql`update contractor.limit_word set look_at = look_at + ${earlier}`)
    await executePrepared(
      tx,
      sql`update contractor.job set wake_at = wake_at + ${earlier}
          where id = any(array(select id from contractor.job where wake_at > ${engine.clock.now()} for no key update skip locked))`,
    )
  }

  /** Nobody waits for another's: each is a transaction of whoever asks. */
  const beat = (): Promise<void> => {
    const own = beatNow().finally(() => beating.delete(own))
    beating.add(own)
    return own
  }

  return {
    beat,
    begin: () =>
      beat().catch(error => {
        if (!isLockTimeout(error)) throw error
        engine.log('warn', 'This process could not say that it is there; it tries again', { error: firstLine(error) })
      }),
    start() {
      const next = () => {
        timer = setTimeout(() => {
          beat()
            .catch(error => {
              if (!isLockTimeout(error) && !engine.closing.aborted)
                engine.log('warn', 'This process could not say that it is there', { error: firstLine(error) })
            })
            .finally(() => {
              if (!engine.closing.aborted) next()
            })
        }, everyMs)
        timer.unref()
      }
      next()
    },
    async stop() {
      clearTimeout(timer)
      await Promise.allSettled(beating)
      await executePrepared(
        engine.db,
        sql`update contractor.engine_process set ended_at = clock_timestamp(), seen_at = ${engine.clock.now()}
            where id = ${id}::uuid`,
      )
    },
  }
}

/** One that was committed: the moment that it wrote, and the monotonic ones around that. */
interface Beat {
  seenAt: string | undefined
  before: number
  after: number
}

/** Any fixed number will do. */
const pulseLock = 7_263_405_120

const firstLine = (error: unknown): string =>
  error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
