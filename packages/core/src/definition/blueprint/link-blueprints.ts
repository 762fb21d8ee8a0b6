import { type SQL, sql } from 'drizzle-orm'
import { type Db, executeRows } from '../../database/database.ts'
import { type CallOptions, type Engine, whoIs } from '../../engine/engine.ts'
import { recordEvents } from '../../event/record-events.ts'

/** A pair of `sflinks`: what may stand on what. */
export interface Link {
  structure: string
  foundation: string
}

const pairs = (links: readonly Link[]): SQL =>
  sql`jsonb_to_recordset(${JSON.stringify(links)}::jsonb) as new(structure text, foundation text)`

/**
 * Links StructureBluePrints to FoundationBluePrints, which need not be there yet: they may be of drivers that are loaded
 * later, or never. Says which links are new. What `refuse` makes of a link without its StructureBluePrint is thrown.
 */
export async function linkBlueprints(
  engine: Engine,
  tx: Db,
  links: readonly Link[],
  options: CallOptions & { refuse: (link: Link) => Error },
): Promise<Link[]> {
  if (!links.length) return []
  const known = await executeRows<{ name: string }>(
    tx,
    sql`select name from contractor.blueprint
        where kind = 'structure' and name in (select structure from ${pairs(links)}) order by name for key share`,
  )
  const missing = links.find(link => !known.some(row => row.name === link.structure))
  if (missing) throw options.refuse(missing)
  const written = await executeRows<{ structure: string; foundation: string; is_new: boolean }>(
    tx,
    // A row that was there, and is only marked, has been locked by this transaction: its xmax says so.
    sql`insert into contractor.blueprint_foundation as link (blueprint, foundation_blueprint, linked)
        select distinct structure, foundation, true from ${pairs(links)} order by 1, 2
        on conflict (blueprint, foundation_blueprint) do update set linked = true where not link.linked
        returning blueprint as structure, foundation_blueprint as foundation, xmax = 0 as is_new`,
  )
  const made = written.filter(row => row.is_new).map(({ structure, foundation }) => ({ structure, foundation }))
  if (!made.length) return made
  const changed = [...new Set(made.map(link => link.structure))]
  await tx.execute(
    sql`update contractor.blueprint set updated_at = ${engine.clock.now()}
        where name in (select structure from ${pairs(made)})`,
  )
  const by = whoIs(options)
  await recordEvents(
    engine,
    tx,
    changed.map(blueprint => ({ type: 'blueprint.changed' as const, by, data: { blueprint } })),
  )
  return made
}
