import { ContractorError, parseInput } from '@contractor/plugin'
import { asc, eq, gt, sql } from 'drizzle-orm'
import type { z } from 'zod'
import type { Change } from '../change.ts'
import { executeRows } from '../database/database.ts'
import { pxe } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { surface } from '../engine/surface.ts'
import { recordEvents } from '../event/record-events.ts'
import { type Page, pageRequest, toPage } from '../name.ts'
import { type Pxe, putPxes, pxeInput, requirePxe, toPxe } from './pxe.ts'

export interface Pxes {
  put(input: z.input<typeof pxeInput>, options?: CallOptions): Promise<{ change: Change }>
  get(name: string, options?: CallOptions): Promise<Pxe>
  list(page?: z.input<typeof pageRequest>, options?: CallOptions): Promise<Page<Pxe>>
  /** Refused with IN_USE while an interface or a dynamic address has it. */
  delete(name: string, options?: CallOptions): Promise<void>
}

export function createPxes(engine: Engine): Pxes {
  return surface(engine, {
    async put(input, options = {}) {
      const parsed = parseInput(pxeInput, input, 'The PXE')
      const [saved] = await transaction(engine, options, tx => putPxes(engine, tx, [parsed], options))
      return { change: saved?.change ?? 'unchanged' }
    },
    get: (name, options = {}) => requirePxe(options.tx ?? engine.db, name),
    async list(page = {}, options = {}) {
      const { after, limit } = parseInput(pageRequest, page, 'The page')
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(pxe)
        .where(after === undefined ? undefined : gt(pxe.name, after))
        .orderBy(asc(pxe.name))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.name, toPxe)
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        await requirePxe(tx, name)
        const users = await executeRows<{ who: string }>(
          tx,
          sql`select 'interface ' || name || ' of Foundation ' || foundation as who
                from contractor.network_interface where pxe = ${name} and foundation is not null
              union all select 'address ' || host(ip) from contractor.address where pxe = ${name}
              limit 20`,
        )
        if (users.length) {
          const by = users.map(row => row.who)
          throw new ContractorError('IN_USE', `PXE '${name}' cannot be deleted: ${by.join(', ')} would boot it`, {
            kind: 'PXE',
            id: name,
            by,
          })
        }
        await tx.delete(pxe).where(eq(pxe.name, name))
        await recordEvents(tx, engine.clock, [{ type: 'pxe.deleted', by: whoIs(options), data: { pxe: name } }])
        await notify(tx, 'event')
      })
    },
  })
}
