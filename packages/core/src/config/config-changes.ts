import { isDeepStrictEqual } from 'node:util'
import { json, maskSecrets, parseInput } from '@contractor/plugin'
import { and, desc, eq, lt, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Values } from '../database/columns.ts'
import { configChange } from '../database/config-schema.ts'
import type { Db } from '../database/database.ts'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { surface } from '../engine/surface.ts'
import { idPageRequest, type Page, toPage } from '../name.ts'

/** One change of one config value, by a script or by an operator. */
export const configChangeView = z.object({
  id: z.number().int(),
  at: z.iso.datetime(),
  /** A token's name, `Job NUMBER`, or what an embedding program said. */
  by: z.string(),
  site: z.string().nullable(),
  blueprint: z.string().nullable(),
  structure: z.number().int().nullable(),
  /** As written, with its prefix and class. */
  key: z.string(),
  /** Absent when it was new. */
  before: json.optional(),
  /** Absent when it was taken away. */
  after: json.optional(),
})
export type ConfigChange = z.output<typeof configChangeView>

export const configChangeQuery = idPageRequest.extend({
  site: z.string().optional(),
  blueprint: z.string().optional(),
  structure: z.number().int().optional(),
  key: z.string().optional(),
})

export interface ConfigChanges {
  /** The latest first; also of what is gone. */
  list(query?: z.input<typeof configChangeQuery>, options?: CallOptions): Promise<Page<ConfigChange>>
}

export function createConfigChanges(engine: Engine): ConfigChanges {
  return surface(engine, {
    async list(query = {}, options = {}) {
      const { after, limit, site, blueprint, structure, key } = parseInput(configChangeQuery, query, 'The query')
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(configChange)
        .where(
          and(
            after === undefined ? undefined : lt(configChange.id, Number(after)),
            site === undefined ? undefined : eq(configChange.site, site),
            blueprint === undefined ? undefined : eq(configChange.blueprint, blueprint),
            structure === undefined ? undefined : eq(configChange.structure, structure),
            key === undefined ? undefined : eq(configChange.key, key),
          ),
        )
        .orderBy(desc(configChange.id))
        .limit(limit + 1)
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
