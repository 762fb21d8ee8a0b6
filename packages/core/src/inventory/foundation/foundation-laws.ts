import { ContractorError, type FoundationInput, type Hardware } from '@contractor/contract'
import { eq, inArray } from 'drizzle-orm'
import type { Db } from '../../database/database.ts'
import { blueprint as blueprintTable, complex as complexTable, dependency } from '../../database/schema.ts'
import { ancestorsFirst, loadBlueprintTree } from '../../definition/blueprint/blueprint-tree.ts'
import type { Engine } from '../../engine/engine.ts'
import { loadNeighbours } from '../../graph/neighbours.ts'
import type { FoundationRow } from '../../graph/target.ts'
import { refuseUnknown } from '../../noun/references.ts'
import { checkIdMap } from './id-map.ts'

type Made = Pick<FoundationInput, 'locator' | 'type' | 'site' | 'blueprint' | 'complex' | 'plot'>

/**
 * What must hold for Foundations before they are written: their Site, BluePrint, Complex and Plot exist, and their
 * BluePrint is for their type. A number of statements that does not grow with them.
 */
export async function checkFoundations(engine: Engine, tx: Db, made: readonly Made[]): Promise<void> {
  await refuseUnknown(tx, {
    Site: made.map(one => one.site),
    Complex: made.map(one => one.complex),
    Plot: made.map(one => one.plot),
  })
  await checkBlueprints(tx, made)
  await checkComplexes(engine, tx, made)
}

/** A type that declares its Complex stands on one, and on no other type of it. */
async function checkComplexes(engine: Engine, tx: Db, made: readonly Made[]): Promise<void> {
  const bound = made.flatMap(one => {
    const wanted = engine.plugins.foundations.get(one.type)?.complex?.type
    return wanted === undefined ? [] : [{ ...one, wanted }]
  })
  if (!bound.length) return
  const names = bound.flatMap(one => one.complex ?? [])
  const rows = await tx.select().from(complexTable).where(inArray(complexTable.name, names))
  for (const { locator, type, complex, wanted } of bound) {
    const found = rows.find(row => row.name === complex)
    if (found?.type === wanted) continue
    const what =
      complex === null ? 'none is named' : `'${complex}' is ${found?.type ? `a ${found.type}` : 'of no type'}`
    throw new ContractorError(
      'VALIDATION_FAILED',
      `Foundation '${locator}' of type ${type} is provided by a Complex of type ${wanted}, and ${what}`,
      { issues: [{ path: 'complex', message: `must name a Complex of type ${wanted}` }] },
    )
  }
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
  const above = around.structureOn(row.locator)
  const jobAbove = above && around.jobOf({ structure: above.id })
  if (jobAbove && to === 'destroyed')
    throw refuse(`Structure '${above.hostname}' has Job ${jobAbove.id}; cancel that first`)
  // One that was located has shown its hardware.
  if (to !== 'destroyed' && (row.state === 'planned' || idMap)) await checkIdMap(tx, row, to, idMap)
}

/** What keeps a Foundation from being deleted. */
export async function usersOfFoundation(tx: Db, row: FoundationRow): Promise<string[]> {
  const around = await loadNeighbours(tx, [{ foundation: row }])
  const above = around.structureOn(row.locator)
  const own = around.jobOf({ foundation: row.locator })
  const edges = await tx.select({ id: dependency.id }).from(dependency).where(eq(dependency.foundation, row.locator))
  return [
    ...(above ? [`Structure ${above.hostname}`] : []),
    ...edges.map(edge => `Dependency ${edge.id}`),
    ...(own ? [`Job ${own.id}`] : []),
  ]
}
