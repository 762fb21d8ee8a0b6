import type { BlueprintInput } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import { type Db, executeRows } from '../../database/database.ts'
import { takingLock } from '../../database/lock-order.ts'
import type { Engine } from '../../engine/engine.ts'

const listed = (names: readonly string[]): SQL =>
  sql`(select value from jsonb_array_elements_text(${JSON.stringify(names)}::jsonb) as value)`

/** Always in one order: two that save the same ones wait for each other and do not deadlock. */
export async function lockBlueprints(tx: Db, names: readonly string[]): Promise<void> {
  takingLock(tx, 'blueprint')
  await tx.execute(sql`select from contractor.blueprint where name in ${listed(names)} order by name for no key update`)
}

/** Which links of these BluePrints other files than their own have made. */
export async function loadLinked(tx: Db, names: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await executeRows<{ blueprint: string; links: string[] }>(
    tx,
    sql`select blueprint, jsonb_agg(foundation_blueprint) as links from contractor.blueprint_foundation
        where linked and blueprint in ${listed(names)} group by blueprint`,
  )
  return new Map(rows.map(row => [row.blueprint, row.links]))
}

/** Writes rows first, and then, when `check` has passed, what leads from them to others. */
export async function writeBlueprints(
  engine: Engine,
  tx: Db,
  inputs: readonly BlueprintInput[],
  check: () => Promise<void>,
): Promise<void> {
  const now = engine.clock.now()
  await tx.execute(
    sql`insert into contractor.blueprint (name, kind, description, config_values, foundation_types, template,
          physical_interface_names, created_at, updated_at)
        select name, kind::contractor.blueprint_kind, description, "configValues", "foundationTypes",
          nullif(template, 'null'::jsonb), "physicalInterfaceNames", ${now}, ${now}
        from jsonb_to_recordset(${JSON.stringify(inputs)}::jsonb) as new(name text, kind text, description text,
          "configValues" jsonb, "foundationTypes" text[], template jsonb, "physicalInterfaceNames" text[])
        order by name
        on conflict (name) do update set description = excluded.description, config_values = excluded.config_values,
          foundation_types = excluded.foundation_types, template = excluded.template,
          physical_interface_names = excluded.physical_interface_names, updated_at = excluded.updated_at`,
  )
  await check()
  await writeParents(tx, inputs)
  await writeScripts(tx, inputs)
  await writeLinks(tx, inputs)
}

async function writeParents(tx: Db, inputs: readonly BlueprintInput[]): Promise<void> {
  const rows = inputs.flatMap(({ name, parents }) =>
    parents.map((parent, position) => ({ blueprint: name, parent, position })),
  )
  await tx.execute(sql`delete from contractor.blueprint_parent where blueprint in ${listed(inputs.map(nameOf))}`)
  await tx.execute(
    sql`insert into contractor.blueprint_parent (blueprint, parent, position)
        select blueprint, parent, position from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as new(blueprint text, parent text, position int)`,
  )
}

async function writeScripts(tx: Db, inputs: readonly BlueprintInput[]): Promise<void> {
  const rows = inputs.flatMap(({ name, scripts }) =>
    Object.entries(scripts).map(([called, script]) => ({ blueprint: name, name: called, script })),
  )
  await tx.execute(sql`delete from contractor.blueprint_script where blueprint in ${listed(inputs.map(nameOf))}`)
  await tx.execute(
    sql`insert into contractor.blueprint_script (blueprint, name, script)
        select blueprint, name, script from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as new(blueprint text, name text, script text)`,
  )
}

/** A link that stays keeps the memory of who made it. */
async function writeLinks(tx: Db, inputs: readonly BlueprintInput[]): Promise<void> {
  const rows = JSON.stringify(
    inputs.flatMap(({ name, foundationBlueprints }) =>
      foundationBlueprints.map(foundation => ({ blueprint: name, foundation })),
    ),
  )
  const wanted = sql`jsonb_to_recordset(${rows}::jsonb) as new(blueprint text, foundation text)`
  await tx.execute(
    sql`delete from contractor.blueprint_foundation
        where blueprint in ${listed(inputs.map(nameOf))}
          and (blueprint, foundation_blueprint) not in (select blueprint, foundation from ${wanted})`,
  )
  await tx.execute(
    sql`insert into contractor.blueprint_foundation (blueprint, foundation_blueprint)
        select blueprint, foundation from ${wanted} on conflict do nothing`,
  )
}

const nameOf = (input: BlueprintInput) => input.name
