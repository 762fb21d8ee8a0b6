import type { Clock } from '../clock.ts'
import type { Db } from '../database/database.ts'
import { event } from '../database/schema.ts'
import type { NewEvent } from './event.ts'

/** Writes events in the transaction of what they tell of. */
export async function recordEvents(tx: Db, clock: Clock, events: readonly NewEvent[]): Promise<void> {
  if (!events.length) return
  await tx.insert(event).values(
    events.map(({ type, by, job = null, foundation = null, structure = null, data = {} }) => ({
      at: clock.now(),
      type,
      by,
      job,
      foundation,
      structure,
      data,
    })),
  )
}
