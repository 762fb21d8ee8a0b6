import { type ConfigChange, configChangeQuery, maskSecrets, type Page, parseInput } from '@contractor/contract'
import type { z } from 'zod'
import { configChange } from '../database/config-schema.ts'
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
