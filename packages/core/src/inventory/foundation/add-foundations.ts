import { ContractorError, type FoundationInput } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executePrepared } from '../../database/database.ts'
import { type CallOptions, type Engine, whoIs } from '../../engine/engine.ts'
import { recordEvents } from '../../event/record-events.ts'
import type { FoundationRow } from '../../graph/target.ts'
import { checkFoundations } from './foundation-laws.ts'

interface Added extends Record<string, unknown> {
  locator: string
  created_ms: string
}

/** Adds Foundations, all or none, in the order in which they are given; a number of statements that does not grow. */
export async function addFoundations(
  engine: Engine,
  tx: Db,
  inputs: readonly FoundationInput[],
  options: CallOptions,
): Promise<FoundationRow[]> {
  await checkFoundations(engine, tx, inputs)
  const added = await insertFoundations(engine, tx, inputs)
  const rows = inputs.map((input): FoundationRow => {
    const createdMs = added.get(input.locator)
    // The second of two with one locator finds it taken as well.
    if (createdMs === undefined || !added.delete(input.locator)) throw taken(input.locator)
    const createdAt = new Date(createdMs)
    return {
      ...input,
      ...{ state: 'planned', idMap: null, locatedAt: null, builtAt: null, version: 1, createdAt, updatedAt: createdAt },
    }
  })
  const by = whoIs(options)
  await recordEvents(
    engine,
    tx,
    rows.map(row => ({ type: 'foundation.created' as const, by, foundation: row.locator })),
  )
  return rows
}

/** When each was added, by locator; those whose locator is taken are left out. */
async function insertFoundations(
  engine: Engine,
  tx: Db,
  inputs: readonly FoundationInput[],
): Promise<Map<string, number>> {
  const now = engine.clock.now()
  const rows = await executePrepared<Added>(
    tx,
    sql`insert into contractor.foundation
          (locator, type, site, blueprint, complex, plot, serials, bmc_mac, fields, created_at, updated_at)
        select locator, type, site, blueprint, complex, plot, serials, "bmcMac"::macaddr, fields, ${now}, ${now}
        from jsonb_to_recordset(${JSON.stringify(inputs)}::jsonb) as new(locator text, type text, site text,
          blueprint text, complex text, plot text, serials text[], "bmcMac" text, fields jsonb)
        on conflict do nothing
        returning locator, (extract(epoch from created_at) * 1000)::bigint::text as created_ms`,
  )
  return new Map(rows.map(row => [row.locator, Number(row.created_ms)]))
}

const taken = (locator: string) =>
  new ContractorError('ALREADY_EXISTS', `A Foundation '${locator}' exists already`, { kind: 'Foundation', id: locator })
