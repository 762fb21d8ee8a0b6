import { type Blueprint, blueprintQuery, type Change, type Page, parseInput } from '@contractor/contract'
import { eq } from 'drizzle-orm'
import type { z } from 'zod'
import { blueprint } from '../../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { recordConfigChanges } from '../../event/record-config-changes.ts'
import { recordEvents } from '../../event/record-events.ts'
import { type Kept, lockRow } from '../../noun/change-row.ts'
import { listRows, matching, toPage } from '../../noun/list-rows.ts'
import { inUse } from '../../noun/refuse.ts'
import { blueprintInput, requireBlueprint, selectBlueprints } from './blueprint.ts'
import { usersOfBlueprint } from './blueprint-laws.ts'
import { putBlueprints } from './put-blueprints.ts'

export interface Blueprints {
  /** Saves it as it is given, replacing what was there. */
  put(input: z.input<typeof blueprintInput>, options?: CallOptions): Promise<{ change: Change }>
  get(name: string, options?: CallOptions): Promise<Blueprint>
  list(query?: z.input<typeof blueprintQuery>, options?: CallOptions): Promise<Page<Blueprint>>
  /** Refused with IN_USE while BluePrints inherit from it or may stand on it, and while a Foundation or Structure is made of it. */
  delete(name: string, options?: CallOptions): Promise<void>
}

const keptBlueprints: Kept<typeof blueprint> = {
  ...{ kind: 'BluePrint', table: blueprint, key: blueprint.name, lock: 'blueprint' },
}

export function createBlueprints(engine: Engine): Blueprints {
  return surface(engine, {
    async put(input, options = {}) {
      const parsed = parseInput(blueprintInput, input, 'The BluePrint')
      const [saved] = await transaction(engine, options, tx => putBlueprints(engine, tx, [parsed], options))
      return { change: saved?.change ?? 'unchanged' }
    },
    async get(name, options = {}) {
      return requireBlueprint(options.tx ?? engine.db, name)
    },
    async list(query = {}, options = {}) {
      const { after, limit, ...filter } = parseInput(blueprintQuery, query, 'The query for BluePrints')
      const db = options.tx ?? engine.db
      const place = { key: blueprint.name, where: matching(blueprint, filter) }
      const names = (await listRows(db, blueprint, { after, limit }, place)).map(row => row.name)
      const whole = new Map((await selectBlueprints(db, names)).map(one => [one.name, one]))
      return toPage(
        names,
        limit,
        name => name,
        name => whole.get(name) as Blueprint,
      )
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        // Whoever is about to use it waits for its row, and then does not find it.
        const { configValues } = await lockRow(tx, keptBlueprints, name, options, 'references')
        const by = await usersOfBlueprint(tx, name)
        if (by.length) {
          throw inUse('BluePrint', name, by, ['needs it', 'need it'])
        }
        await tx.delete(blueprint).where(eq(blueprint.name, name))
        const who = whoIs(options)
        await recordConfigChanges(engine, tx, who, [{ owner: { blueprint: name }, before: configValues, after: {} }])
        await recordEvents(engine, tx, [{ type: 'blueprint.deleted', by: who, data: { blueprint: name } }])
      })
    },
  })
}
