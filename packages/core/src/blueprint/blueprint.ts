import { ContractorError } from '@contractor/plugin'
import { asc, inArray } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { blueprint, blueprintFoundation, blueprintParent, blueprintScript } from '../database/schema.ts'
import { type HardwareTemplate, hardwareTemplate } from '../hardware/template.ts'
import { configValues, interfaceName, plainName } from '../name.ts'

export const blueprintInput = z.strictObject({
  kind: z.enum(['structure', 'foundation']),
  name: plainName,
  description: z.string().default(''),
  /** BluePrints of the same kind, in the order in which they are inherited. */
  parents: z.array(plainName).default([]),
  /** What the BluePrint calls a script (create, destroy, or a utility name), and the script's name. */
  scripts: z.record(plainName, plainName).default({}),
  configValues: configValues.default({}),
  /** Of a FoundationBluePrint: the types that it may be used for; any unless said. */
  foundationTypes: z.array(z.string()).default([]),
  /** Of a StructureBluePrint: the FoundationBluePrints that it may stand on; any unless said. */
  foundationBlueprints: z.array(plainName).default([]),
  /** Of a FoundationBluePrint: what hardware must show before it is located. What it asks, its heirs ask as well. */
  template: hardwareTemplate.nullable().default(null),
  /** Of a FoundationBluePrint: the ports of such a machine, for the physical locations of its interfaces. */
  physicalInterfaceNames: z.array(interfaceName).default([]),
})
export type BlueprintInput = z.output<typeof blueprintInput>

export const blueprintView = blueprintInput.extend({ updatedAt: z.iso.datetime() })
export type Blueprint = z.output<typeof blueprintView>

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
    updatedAt: row.updatedAt.toISOString(),
  }))
}
