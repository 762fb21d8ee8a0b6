import { asc, gt } from 'drizzle-orm'
import type { z } from 'zod'
import { blueprint } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { type Page, pageRequest, toPage } from '../name.ts'
import { parseInput } from '../plugin/error.ts'
import type { Change } from '../script/scripts.ts'
import { type Blueprint, blueprintInput, requireBlueprint, selectBlueprints } from './blueprint.ts'
import { putBlueprints } from './put-blueprints.ts'

export interface Blueprints {
  put(input: z.input<typeof blueprintInput>, options?: CallOptions): Promise<{ change: Change }>
  get(name: string, options?: CallOptions): Promise<Blueprint>
  list(page?: z.input<typeof pageRequest>, options?: CallOptions): Promise<Page<Blueprint>>
}

export function createBlueprints(engine: Engine): Blueprints {
  return {
    async put(input, options = {}) {
      const parsed = parseInput(blueprintInput, input, 'The BluePrint')
      const [change] = await transaction(engine, options, tx => putBlueprints(engine, tx, [parsed], whoIs(options)))
      return { change: change ?? 'unchanged' }
    },
    async get(name, options = {}) {
      return requireBlueprint(options.tx ?? engine.db, name)
    },
    async list(page = {}, options = {}) {
      const { after, limit } = parseInput(pageRequest, page, 'The page')
      const db = options.tx ?? engine.db
      const rows = await db
        .select({ name: blueprint.name })
        .from(blueprint)
        .where(after === undefined ? undefined : gt(blueprint.name, after))
        .orderBy(asc(blueprint.name))
        .limit(limit + 1)
      const whole = new Map(
        (
          await selectBlueprints(
            db,
            rows.map(row => row.name),
          )
        ).map(one => [one.name, one]),
      )
      return toPage(
        rows,
        limit,
        row => row.name,
        row => whole.get(row.name) as Blueprint,
      )
    },
  }
}
