import { sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../database/database.ts'
import { inParts } from '../database/parts.ts'
import type { Engine } from '../engine/engine.ts'
import { channel } from '../engine/notifications.ts'
import type { NewEvent } from './event.ts'

/**
 * Writes events in the transaction of what they tell of, and tells whoever follows events when it commits: the one way
 * to do either. Many go as one parameter: thousands of them cost the driver more than the database. Their places in the order of all
 * events they get later (see place-events.ts).
 */
export async function recordEvents(engine: Engine, tx: Db, events: readonly NewEvent[]): Promise<void> {
  for (const part of inParts(events)) {
    await executePrepared(
      tx,
      sql`with recorded as (
            insert into contractor.event (at, type, by, subject, version, job, foundation, structure, dependency, data)
            select ${engine.clock.now()}, type, by, subject, version, job, foundation, structure, dependency, coalesce(data, '{}')
            from jsonb_to_recordset(${part}::jsonb)
              as new(type text, by text, subject text, version int, job bigint, foundation text, structure bigint,
                dependency bigint, data jsonb)
          ) select pg_notify(${channel}, 'event')`,
    )
  }
}
