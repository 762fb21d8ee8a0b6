import type { PlotView } from '@contractor/contract'
import { plot } from '../../database/schema.ts'
import type { Kept } from '../../noun/change-row.ts'
import { shownStamps } from '../../noun/stamps.ts'

export type PlotRow = typeof plot.$inferSelect

export const keptPlots: Kept<typeof plot> = { kind: 'Plot', table: plot, key: plot.name, lock: 'plot' }

export const toPlotView = (row: PlotRow): PlotView => ({
  name: row.name,
  parent: row.parent,
  description: row.description,
  ...shownStamps(row),
})
