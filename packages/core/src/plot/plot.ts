import { ContractorError } from '@contractor/plugin'
import { eq } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { plot } from '../database/schema.ts'
import { pageRequest, plainName } from '../name.ts'

/** A physical place: a building, a room, a rack, a position in it. */
export const plotInput = z.strictObject({
  name: plainName,
  /** The place that it is in. */
  parent: plainName.nullable().default(null),
  description: z.string().max(10_000, 'must be 10000 characters at the most').default(''),
})

// Without the defaults of creation: what is not given stays as it is.
export const plotChanges = z
  .strictObject({ name: plainName, parent: plainName.nullable(), description: plotInput.shape.description.unwrap() })
  .partial()

export const plotView = z.object({
  name: z.string(),
  parent: z.string().nullable(),
  description: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type PlotView = z.output<typeof plotView>

export const plotQuery = pageRequest.extend({ parent: z.string().optional() })

export const plotContentQuery = pageRequest.extend({
  /** Whether what stands in the places within it counts as well; true unless said. */
  deep: z.boolean().default(true),
})

/** A Foundation that stands there. */
export const plotContent = z.object({
  /** The place itself, or one within it. */
  plot: z.string(),
  locator: z.string(),
  type: z.string(),
  state: z.enum(['planned', 'located', 'built']),
  structure: z.object({ id: z.number().int(), hostname: z.string(), state: z.enum(['planned', 'built']) }).nullable(),
})
export type PlotContent = z.output<typeof plotContent>

export type PlotRow = typeof plot.$inferSelect

export const toPlotView = ({ name, parent, description, createdAt, updatedAt }: PlotRow): PlotView => ({
  name,
  parent,
  description,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
})

/** NOT_FOUND when there is none. */
export async function requirePlot(db: Db, name: string): Promise<PlotRow> {
  const [row] = await db.select().from(plot).where(eq(plot.name, name))
  if (!row) throw new ContractorError('NOT_FOUND', `Plot '${name}' does not exist`, { kind: 'Plot', id: name })
  return row
}
