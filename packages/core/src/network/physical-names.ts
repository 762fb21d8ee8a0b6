import { inArray } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { foundation } from '../database/schema.ts'
import { findNearest, loadBlueprintTree } from '../definition/blueprint/blueprint-tree.ts'
import { refuseField } from '../noun/references.ts'

interface Port {
  name: string
  foundation: string
  physicalLocation: string | null
}

/**
 * Where a Foundation's BluePrint names the ports of such a machine, itself or by inheritance, a physical location is one
 * of these. A number of statements that does not grow with the ports, and none when none has a location.
 */
export async function refuseUnknownPorts(tx: Db, ports: readonly Port[]): Promise<void> {
  const placed = ports.filter(port => port.physicalLocation !== null)
  if (!placed.length) return
  const locators = [...new Set(placed.map(port => port.foundation))]
  const rows = await tx
    .select({ locator: foundation.locator, blueprint: foundation.blueprint })
    .from(foundation)
    .where(inArray(foundation.locator, locators))
  const blueprints = new Map(rows.map(row => [row.locator, row.blueprint]))
  const tree = await loadBlueprintTree(tx, [...blueprints.values()])
  for (const { name, foundation: locator, physicalLocation } of placed) {
    const named = findNearest(tree, blueprints.get(locator) ?? '', node =>
      node.physicalInterfaceNames.length ? node : undefined,
    )
    if (!named || named.physicalInterfaceNames.includes(physicalLocation ?? '')) continue
    throw refuseField(
      'physicalLocation',
      `Interface '${name}' of Foundation '${locator}' cannot be at '${physicalLocation}': BluePrint '${named.name}' names the ports ${named.physicalInterfaceNames.join(', ')}`,
    )
  }
}
