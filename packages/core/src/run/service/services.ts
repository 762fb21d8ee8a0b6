import {
  ContractorError,
  maskSecrets,
  type Page,
  parseInput,
  type ServiceView,
  serviceInput,
  serviceQuery,
} from '@contractor/contract'
import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { z } from 'zod'
import type { Db } from '../../database/database.ts'
import { service } from '../../database/job-schema.ts'
import { takingLock } from '../../database/lock-order.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { recordEvents } from '../../event/record-events.ts'
import { type Kept, lockRow } from '../../noun/change-row.ts'
import { matching, toPage } from '../../noun/list-rows.ts'
import { parseOwnFields } from '../../noun/own-fields.ts'
import { refuseUnknown } from '../../noun/references.ts'
import { notFound } from '../../noun/refuse.ts'
import { checkSaved } from '../../noun/saved.ts'

/** What agents run all the time, each for a Site. */
export interface Services {
  /** Configures it for a Site; whoever runs it there starts it anew when that changes something. */
  put(input: z.input<typeof serviceInput>, options?: CallOptions): Promise<ServiceView>
  get(id: number, options?: CallOptions): Promise<ServiceView>
  list(query?: z.input<typeof serviceQuery>, options?: CallOptions): Promise<Page<ServiceView>>
  /** Its agent ends it when it next asks. */
  delete(id: number, options?: CallOptions): Promise<void>
}

const kept: Kept<typeof service> = { kind: 'Service', table: service, key: service.id, lock: 'service' }

export function createServices(engine: Engine): Services {
  const columns = () => ({
    row: service,
    running: sql<boolean>`coalesce(${service.leaseUntil} > ${engine.clock.now()}, false)`,
  })
  const find = async (db: Db, id: number): Promise<ServiceView> => {
    const [found] = await db.select(columns()).from(service).where(eq(service.id, id))
    if (!found) throw notFound('Service', id)
    return toView(found)
  }
  return surface<Services>(engine, {
    async put(input, options = {}) {
      const { name, site, config } = parseInput(serviceInput, input, 'The service')
      const plugin = engine.plugins.services.get(name)
      if (!plugin) {
        const known = [...engine.plugins.services.keys()].sort().join(', ')
        throw new ContractorError(
          'NOT_FOUND',
          `No plugin provides the service '${name}'. Known are: ${known || 'none'}.`,
          {
            kind: 'service',
            id: name,
          },
        )
      }
      return transaction(engine, options, async tx => {
        await refuseUnknown(tx, { Site: [site] })
        const now = engine.clock.now()
        const own = and(eq(service.name, name), eq(service.site, site))
        takingLock(tx, 'service')
        const [present] = await tx.select().from(service).where(own).for('update')
        checkSaved('Service', name, present, options)
        const fields = { schema: plugin.config.strict(), type: name, whose: `the service at Site '${site}'` }
        const parsed = parseOwnFields(engine, fields, config, present?.config)
        const [row] = present
          ? await tx
              .update(service)
              .set({ config: parsed, version: present.version + 1, updatedAt: now })
              .where(own)
              .returning()
          : await tx.insert(service).values({ name, site, config: parsed, createdAt: now, updatedAt: now }).returning()
        const saved = await find(tx, row?.id ?? 0)
        const { id, version } = saved
        await recordEvents(engine, tx, [
          { type: 'service.changed', by: whoIs(options), subject: String(id), version, data: { name, site } },
        ])
        return saved
      })
    },
    async get(id, options = {}) {
      return find(options.tx ?? engine.db, id)
    },
    async list(query = {}, options = {}) {
      const { after, limit, ...filter } = parseInput(serviceQuery, query, 'The query for services')
      const behind = after === undefined ? undefined : gt(service.id, Number(after))
      const rows = await (options.tx ?? engine.db)
        .select(columns())
        .from(service)
        .where(and(behind, ...matching(service, filter)))
        .orderBy(asc(service.id))
        .limit(limit + 1)
      return toPage(rows, limit, ({ row }) => row.id, toView)
    },
    async delete(id, options = {}) {
      await transaction(engine, options, async tx => {
        const { name, site } = await lockRow(tx, kept, id, options, 'references')
        await tx.delete(service).where(eq(service.id, id))
        await recordEvents(engine, tx, [
          { type: 'service.deleted', by: whoIs(options), subject: String(id), data: { name, site } },
        ])
      })
    },
  })
}

function toView({ row, running }: { row: typeof service.$inferSelect; running: boolean }): ServiceView {
  const { id, name, site, config, version, agent, trouble, createdAt, updatedAt } = row
  return {
    ...{ id, name, site, config: maskSecrets(config), version, agent: running ? agent : null, running, trouble },
    ...{ createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() },
  }
}
