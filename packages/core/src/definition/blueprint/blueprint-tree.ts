import type { Json } from '@contractor/contract'
import { inArray, sql } from 'drizzle-orm'
import type { Values } from '../../database/columns.ts'
import { type Db, executeRows } from '../../database/database.ts'
import { blueprint, blueprintScript } from '../../database/schema.ts'

/** BluePrints with all their ancestors, as read by one call. */
export interface BlueprintTree {
  readonly nodes: ReadonlyMap<string, BlueprintNode>
}

export interface BlueprintNode {
  readonly name: string
  readonly updatedAt: Date
  /** In the order in which they were given. */
  readonly parents: readonly string[]
  readonly configValues: Values
  readonly foundationTypes: readonly string[]
  /** Of a FoundationBluePrint: how it names the ports of such a machine. */
  readonly physicalInterfaceNames: readonly string[]
  /** Of a FoundationBluePrint: its own validation template. */
  readonly template: Json
  /** What this BluePrint itself calls a script, and the script's name. */
  readonly scripts: ReadonlyMap<string, string>
}

/** Reads the named BluePrints and everything that they inherit from: three statements, however many there are. */
export async function loadBlueprintTree(db: Db, names: readonly string[]): Promise<BlueprintTree> {
  if (!names.length) return { nodes: new Map() }
  const wanted = sql.join(
    [...new Set(names)].map(name => sql`${name}`),
    sql`, `,
  )
  const links = await executeRows<{ blueprint: string; parent: string }>(
    db,
    sql`with recursive line as (
          select blueprint, parent, position from contractor.blueprint_parent where blueprint in (${wanted})
          union
          select up.blueprint, up.parent, up.position from contractor.blueprint_parent up join line on line.parent = up.blueprint
        ) select blueprint, parent from line order by blueprint, position`,
  )
  const all = [...new Set([...names, ...links.map(link => link.parent)])]
  const rows = await db.select().from(blueprint).where(inArray(blueprint.name, all))
  const scripts = await db.select().from(blueprintScript).where(inArray(blueprintScript.blueprint, all))
  return {
    nodes: new Map(
      rows.map(row => [
        row.name,
        {
          name: row.name,
          updatedAt: row.updatedAt,
          parents: links.filter(link => link.blueprint === row.name).map(link => link.parent),
          configValues: row.configValues,
          foundationTypes: row.foundationTypes,
          physicalInterfaceNames: row.physicalInterfaceNames,
          template: row.template ?? null,
          scripts: new Map(scripts.filter(one => one.blueprint === row.name).map(one => [one.name, one.script])),
        },
      ]),
    ),
  }
}

/** A BluePrint's line in the order in which values are merged: every ancestor once, before its heirs. */
export function ancestorsFirst(tree: BlueprintTree, name: string): BlueprintNode[] {
  const line = new Map<string, BlueprintNode>()
  const visit = (at: string) => {
    const node = tree.nodes.get(at)
    if (!node || line.has(at)) return
    for (const parent of node.parents) visit(parent)
    line.set(at, node)
  }
  visit(name)
  return [...line.values()]
}

/** The script that a BluePrint means by a name: its own, or the nearest ancestor's. */
export function findScript(tree: BlueprintTree, name: string, action: string): string | undefined {
  return findNearest(tree, name, node => node.scripts.get(action))
}

/** What a BluePrint itself has, or else its nearest ancestor, breadth first. */
export function findNearest<T>(
  tree: BlueprintTree,
  name: string,
  pick: (node: BlueprintNode) => T | undefined,
): T | undefined {
  let level = [name]
  const seen = new Set<string>()
  while (level.length) {
    const nodes = level.map(at => tree.nodes.get(at)).filter(node => node !== undefined)
    for (const node of nodes) {
      const found = pick(node)
      if (found !== undefined) return found
      seen.add(node.name)
    }
    level = [...new Set(nodes.flatMap(node => node.parents))].filter(parent => !seen.has(parent))
  }
  return undefined
}
