import { setTimeout as delay } from 'node:timers/promises'
import postgres, { type Sql } from 'postgres'

/** A session of somebody who has nothing to do with Contractor, but works in the same database. */
export interface Session {
  /**
   * Begins a transaction with one statement and holds it for so long, or until its connection breaks or the signal aborts;
   * then it is rolled back. Throws what the database says.
   */
  hold(deed: Deed, ms: number, signal: AbortSignal): Promise<Held>
  /** The same, but prepared: no session has it then, and it survives a crash. */
  holdPrepared(deed: Deed, ms: number, signal: AbortSignal): Promise<Held>
  /** Rolls back what is prepared under its name, by one before it too, however long the database is away. */
  forget(): Promise<void>
  end(): Promise<void>
}

export interface Deed {
  isolation: 'read committed' | 'repeatable read' | 'serializable'
  statement: string
  /** How long it waits for a lock of others. */
  waitMs: number
  /** Told what the statement gave, and when the transaction is over. */
  began?(rows: Rows, over: AbortSignal): void
}

export type Rows = readonly Record<string, unknown>[]

export interface Held {
  rows: number
  /** Milliseconds since the epoch. */
  sinceMs: number
  ms: number
}

const retryMs = 300
/** There is no such prepared transaction (PostgreSQL 18, appendix A). */
const undefinedObject = '42704'

/** `name` is that of its prepared transaction: it has one at a time. */
export function openSession(url: string, name: string): Session {
  let lost = new AbortController()
  const sql = postgres(url, {
    // One, so that the statements of a transaction need no more to stay together.
    max: 1,
    backoff: () => retryMs / 1000,
    // Its question for them is one whose failure nobody hears of.
    fetch_types: false,
    connection: { application_name: 'stranger' },
    onnotice: () => undefined,
    onclose: () => lost.abort(),
  })

  /** In one message: were the connection another one meanwhile, a statement would be carried out for good. */
  const begin = async ({ isolation, statement, waitMs }: Deed, last = ''): Promise<Rows> => {
    lost = new AbortController()
    const results = await sql.unsafe(
      `begin isolation level ${isolation}; set local lock_timeout = ${waitMs}; ${statement}; ${last}`,
    )
    return results.flat()
  }
  const rollback = () => sql.unsafe('rollback').catch(() => undefined)

  const stay = async ({ began }: Deed, rows: Rows, ms: number, signal: AbortSignal): Promise<Held> => {
    const sinceMs = Date.now()
    const over = new AbortController()
    began?.(rows, over.signal)
    await delay(ms, undefined, { signal }).catch(() => undefined)
    over.abort()
    return { rows: rows.length, sinceMs, ms: Date.now() - sinceMs }
  }

  return {
    async hold(deed, ms, signal) {
      try {
        return await stay(deed, await begin(deed), ms, AbortSignal.any([signal, lost.signal]))
      } finally {
        await rollback()
      }
    },
    async holdPrepared(deed, ms, signal) {
      try {
        return await stay(deed, await begin(deed, `prepare transaction '${name}'`), ms, signal)
      } finally {
        await rollback()
        // Also when the answer was lost: it may be there all the same.
        await rollBackPrepared(sql, name)
      }
    },
    forget: () => rollBackPrepared(sql, name),
    end: () => sql.end({ timeout: 5 }),
  }
}

async function rollBackPrepared(sql: Sql, name: string): Promise<void> {
  for (;;) {
    try {
      await sql.unsafe(`rollback prepared '${name}'`)
      return
    } catch (error) {
      if ((error as { code?: string }).code === undefinedObject) return
      await delay(retryMs)
    }
  }
}
