import { sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'
import type { TargetRef } from './target.ts'

/**
 * Has the waiting Jobs of targets, and of all that stands around them, look again whether they may start: called in the
 * transaction that changes a target's state, ends its Job, or changes what it needs.
 */
export async function wakeNeighbours(engine: Engine, tx: Db, targets: readonly TargetRef[]): Promise<void> {
  if (!targets.length) return
  const list = (values: (string | number)[]) => JSON.stringify([...new Set(values)])
  const locators = list(targets.flatMap(one => ('foundation' in one ? [one.foundation] : [])))
  const ids = list(targets.flatMap(one => ('structure' in one ? [one.structure] : [])))
  const edges = list(targets.flatMap(one => ('dependency' in one ? [one.dependency] : [])))
  await executePrepared(
    tx,
    sql`with locators as (select value as locator from jsonb_array_elements_text(${locators}::jsonb) as value),
          ids as (select value::bigint as id from jsonb_array_elements_text(${ids}::jsonb) as value),
          edges as (select value::bigint as id from jsonb_array_elements_text(${edges}::jsonb) as value)
        update contractor.job set wake_at = ${engine.clock.now()}
        where state = 'waiting' and (
          foundation in (
            select locator from locators
            union select foundation from contractor.structure where id in (select id from ids)
            union select foundation from contractor.dependency where id in (select id from edges)
            union select provided.locator from contractor.foundation provided
              join contractor.complex_member on complex_member.complex = provided.complex
              where complex_member.structure in (select id from ids))
          or structure in (
            select id from ids
            union select id from contractor.structure where foundation in (select locator from locators)
            union select structure from contractor.dependency where id in (select id from edges)
            union select complex_member.structure from contractor.complex_member
              join contractor.foundation provided on provided.complex = complex_member.complex
              where provided.locator in (select locator from locators))
          or dependency in (
            select id from edges
            union select id from contractor.dependency
              where foundation in (select locator from locators) or structure in (select id from ids)
                or dependency in (select id from edges)
            union select dependency from contractor.dependency where id in (select id from edges)))`,
  )
}
