import type { StructureInput } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../../database/database.ts'
import { checkHostnames } from '../../dns/site-zone.ts'
import { type CallOptions, type Engine, whoIs } from '../../engine/engine.ts'
import { recordConfigChanges } from '../../event/record-config-changes.ts'
import { recordEvents } from '../../event/record-events.ts'
import type { StructureRow } from '../../graph/target.ts'
import { checkStructures, explainConflict } from './structure-laws.ts'

interface Added extends Record<string, unknown> {
  id: number | string
  foundation: string
  config_uuid: string
  created_ms: string
}

/** Adds Structures, all or none, in the order in which they are given; a number of statements that does not grow. */
export async function addStructures(
  engine: Engine,
  tx: Db,
  inputs: readonly StructureInput[],
  options: CallOptions,
): Promise<StructureRow[]> {
  await checkStructures(tx, inputs)
  const added = await insertStructures(engine, tx, inputs)
  const rows: StructureRow[] = []
  for (const input of inputs) {
    const one = added.get(input.foundation)
    // One that stands on the same Foundation as another of these finds that one's row gone.
    if (!one || !added.delete(input.foundation)) throw await explainConflict(tx, [input], [])
    rows.push(toRow(input, one))
  }
  await checkHostnames(
    tx,
    rows.map(row => row.id),
  )
  const by = whoIs(options)
  await recordEvents(
    engine,
    tx,
    rows.map(row => ({ type: 'structure.created' as const, by, structure: row.id })),
  )
  const changed = rows.map(row => ({ owner: { structure: row.id }, before: {}, after: row.configValues }))
  await recordConfigChanges(engine, tx, by, changed)
  return rows
}

/** By Foundation, which no two have. As one parameter: thousands of them cost the driver more than the database. */
async function insertStructures(
  engine: Engine,
  tx: Db,
  inputs: readonly StructureInput[],
): Promise<Map<string, Added>> {
  const now = engine.clock.now()
  const rows = await executePrepared<Added>(
    tx,
    sql`insert into contractor.structure (hostname, site, blueprint, foundation, config_values, created_at, updated_at)
        select hostname, site, blueprint, foundation, "configValues", ${now}, ${now}
        from jsonb_to_recordset(${JSON.stringify(inputs.map((input, place) => ({ ...input, place })))}::jsonb)
          as new(place int, hostname text, site text, blueprint text, foundation text, "configValues" jsonb)
        order by place
        on conflict do nothing
        returning id, foundation, config_uuid::text, (extract(epoch from created_at) * 1000)::bigint::text as created_ms`,
  )
  return new Map(rows.map(row => [row.foundation, row]))
}

function toRow(input: StructureInput, { id, config_uuid, created_ms }: Added): StructureRow {
  const createdAt = new Date(Number(created_ms))
  return {
    ...input,
    ...{
      id: Number(id),
      configUuid: config_uuid,
      state: 'planned',
      builtAt: null,
      version: 1,
      createdAt,
      updatedAt: createdAt,
    },
  }
}
