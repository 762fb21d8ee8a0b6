import {
  type Blueprint,
  ContractorError,
  blueprintInput as declared,
  type HardwareTemplate,
} from '@contractor/contract'
import { asc, inArray } from 'drizzle-orm'
import type { Db } from '../../database/database.ts'
import { blueprint, blueprintFoundation, blueprintParent, blueprintScript } from '../../database/schema.ts'
import { shownStamps } from '../../noun/stamps.ts'
import { hardwareTemplate } from './hardware-template.ts'

/** As it is declared, with a template whose patterns can be used. */
export const blueprintInput = declared.extend({ template: hardwareTemplate.nullable().default(null) })

/** A whole BluePrint; NOT_FOUND when there is none, or none of that kind. */
export async function requireBlueprint(db: Db, name: string, kind?: Blueprint['kind']): Promise<Blueprint> {
  const [found] = await selectBlueprints(db, [name])
  if (found && (kind === undefined || found.kind === kind)) return found
  const what = kind === undefined ? 'BluePrint' : kind === 'structure' ? 'StructureBluePrint' : 'FoundationBluePrint'
  const why = found
    ? `'${name}' is a ${found.kind === 'structure' ? 'Structure' : 'Foundation'}BluePrint`
    : 'it does not exist'
  throw new ContractorError('NOT_FOUND', `There is no ${what} '${name}': ${why}`, { kind: what, id: name })
}

/** Whole BluePrints by name: four statements, however many. */
export async function selectBlueprints(db: Db, names: readonly string[]): Promise<Blueprint[]> {
  if (!names.length) return []
  const wanted = [...names]
  const rows = await db.select().from(blueprint).where(inArray(blueprint.name, wanted))
  const parents = await db
    .select()
    .from(blueprintParent)
    .where(inArray(blueprintParent.blueprint, wanted))
    .orderBy(asc(blueprintParent.position))
  const scripts = await db
    .select()
    .from(blueprintScript)
    .where(inArray(blueprintScript.blueprint, wanted))
    .orderBy(asc(blueprintScript.name))
  const foundations = await db
    .select()
    .from(blueprintFoundation)
    .where(inArray(blueprintFoundation.blueprint, wanted))
    .orderBy(asc(blueprintFoundation.foundationBlueprint))
  return rows.map(row => ({
    kind: row.kind,
    name: row.name,
    description: row.description,
    parents: parents.filter(one => one.blueprint === row.name).map(one => one.parent),
    scripts: Object.fromEntries(scripts.filter(one => one.blueprint === row.name).map(one => [one.name, one.script])),
    configValues: row.configValues,
    foundationTypes: row.foundationTypes,
    foundationBlueprints: foundations.filter(one => one.blueprint === row.name).map(one => one.foundationBlueprint),
    template: (row.template ?? null) as HardwareTemplate | null,
    physicalInterfaceNames: row.physicalInterfaceNames,
    ...shownStamps(row),
  }))
}
