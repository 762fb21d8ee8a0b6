import { ContractorError, parseInput } from '@contractor/plugin'
import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { type Db, executeRows } from '../database/database.ts'
import { plot } from '../database/schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { surface } from '../engine/surface.ts'
import type { EventType } from '../event/event.ts'
import { recordEvents } from '../event/record-events.ts'
import { type Page, toPage } from '../name.ts'
import {
  type PlotContent,
  type PlotRow,
  type PlotView,
  plotChanges,
  plotContentQuery,
  plotInput,
  plotQuery,
  requirePlot,
  toPlotView,
} from './plot.ts'
import { selectContents } from './plot-contents.ts'

export interface Plots {
  create(input: z.input<typeof plotInput>, options?: CallOptions): Promise<PlotView>
  get(name: string, options?: CallOptions): Promise<PlotView>
  list(query?: z.input<typeof plotQuery>, options?: CallOptions): Promise<Page<PlotView>>
  /** What stands in it moves with it; so do the places within it. */
  update(name: string, changes: z.input<typeof plotChanges>, options?: CallOptions): Promise<PlotView>
  /** What stands there and in the places within it, with the Structures on it. */
  contents(name: string, query?: z.input<typeof plotContentQuery>, options?: CallOptions): Promise<Page<PlotContent>>
  /** Refused with IN_USE while anything stands there, or a place is within it. */
  delete(name: string, options?: CallOptions): Promise<void>
}

export function createPlots(engine: Engine): Plots {
  const record = async (tx: Db, type: EventType, name: string, options: CallOptions) => {
    await recordEvents(tx, engine.clock, [{ type, by: whoIs(options), data: { plot: name } }])
    await notify(tx, 'event')
  }
  return surface(engine, {
    async create(input, options = {}) {
      const parsed = parseInput(plotInput, input, 'The Plot')
      return transaction(engine, options, async tx => {
        if (parsed.parent !== null) await requirePlot(tx, parsed.parent)
        const now = engine.clock.now()
        const [row] = await tx
          .insert(plot)
          .values({ ...parsed, createdAt: now, updatedAt: now })
          .onConflictDoNothing()
          .returning()
        if (!row) throw taken(parsed.name)
        await record(tx, 'plot.created', row.name, options)
        return toPlotView(row)
      })
    },
    async get(name, options = {}) {
      return toPlotView(await requirePlot(options.tx ?? engine.db, name))
    },
    async list(query = {}, options = {}) {
      const { after, limit, parent } = parseInput(plotQuery, query, 'The query for Plots')
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(plot)
        .where(
          and(
            after === undefined ? undefined : gt(plot.name, after),
            parent === undefined ? undefined : eq(plot.parent, parent),
          ),
        )
        .orderBy(asc(plot.name))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.name, toPlotView)
    },
    async update(name, changes, options = {}) {
      const parsed = parseInput(plotChanges, changes, `The change of Plot '${name}'`)
      return transaction(engine, options, async tx => {
        if (parsed.parent !== undefined) await lockTree(tx)
        await requirePlot(tx, name)
        if (typeof parsed.parent === 'string') await checkParent(tx, name, parsed.parent)
        if (parsed.name !== undefined && parsed.name !== name) await refuseTaken(tx, parsed.name)
        const [row] = await tx
          .update(plot)
          .set({ ...parsed, updatedAt: engine.clock.now() })
          .where(eq(plot.name, name))
          .returning()
        await record(tx, 'plot.changed', name, options)
        return toPlotView(row as PlotRow)
      })
    },
    async contents(name, query = {}, options = {}) {
      const { deep, after, limit } = parseInput(plotContentQuery, query, 'The query for what stands in a Plot')
      const db = options.tx ?? engine.db
      await requirePlot(db, name)
      const found = await selectContents(db, name, { deep, after, limit: limit + 1 })
      return toPage(
        found,
        limit,
        one => one.locator,
        one => one,
      )
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        await tx.execute(sql`select from contractor.plot where name = ${name} for update`)
        await requirePlot(tx, name)
        const by = await usersOfPlot(tx, name)
        if (by.length) {
          const message = `Plot '${name}' cannot be deleted: ${by.join(', ')} ${by.length === 1 ? 'is' : 'are'} there`
          throw new ContractorError('IN_USE', message, { kind: 'Plot', id: name, by })
        }
        await tx.delete(plot).where(eq(plot.name, name))
        await record(tx, 'plot.deleted', name, options)
      })
    },
  })
}

const taken = (id: string) =>
  new ContractorError('ALREADY_EXISTS', `A Plot '${id}' exists already`, { kind: 'Plot', id })

async function refuseTaken(tx: Db, name: string): Promise<void> {
  const [row] = await tx.select({ name: plot.name }).from(plot).where(eq(plot.name, name))
  if (row) throw taken(name)
}

/** Two that move places at once could make a circle that neither sees: one after the other. */
async function lockTree(tx: Db): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('contractor.plot'))`)
}

async function checkParent(tx: Db, name: string, parent: string): Promise<void> {
  await requirePlot(tx, parent)
  const above = await executeRows<{ name: string }>(
    tx,
    sql`with recursive line as (
          select name, parent, 1 as depth from contractor.plot where name = ${parent}
          union all
          select up.name, up.parent, depth + 1 from contractor.plot up join line on line.parent = up.name
        ) cycle name set is_circle using path
        select name from line order by depth`,
  )
  const place = above.findIndex(one => one.name === name)
  if (place < 0) return
  const path = [name, ...above.slice(0, place + 1).map(one => one.name)].join(' → ')
  throw new ContractorError(
    'VALIDATION_FAILED',
    `Plot '${name}' cannot be in '${parent}': that would be a circle (${path})`,
    {
      issues: [{ path: 'parent', message: `makes a circle: ${path}` }],
    },
  )
}

async function usersOfPlot(tx: Db, name: string): Promise<string[]> {
  const rows = await executeRows<{ who: string }>(
    tx,
    sql`(select 'Plot ' || name as who from contractor.plot where parent = ${name} order by name limit 20)
        union all
        (select 'Foundation ' || locator from contractor.foundation where plot = ${name} order by locator limit 20)
        limit 20`,
  )
  return rows.map(row => row.who)
}
