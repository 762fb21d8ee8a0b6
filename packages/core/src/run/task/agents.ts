import { type AgentView, nouns, type Page, pageRequest, parseInput } from '@contractor/contract'
import { count, eq, inArray } from 'drizzle-orm'
import type { z } from 'zod'
import type { Db } from '../../database/database.ts'
import { agent, task } from '../../database/job-schema.ts'
import type { CallOptions, Engine } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { listRows, toPage } from '../../noun/list-rows.ts'
import { notFound } from '../../noun/refuse.ts'

/** Agents that have asked for work, with when they were last heard of and how much they have in hand. */
export interface Agents {
  get(name: string, options?: CallOptions): Promise<AgentView>
  list(page?: z.input<typeof pageRequest>, options?: CallOptions): Promise<Page<AgentView>>
}

type AgentRow = typeof agent.$inferSelect

export function createAgents(engine: Engine): Agents {
  return surface<Agents>(engine, {
    async get(name, options = {}) {
      const db = options.tx ?? engine.db
      const [row] = await db.select().from(agent).where(eq(agent.name, name))
      if (!row) throw notFound(nouns.agent.name, name)
      return (await viewsOf(db, [row]))(row)
    },
    async list(page = {}, options = {}) {
      const listing = parseInput(pageRequest, page, 'The page')
      const db = options.tx ?? engine.db
      const rows = await listRows(db, agent, listing, { key: agent.name })
      return toPage(rows, listing.limit, row => row.name, await viewsOf(db, rows))
    },
  })
}

async function viewsOf(db: Db, rows: readonly AgentRow[]): Promise<(row: AgentRow) => AgentView> {
  const names = rows.map(row => row.name)
  const held = names.length
    ? await db
        .select({ agent: task.agent, tasks: count() })
        .from(task)
        .where(inArray(task.agent, names))
        .groupBy(task.agent)
    : []
  const tasksOf = new Map(held.map(one => [one.agent, one.tasks]))
  return ({ name, sites, modules, seenAt }) => ({
    ...{ name, sites, modules, seenAt: seenAt.toISOString(), tasks: tasksOf.get(name) ?? 0 },
  })
}
