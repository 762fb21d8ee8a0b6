import { sql } from 'drizzle-orm'
import type { Clock } from '../clock.ts'
import { type Db, executePrepared } from '../database/database.ts'
import { inParts } from '../database/parts.ts'
import type { NewEvent } from './event.ts'

/**
 * Writes events in the transaction of what they tell of. Many go as one parameter: thousands of them cost the driver
 * more than the database. Their places in the order of all events they get later (see place-events.ts).
 */
export async function recordEvents(tx: Db, clock: Clock, events: readonly NewEvent[]): Promise<void> {
  for (const part of inParts(events)) {
    await executePrepared(
      tx,
      sql`insert into contractor.event (at, type, by, job, foundation, structure, dependency, data)
          select ${clock.now()}, type, by, job, foundation, structure, dependency, coalesce(data, '{}')
          from jsonb_to_recordset(${part}::jsonb)
            as new(type text, by text, job bigint, foundation text, structure bigint, dependency bigint, data jsonb)`,
    )
  }
}
