import { type Change, type Page, type Pxe, parseInput, pxeInput, pxeQuery } from '@contractor/contract'
import { eq, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { executeRows } from '../../database/database.ts'
import { pxe } from '../../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { recordEvents } from '../../event/record-events.ts'
import { type Kept, lockRow } from '../../noun/change-row.ts'
import { listRows, toPage } from '../../noun/list-rows.ts'
import { inUse } from '../../noun/refuse.ts'
import { putPxes, requirePxe, toPxe } from './pxe.ts'

export interface Pxes {
  put(input: z.input<typeof pxeInput>, options?: CallOptions): Promise<{ change: Change }>
  get(name: string, options?: CallOptions): Promise<Pxe>
  list(query?: z.input<typeof pxeQuery>, options?: CallOptions): Promise<Page<Pxe>>
  /** Refused with IN_USE while an interface or a dynamic address has it. */
  delete(name: string, options?: CallOptions): Promise<void>
}

const keptPxes: Kept<typeof pxe> = { kind: 'PXE', table: pxe, key: pxe.name, lock: 'pxe' }

export function createPxes(engine: Engine): Pxes {
  return surface(engine, {
    async put(input, options = {}) {
      const parsed = parseInput(pxeInput, input, 'The PXE')
      const [saved] = await transaction(engine, options, tx => putPxes(engine, tx, [parsed], options))
      return { change: saved?.change ?? 'unchanged' }
    },
    get: (name, options = {}) => requirePxe(options.tx ?? engine.db, name),
    async list(query = {}, options = {}) {
      const { after, limit } = parseInput(pxeQuery, query, 'The query for PXEs')
      const rows = await listRows(options.tx ?? engine.db, pxe, { after, limit }, { key: pxe.name })
      return toPage(rows, limit, row => row.name, toPxe)
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        await lockRow(tx, keptPxes, name, options, 'references')
        const users = await executeRows<{ who: string }>(
          tx,
          sql`select 'interface ' || name || ' of Foundation ' || foundation as who
                from contractor.network_interface where pxe = ${name} and foundation is not null
              union all select 'address ' || host(ip) from contractor.address where pxe = ${name}
              limit 20`,
        )
        const by = users.map(row => row.who)
        if (by.length) throw inUse('PXE', name, by, ['would boot it', 'would boot it'])
        await tx.delete(pxe).where(eq(pxe.name, name))
        await recordEvents(engine, tx, [{ type: 'pxe.deleted', by: whoIs(options), data: { pxe: name } }])
      })
    },
  })
}
