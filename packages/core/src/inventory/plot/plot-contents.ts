import type { PlotContent } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executeRows } from '../../database/database.ts'
import { allWithin, plotTree } from '../../noun/tree.ts'

interface ContentRow extends Record<string, unknown> {
  plot: string
  locator: string
  type: string
  state: PlotContent['state']
  id: string | number | null
  hostname: string | null
  structure_state: 'planned' | 'built' | null
}

/** What stands in a place, by locator; one statement, however many places are within it. */
export async function selectContents(
  db: Db,
  name: string,
  { deep, after, limit }: { deep: boolean; after: string | undefined; limit: number },
): Promise<PlotContent[]> {
  const rows = await executeRows<ContentRow>(
    db,
    sql`with recursive ${allWithin(plotTree, sql`${name}`)}
        select base.plot, base.locator, base.type, base.state, structure.id, structure.hostname,
          structure.state as structure_state
        from contractor.foundation base left join contractor.structure on structure.foundation = base.locator
        where base.plot in (select name from within) and (${deep}::boolean or base.plot = ${name}) and base.locator > ${after ?? ''}
        order by base.locator limit ${limit}`,
  )
  return rows.map(({ plot, locator, type, state, id, hostname, structure_state }) => ({
    ...{ plot, locator, type, state },
    structure:
      id === null || hostname === null || structure_state === null
        ? null
        : { id: Number(id), hostname, state: structure_state },
  }))
}
