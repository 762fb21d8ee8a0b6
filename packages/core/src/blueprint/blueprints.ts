import { ContractorError, parseInput } from '@contractor/plugin'
import { asc, eq, gt } from 'drizzle-orm'
import type { z } from 'zod'
import type { Change } from '../change.ts'
import { recordConfigChanges } from '../config/config-changes.ts'
import { blueprint } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { surface } from '../engine/surface.ts'
import { recordEvents } from '../event/record-events.ts'
import { type Page, pageRequest, toPage } from '../name.ts'
import { type Blueprint, blueprintInput, requireBlueprint, selectBlueprints } from './blueprint.ts'
import { usersOfBlueprint } from './blueprint-laws.ts'
import { putBlueprints } from './put-blueprints.ts'

export interface Blueprints {
  /** Saves it as it is given, replacing what was there. */
  put(input: z.input<typeof blueprintInput>, options?: CallOptions): Promise<{ change: Change }>
  get(name: string, options?: CallOptions): Promise<Blueprint>
  list(page?: z.input<typeof pageRequest>, options?: CallOptions): Promise<Page<Blueprint>>
  /** Refused with IN_USE while BluePrints inherit from it or may stand on it, and while a Foundation or Structure is made of it. */
  delete(name: string, options?: CallOptions): Promise<void>
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
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        // Whoever is about to use it waits for its row, and then does not find it.
        await tx.select({ name: blueprint.name }).from(blueprint).where(eq(blueprint.name, name)).for('update')
        const { configValues } = await requireBlueprint(tx, name)
        const by = await usersOfBlueprint(tx, name)
        if (by.length) {
          throw new ContractorError(
            'IN_USE',
            `BluePrint '${name}' cannot be deleted: ${by.join(', ')} ${by.length === 1 ? 'needs' : 'need'} it`,
            { kind: 'BluePrint', id: name, by },
          )
        }
        await tx.delete(blueprint).where(eq(blueprint.name, name))
        const who = whoIs(options)
        await recordConfigChanges(engine, tx, who, [{ owner: { blueprint: name }, before: configValues, after: {} }])
        await recordEvents(tx, engine.clock, [{ type: 'blueprint.deleted', by: who, data: { blueprint: name } }])
        await notify(tx, 'event')
      })
    },
  })
}
