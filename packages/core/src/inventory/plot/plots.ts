import {
  nouns,
  type Page,
  type PlotContent,
  type PlotView,
  parseInput,
  type plotChanges,
  plotContentQuery,
} from '@contractor/contract'
import { sql } from 'drizzle-orm'
import type { z } from 'zod'
import { type Db, executeRows } from '../../database/database.ts'
import type { plot } from '../../database/schema.ts'
import type { CallOptions, Engine } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { usersOf } from '../../graph/edges.ts'
import { readRow } from '../../noun/change-row.ts'
import { type Crud, implement } from '../../noun/implement.ts'
import { toPage } from '../../noun/list-rows.ts'
import { alreadyExists } from '../../noun/refuse.ts'
import { lockTree, plotTree, refuseCircle } from '../../noun/tree.ts'
import { keptPlots, type PlotRow, toPlotView } from './plot.ts'
import { selectContents } from './plot-contents.ts'

export interface Plots extends Crud<typeof nouns.plot, PlotView, string> {
  /** What stands in it moves with it; so do the places within it. */
  update(name: string, changes: z.input<typeof plotChanges>, options?: CallOptions): Promise<PlotView>
  /** What stands there and in the places within it, with the Structures on it. */
  contents(name: string, query?: z.input<typeof plotContentQuery>, options?: CallOptions): Promise<Page<PlotContent>>
  /** Refused with IN_USE while anything stands there, or a place is within it. */
  delete(name: string, options?: CallOptions): Promise<void>
}

export function createPlots(engine: Engine): Plots {
  return surface<Plots>(engine, {
    ...implement<typeof nouns.plot, typeof plot, PlotView, string>(engine, {
      noun: nouns.plot,
      kept: keptPlots,
      views: (_, rows) => rows.map(toPlotView),
      async lock(tx, { given }) {
        if (given.parent !== undefined) await lockTree(tx, plotTree)
      },
      async check(tx, { given, before }) {
        if (typeof given.parent === 'string') {
          await readRow(tx, keptPlots, given.parent)
          if (before) await refuseCircle(tx, plotTree, before.name, given.parent)
        }
        const { name } = given
        if (before && name !== undefined && name !== before.name && (await isThere(tx, name)))
          throw alreadyExists('Plot', name)
      },
      users: usersOfPlot,
      use: ['is there', 'are there'],
      told: (row, before) => ({ plot: before?.name ?? row.name }),
    }),
    async contents(name, query = {}, options = {}) {
      const { deep, after, limit } = parseInput(plotContentQuery, query, 'The query for what stands in a Plot')
      const db = options.tx ?? engine.db
      await readRow(db, keptPlots, name)
      const found = await selectContents(db, name, { deep, after, limit: limit + 1 })
      return toPage(
        found,
        limit,
        one => one.locator,
        one => one,
      )
    },
  })
}

const isThere = async (tx: Db, name: string) =>
  (await executeRows(tx, sql`select from contractor.plot where name = ${name}`)).length > 0

const usersOfPlot = (tx: Db, { name }: PlotRow) => usersOf(tx, { kind: 'Plot', key: name }, ['is in'])
