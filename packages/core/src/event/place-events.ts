import { sql } from 'drizzle-orm'
import { executePrepared, executeRows, inShortTransaction, isLockTimeout } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'

/**
 * Gives events their places in the order of all events: those that can be seen and have none, by the order in which they
 * were written, behind all that have one. Whoever reads asks for it first; one at a time, under a lock that is held until
 * the places can be seen, so that no place appears before another that a reader has passed already.
 *
 * A Job's events are written under its lock, so of two of them the later can only be seen with the earlier: each Job's
 * events are in the order in which they happened. Others may be as they became visible, which is all that can be said of
 * transactions that run at once. Neither a transaction that is open for hours nor one of another database holds
 * anything up: its events get their places when it commits. (The order by transaction ids, which were used before, waited
 * for the oldest transaction of the whole server, and ended with a dump and restore.)
 */
export async function placeEvents(engine: Engine): Promise<void> {
  for (;;) {
    // Nearly always there is nothing to do, and then nothing is locked.
    const [some] = await executePrepared<{ found: boolean }>(
      engine.db,
      sql`select exists (select from contractor.event where place is null) as found`,
    )
    if (!some?.found) return
    try {
      const placed = await inShortTransaction(engine.database, async tx => {
        await executeRows(tx, sql`select pg_advisory_xact_lock(${placingLock})`)
        const rows = await executePrepared(
          tx,
          sql`with unplaced as (
                select id from contractor.event where place is null order by id limit ${placedAtOnce}::int for update skip locked
              ), placed as materialized (
                select id, nextval('contractor.event_place_seq') as place from (select id from unplaced order by id) as ordered
              )
              update contractor.event set place = placed.place from placed where event.id = placed.id returning 1`,
        )
        return rows.length
      })
      if (placed < placedAtOnce) return
    } catch (error) {
      // Another process is at it, for longer than anybody should: what it has placed can be read.
      if (!isLockTimeout(error)) throw error
      return
    }
  }
}

/** Any fixed number will do. */
const placingLock = 7_263_405_119
const placedAtOnce = 5_000
