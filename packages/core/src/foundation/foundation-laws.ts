import { ContractorError, json, parseInput, secretMask } from '@contractor/plugin'
import { holdsSecret, mapSecretPlaces } from '@contractor/plugin/engine'
import { eq, inArray } from 'drizzle-orm'
import { ancestorsFirst, loadBlueprintTree } from '../blueprint/blueprint-tree.ts'
import type { Db } from '../database/database.ts'
import { blueprint as blueprintTable, dependency } from '../database/schema.ts'
import type { Engine } from '../engine/engine.ts'
import type { Hardware } from '../hardware/hardware.ts'
import { loadNeighbours } from '../job/neighbours.ts'
import type { FoundationRow } from '../job/target.ts'
import { refuseUnknown } from '../references.ts'
import type { FoundationInput } from './foundation.ts'
import { checkIdMap } from './id-map.ts'

type Made = Pick<FoundationInput, 'locator' | 'type' | 'site' | 'blueprint' | 'complex' | 'plot'>

/**
 * What must hold for Foundations before they are written: their Site, BluePrint, Complex and Plot exist, and their
 * BluePrint is for their type. A number of statements that does not grow with them.
 */
export async function checkFoundations(tx: Db, made: readonly Made[]): Promise<void> {
  await refuseUnknown(tx, {
    Site: made.map(one => one.site),
    Complex: made.map(one => one.complex),
    Plot: made.map(one => one.plot),
  })
  await checkBlueprints(tx, made)
}

/** A BluePrint that names types, itself or by inheritance, may be used for those only. */
async function checkBlueprints(tx: Db, made: readonly Made[]): Promise<void> {
  const names = [...new Set(made.map(one => one.blueprint))]
  const found = await tx
    .select({ name: blueprintTable.name, kind: blueprintTable.kind })
    .from(blueprintTable)
    .where(inArray(blueprintTable.name, names))
  for (const name of names) {
    const one = found.find(row => row.name === name)
    if (one?.kind === 'foundation') continue
    const why = one ? `'${name}' is a StructureBluePrint` : 'it does not exist'
    throw new ContractorError('NOT_FOUND', `There is no FoundationBluePrint '${name}': ${why}`, {
      kind: 'FoundationBluePrint',
      id: name,
    })
  }
  const tree = await loadBlueprintTree(tx, names)
  const types = new Map(
    names.map(name => [name, new Set(ancestorsFirst(tree, name).flatMap(node => node.foundationTypes))]),
  )
  for (const { blueprint, type } of made) {
    const allowed = types.get(blueprint)
    if (!allowed?.size || allowed.has(type)) continue
    const list = [...allowed].join(', ')
    throw new ContractorError(
      'VALIDATION_FAILED',
      `BluePrint '${blueprint}' is for Foundations of type ${list}, not ${type}`,
      { issues: [{ path: 'blueprint', message: `is for ${list}` }] },
    )
  }
}

/**
 * A Foundation's own fields, checked by its type's schema, with the secret ones sealed. A secret that is given as it is
 * shown (`***`) is the present one.
 */
export function parseFields(
  engine: Engine,
  type: string,
  locator: string,
  fields: FoundationRow['fields'],
  present: FoundationRow['fields'] = {},
): FoundationRow['fields'] {
  const plugin = engine.plugins.getFoundation(type)
  const what = `The ${type} fields of Foundation '${locator}'`
  const kept = mapSecretPlaces(plugin.fields, fields, (text, path) => {
    const before = text === secretMask ? present[path] : undefined
    return typeof before === 'string' ? before : text
  })
  const parsed = json.parse(parseInput(engine.plugins.getFields(type), kept, what))
  return mapSecretPlaces(plugin.fields, parsed, (text, path) =>
    holdsSecret(text) ? text : engine.seals.seal(text, `Field '${path}' of Foundation '${locator}'`),
  ) as FoundationRow['fields']
}

/** Whether an operator may say that a Foundation is in a state. Throws WRONG_STATE or HARDWARE_MISMATCH. */
export async function checkStateChange(
  tx: Db,
  row: FoundationRow,
  to: 'located' | 'built' | 'destroyed',
  idMap?: Hardware,
): Promise<void> {
  const from = { located: ['planned'], built: ['planned', 'located'], destroyed: ['located', 'built'] }[to]
  const refuse = (why: string) =>
    new ContractorError('WRONG_STATE', `Foundation '${row.locator}' cannot be set ${to}: ${why}`, {
      kind: 'Foundation',
      id: row.locator,
      state: row.state,
    })
  if (!from.includes(row.state)) throw refuse(`it is ${row.state}`)
  const around = await loadNeighbours(tx, [{ foundation: row }])
  const own = around.jobOf({ foundation: row.locator })
  // A create Job may be waiting for just this.
  if (own && to !== 'located') throw refuse(`Job ${own.id} is at it; cancel that first`)
  const heir = around.heirOf(row.locator)
  const heirJob = heir && around.jobOf({ structure: heir.id })
  if (heirJob && to === 'destroyed')
    throw refuse(`Structure '${heir.hostname}' has Job ${heirJob.id}; cancel that first`)
  // One that was located has shown its hardware.
  if (to !== 'destroyed' && (row.state === 'planned' || idMap)) await checkIdMap(tx, row, to, idMap)
}

/** What keeps a Foundation from being deleted. */
export async function usersOfFoundation(tx: Db, row: FoundationRow): Promise<string[]> {
  const around = await loadNeighbours(tx, [{ foundation: row }])
  const heir = around.heirOf(row.locator)
  const own = around.jobOf({ foundation: row.locator })
  const edges = await tx.select({ id: dependency.id }).from(dependency).where(eq(dependency.foundation, row.locator))
  return [
    ...(heir ? [`Structure ${heir.hostname}`] : []),
    ...edges.map(edge => `Dependency ${edge.id}`),
    ...(own ? [`Job ${own.id}`] : []),
  ]
}
