import { sql } from 'drizzle-orm'
import type { Clock } from '../clock.ts'
import { type Db, executePrepared } from '../database/database.ts'
import type { NewEvent } from './event.ts'

/**
 * Writes events in the transaction of what they tell of. Many go as one parameter: thousands of them cost the driver
 * more than the database.
 *
 * A transaction gets its id with its first write, and may then wait for a Job's row: another one with a larger id comes
 * before it. So an event stands at the place of its transaction, or of the Job's event before it where that is later:
 * in the order of (txid, id), each Job's events are as they happened. Nothing is passed over by that, since readers see
 * no txid from that of the oldest running transaction on, and ours runs.
 */
export async function recordEvents(tx: Db, clock: Clock, events: readonly NewEvent[]): Promise<void> {
  if (!events.length) return
  await executePrepared(
    tx,
    sql`insert into contractor.event (txid, at, type, by, job, foundation, structure, dependency, data)
        select greatest(pg_current_xact_id(), (
            select last.txid from contractor.event last where last.job = new.job order by last.id desc limit 1)),
          ${clock.now()}, type, by, job, foundation, structure, dependency, coalesce(data, '{}')
        from jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
          as new(type text, by text, job bigint, foundation text, structure bigint, dependency bigint, data jsonb)`,
  )
}
