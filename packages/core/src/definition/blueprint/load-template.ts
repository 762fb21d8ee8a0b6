import { type HardwareTemplate, parseInput } from '@contractor/contract'
import type { Db } from '../../database/database.ts'
import { ancestorsFirst, loadBlueprintTree } from './blueprint-tree.ts'
import { asksNothing, hardwareTemplate, mergeTemplates } from './hardware-template.ts'

export interface LoadedTemplate {
  readonly template: HardwareTemplate
  /** The BluePrints of the line that have a part in it, the nearest first. */
  readonly from: readonly string[]
}

/**
 * What a FoundationBluePrint and all that it inherits from want of hardware; undefined when they want nothing.
 */
export async function loadTemplate(db: Db, blueprint: string): Promise<LoadedTemplate | undefined> {
  const line = ancestorsFirst(await loadBlueprintTree(db, [blueprint]), blueprint).flatMap(({ name, template }) =>
    template === null
      ? []
      : [{ name, template: parseInput(hardwareTemplate, template, `The validation template of BluePrint '${name}'`) }],
  )
  const asking = line.filter(({ template }) => !asksNothing(template))
  if (!asking.length) return undefined
  return { template: mergeTemplates(asking.map(one => one.template)), from: asking.map(one => one.name).reverse() }
}
