import { eq, inArray, sql } from 'drizzle-orm'
import type { Db } from './database/database.ts'
import { foundation, job, structure } from './database/schema.ts'
import type { Engine } from './engine/engine.ts'
import { notify } from './engine/notifications.ts'
import type { NewEvent } from './event/event.ts'
import { recordEvents } from './event/record-events.ts'

/**
 * The states of what is built, and how they change: `planned → located → built` for a Foundation, `planned → built` for
 * a Structure. Every change goes through here, whether a Job brought it or an explicit call, so that each of them is
 * logged and wakes the Jobs that wait for it.
 */
export type StateChange =
  | { to: 'located' | 'built' | 'destroyed'; foundation: string }
  | { to: 'built' | 'destroyed'; structure: number }

/** Applies state changes, records them, and wakes who waits: a number of statements that does not grow with them. */
export async function applyStateChanges(
  engine: Engine,
  tx: Db,
  changes: readonly StateChange[],
  by: string,
): Promise<void> {
  if (!changes.length) return
  const now = engine.clock.now()
  const foundations = (to: StateChange['to']) =>
    changes.flatMap(one => ('foundation' in one && one.to === to ? [one.foundation] : []))
  const structures = (to: StateChange['to']) =>
    changes.flatMap(one => ('structure' in one && one.to === to ? [one.structure] : []))

  const located = foundations('located')
  if (located.length) {
    await tx
      .update(foundation)
      .set({ state: 'located', locatedAt: now, updatedAt: now })
      .where(inArray(foundation.locator, located))
  }
  const built = foundations('built')
  if (built.length) {
    await tx
      .update(foundation)
      .set({ state: 'built', locatedAt: sql`coalesce(${foundation.locatedAt}, ${now})`, builtAt: now, updatedAt: now })
      .where(inArray(foundation.locator, built))
  }
  const gone = foundations('destroyed')
  // What stood on a Foundation that is gone is gone with it.
  const above = gone.length
    ? await tx
        .select({ id: structure.id })
        .from(structure)
        .where(inArray(structure.foundation, gone))
        .then(rows => rows.map(row => row.id))
    : []
  if (gone.length) {
    await tx
      .update(foundation)
      .set({ state: 'planned', locatedAt: null, builtAt: null, idMap: null, updatedAt: now })
      .where(inArray(foundation.locator, gone))
  }
  const structuresBuilt = structures('built')
  if (structuresBuilt.length) {
    await tx
      .update(structure)
      .set({ state: 'built', builtAt: now, updatedAt: now })
      .where(inArray(structure.id, structuresBuilt))
  }
  const structuresGone = [...new Set([...structures('destroyed'), ...above])]
  if (structuresGone.length) {
    // A new config UUID: a machine that still runs the old Structure is told nothing of the next one.
    await tx
      .update(structure)
      .set({ state: 'planned', builtAt: null, configUuid: sql`gen_random_uuid()`, updatedAt: now })
      .where(inArray(structure.id, structuresGone))
  }

  await recordEvents(
    tx,
    engine.clock,
    changes.map(one => toEvent(one, by)),
  )
  await wakeWaiting(engine, tx, changes)
  await notify(tx, 'job', 'event')
}

function toEvent(change: StateChange, by: string): NewEvent {
  if ('foundation' in change) return { type: `foundation.${change.to}`, by, foundation: change.foundation }
  return { type: `structure.${change.to}`, by, structure: change.structure }
}

/** Jobs of the targets themselves, of what stands on them and of what they stand on look again whether they may start. */
async function wakeWaiting(engine: Engine, tx: Db, changes: readonly StateChange[]): Promise<void> {
  const locators = changes.flatMap(one => ('foundation' in one ? [one.foundation] : []))
  const ids = changes.flatMap(one => ('structure' in one ? [one.structure] : []))
  const over = tx.select({ id: structure.id }).from(structure).where(inArray(structure.foundation, locators))
  const under = tx.select({ locator: structure.foundation }).from(structure).where(inArray(structure.id, ids))
  const concerned = [
    ...(locators.length ? [inArray(job.foundation, locators), inArray(job.structure, over)] : []),
    ...(ids.length ? [inArray(job.structure, ids), inArray(job.foundation, under)] : []),
  ]
  await tx
    .update(job)
    .set({ wakeAt: engine.clock.now() })
    .where(sql`${eq(job.state, 'waiting')} and (${sql.join(concerned, sql` or `)})`)
}
