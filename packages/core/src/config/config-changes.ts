import { isDeepStrictEqual } from 'node:util'
import { type ConfigChange, configChangeQuery, maskSecrets, type Page, parseInput } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import type { z } from 'zod'
import type { Values } from '../database/columns.ts'
import { configChange } from '../database/config-schema.ts'
import type { Db } from '../database/database.ts'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { surface } from '../engine/surface.ts'
import { listRows, matching, toPage } from '../noun/list-rows.ts'

export interface ConfigChanges {
  /** The latest first; also of what is gone. */
  list(query?: z.input<typeof configChangeQuery>, options?: CallOptions): Promise<Page<ConfigChange>>
}

export function createConfigChanges(engine: Engine): ConfigChanges {
  return surface(engine, {
    async list(query = {}, options = {}) {
      const { after, limit, ...filter } = parseInput(configChangeQuery, query, 'The query')
      const place = { key: configChange.id, newestFirst: true, where: matching(configChange, filter) }
      const rows = await listRows(options.tx ?? engine.db, configChange, { after, limit }, place)
      return toPage(rows, limit, row => row.id, toView)
    },
  })
}

function toView({ at, before, after, ...row }: typeof configChange.$inferSelect): ConfigChange {
  return {
    ...row,
    at: at.toISOString(),
    ...(before !== null && { before: maskSecrets(before.value) }),
    ...(after !== null && { after: maskSecrets(after.value) }),
  }
}

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
