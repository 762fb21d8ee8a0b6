import { isDeepStrictEqual } from 'node:util'
import { sql } from 'drizzle-orm'
import type { Values } from '../database/columns.ts'
import type { Db } from '../database/database.ts'
import type { Engine } from '../engine/engine.ts'

/** Whose values they are. */
export type ConfigOwner = { site: string } | { blueprint: string } | { structure: number }

export interface ChangedValues {
  owner: ConfigOwner
  before: Values
  after: Values
}

/** Writes down what is different, in the transaction that changes it: one statement. */
export async function recordConfigChanges(
  engine: Engine,
  tx: Db,
  by: string,
  changed: readonly ChangedValues[],
): Promise<void> {
  const rows = changed.flatMap(({ owner, before, after }) =>
    [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter(key => !isDeepStrictEqual(before[key], after[key]))
      .map(key => ({
        ...owner,
        key,
        before: Object.hasOwn(before, key) ? { value: before[key] ?? null } : null,
        after: Object.hasOwn(after, key) ? { value: after[key] ?? null } : null,
      })),
  )
  if (!rows.length) return
  await tx.execute(
    sql`insert into contractor.config_change (at, by, site, blueprint, structure, key, before, after)
        select ${engine.clock.now()}, ${by}, site, blueprint, structure, key, before, after
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as new(site text, blueprint text, structure bigint, key text, before jsonb, after jsonb)`,
  )
}
