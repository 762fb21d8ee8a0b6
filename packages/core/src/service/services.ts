import { ContractorError, json, maskSecrets, parseInput } from '@contractor/plugin'
import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { service } from '../database/job-schema.ts'
import { type CallOptions, type Engine, transaction } from '../engine/engine.ts'
import { surface } from '../engine/surface.ts'
import { idPageRequest, type Page, plainName, toPage } from '../name.ts'
import { parseOwnFields } from '../own-fields.ts'
import { requireSite } from '../site/sites.ts'

/** The configuration of a service for one Site. */
export const serviceInput = z.strictObject({
  /** As its plugin names it. */
  name: z.string(),
  site: plainName,
  /** As its plugin declares it; `***` for a secret leaves that as it is. */
  config: z.record(z.string(), json).default({}),
})

export const serviceView = z.object({
  id: z.number().int(),
  name: z.string(),
  site: z.string(),
  /** Secrets in it are `***`. */
  config: z.record(z.string(), json),
  version: z.number().int(),
  /** The agent that has it; null while none does. */
  agent: z.string().nullable(),
  /** Whether that agent was heard of in time. */
  running: z.boolean(),
  /** What its agent says of it when it does not run as it should. */
  trouble: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type ServiceView = z.output<typeof serviceView>

export const serviceQuery = idPageRequest.extend({ name: z.string().optional(), site: z.string().optional() })

/** What agents run all the time, each for a Site. */
export interface Services {
  /** Configures it for a Site; whoever runs it there starts it anew when that changes something. */
  put(input: z.input<typeof serviceInput>, options?: CallOptions): Promise<ServiceView>
  get(id: number, options?: CallOptions): Promise<ServiceView>
  list(query?: z.input<typeof serviceQuery>, options?: CallOptions): Promise<Page<ServiceView>>
  /** Its agent ends it when it next asks. */
  delete(id: number, options?: CallOptions): Promise<void>
}

export function createServices(engine: Engine): Services {
  const columns = () => ({
    row: service,
    running: sql<boolean>`coalesce(${service.leaseUntil} > ${engine.clock.now()}, false)`,
  })
  const find = async (db: Db, id: number): Promise<ServiceView> => {
    const [found] = await db.select(columns()).from(service).where(eq(service.id, id))
    if (!found) throw new ContractorError('NOT_FOUND', `Service ${id} does not exist`, { kind: 'Service', id })
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
        await requireSite(tx, site)
        const now = engine.clock.now()
        const own = and(eq(service.name, name), eq(service.site, site))
        const [present] = await tx.select().from(service).where(own).for('update')
        const fields = { schema: plugin.config.strict(), type: name, whose: `the service at Site '${site}'` }
        const parsed = parseOwnFields(engine, fields, config, present?.config)
        const [row] = present
          ? await tx
              .update(service)
              .set({ config: parsed, version: present.version + 1, updatedAt: now })
              .where(own)
              .returning()
          : await tx.insert(service).values({ name, site, config: parsed, createdAt: now, updatedAt: now }).returning()
        return find(tx, row?.id ?? 0)
      })
    },
    async get(id, options = {}) {
      return find(options.tx ?? engine.db, id)
    },
    async list(query = {}, options = {}) {
      const { after, limit, name, site } = parseInput(serviceQuery, query, 'The query for services')
      const rows = await (options.tx ?? engine.db)
        .select(columns())
        .from(service)
        .where(
          and(
            name === undefined ? undefined : eq(service.name, name),
            site === undefined ? undefined : eq(service.site, site),
            after === undefined ? undefined : gt(service.id, Number(after)),
          ),
        )
        .orderBy(asc(service.id))
        .limit(limit + 1)
      return toPage(rows, limit, ({ row }) => row.id, toView)
    },
    async delete(id, options = {}) {
      await transaction(engine, options, async tx => {
        await find(tx, id)
        await tx.delete(service).where(eq(service.id, id))
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
