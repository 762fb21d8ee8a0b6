import { ContractorError, type StructureInput } from '@contractor/contract'
import { and, inArray, or, sql } from 'drizzle-orm'
import { type Db, executeRows } from '../../database/database.ts'
import { blueprint, foundation, structure } from '../../database/schema.ts'
import { selectBlueprints } from '../../definition/blueprint/blueprint.ts'
import { ancestorsFirst, loadBlueprintTree } from '../../definition/blueprint/blueprint-tree.ts'
import { usersOf } from '../../graph/edges.ts'
import { refuseUnknown } from '../../noun/references.ts'

type Made = Pick<StructureInput, 'hostname' | 'site' | 'blueprint' | 'foundation'>

/**
 * What must hold for Structures before they are written: their Site, BluePrint and Foundation exist, and their BluePrint
 * may stand on the Foundation's. A number of statements that does not grow with them.
 */
export async function checkStructures(tx: Db, made: readonly Made[]): Promise<void> {
  const distinct = (values: string[]) => [...new Set(values)]
  await refuseUnknown(tx, { Site: made.map(one => one.site), Foundation: made.map(one => one.foundation) })
  const wanted = distinct(made.map(one => one.blueprint))
  const blueprints = await tx
    .select({ name: blueprint.name, kind: blueprint.kind })
    .from(blueprint)
    .where(inArray(blueprint.name, wanted))
  for (const name of wanted) {
    const found = blueprints.find(one => one.name === name)
    if (found?.kind === 'structure') continue
    const why = found ? `'${name}' is a FoundationBluePrint` : 'it does not exist'
    throw new ContractorError('NOT_FOUND', `There is no StructureBluePrint '${name}': ${why}`, {
      kind: 'StructureBluePrint',
      id: name,
    })
  }
  const locators = distinct(made.map(one => one.foundation))
  const under = await tx
    .select({ name: foundation.locator, blueprint: foundation.blueprint })
    .from(foundation)
    .where(
      sql`${foundation.locator} in (select value from jsonb_array_elements_text(${JSON.stringify(locators)}::jsonb))`,
    )
  await checkPairs(tx, made, new Map(under.map(row => [row.name, row.blueprint])))
}

/** A BluePrint that names FoundationBluePrints, itself or by inheritance, may stand on those and on their heirs only. */
async function checkPairs(tx: Db, made: readonly Made[], under: ReadonlyMap<string, string>): Promise<void> {
  const pairs = new Map(made.map(one => [`${one.blueprint}\n${under.get(one.foundation)}`, one]))
  const tree = await loadBlueprintTree(tx, [...made.map(one => one.blueprint), ...under.values()])
  const links = new Map(
    (await selectBlueprints(tx, [...tree.nodes.keys()])).map(one => [one.name, one.foundationBlueprints]),
  )
  for (const one of pairs.values()) {
    const below = under.get(one.foundation) ?? ''
    const allowed = new Set(ancestorsFirst(tree, one.blueprint).flatMap(node => links.get(node.name) ?? []))
    if (!allowed.size || ancestorsFirst(tree, below).some(node => allowed.has(node.name))) continue
    throw new ContractorError(
      'VALIDATION_FAILED',
      `BluePrint '${one.blueprint}' may stand on ${[...allowed].join(', ')}; Foundation '${one.foundation}' is a '${below}'`,
      { issues: [{ path: 'foundation', message: `has the BluePrint ${below}` }] },
    )
  }
}

/** Why Structures could not be written: whose hostname or Foundation is taken by one that is not among their own. */
export async function explainConflict(
  tx: Db,
  made: readonly Made[],
  own: readonly { id: number }[],
): Promise<ContractorError> {
  const all = await tx
    .select()
    .from(structure)
    .where(
      or(
        inArray(
          structure.foundation,
          made.map(one => one.foundation),
        ),
        and(
          inArray(
            structure.hostname,
            made.map(one => one.hostname),
          ),
          inArray(
            structure.site,
            made.map(one => one.site),
          ),
        ),
      ),
    )
    .orderBy(sql`${structure.id}`)
  const found = all.filter(row => !own.some(one => one.id === row.id))
  const same = (one: Made, other: Made) => one !== other && one.hostname === other.hostname && one.site === other.site
  for (const one of made) {
    if (
      found.some(row => row.hostname === one.hostname && row.site === one.site) ||
      made.some(other => same(one, other))
    )
      return new ContractorError('ALREADY_EXISTS', `Site '${one.site}' has a Structure '${one.hostname}' already`, {
        kind: 'Structure',
        id: one.hostname,
      })
    const stands = [...found, ...made.filter(other => other !== one)].find(other => other.foundation === one.foundation)
    if (stands)
      return new ContractorError(
        'IN_USE',
        `Foundation '${one.foundation}' cannot be used: Structure '${stands.hostname}' of Site '${stands.site}' stands on it already`,
        { kind: 'Foundation', id: one.foundation, by: [`Structure ${stands.hostname}`] },
      )
  }
  return new ContractorError('ALREADY_EXISTS', 'A Structure of that name exists already', {
    kind: 'Structure',
    id: made[0]?.hostname ?? '',
  })
}

/** What keeps a Structure from being deleted. */
export async function usersOfStructure(tx: Db, id: number): Promise<string[]> {
  const needed = await usersOf(tx, { kind: 'Structure', key: id }, ['depends on', 'runs scripts on', 'consists of'])
  const pointing = await executeRows<{ ip: string }>(
    tx,
    sql`select host(other.ip) as ip from contractor.address own
        join contractor.address other on other.pointer = own.id and other.structure <> own.structure
        where own.structure = ${id}`,
  )
  return [...needed, ...pointing.map(({ ip }) => `Address ${ip}`)]
}
