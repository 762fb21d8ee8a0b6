import { ContractorError } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'
import { type TargetRef, targetKey } from './target.ts'

/** A place in the graph of what needs what. A Complex needs its members. */
export type Node = TargetRef | { complex: string }

/**
 * Refuses an edge that would close a circle: `from` is about to need `to`, so `to` must not need `from` already, over
 * any number of Foundations, Dependencies and Complexes. The message shows the path of the circle.
 */
export async function refuseCircle(tx: Db, from: Node, to: Node): Promise<void> {
  const start = nodeKey(to)
  const goal = nodeKey(from)
  const cameFrom = new Map<string, string | undefined>([[start, undefined]])
  let level = [start]
  while (level.length && !cameFrom.has(goal)) {
    const edges = await needsOf(tx, level)
    level = []
    for (const { one, needs } of edges) {
      if (cameFrom.has(needs)) continue
      cameFrom.set(needs, one)
      level.push(needs)
    }
  }
  if (!cameFrom.has(goal)) return
  const path: string[] = []
  for (let at: string | undefined = goal; at !== undefined; at = cameFrom.get(at)) path.unshift(at)
  const circle = [goal, ...path].map(readable).join(' → ')
  throw new ContractorError('VALIDATION_FAILED', `${readable(goal)} would need itself: ${circle}`, {
    issues: [{ path: '', message: circle }],
  })
}

function nodeKey(node: Node): string {
  return 'complex' in node ? `complex ${node.complex}` : targetKey(node)
}

const readable = (key: string) => key.charAt(0).toUpperCase() + key.slice(1)

/** The edges from these places, by key: one statement. */
function needsOf(tx: Db, keys: readonly string[]): Promise<{ one: string; needs: string }[]> {
  return executeRows(
    tx,
    sql`with wanted as (select value as key from jsonb_array_elements_text(${JSON.stringify(keys)}::jsonb) as value)
        select one, needs from (
          select 'structure ' || id as one, 'foundation ' || foundation as needs from contractor.structure
          union all select 'foundation ' || foundation, 'dependency ' || id from contractor.dependency
          union all select 'dependency ' || id, 'structure ' || structure from contractor.dependency where structure is not null
          union all select 'dependency ' || id, 'dependency ' || dependency from contractor.dependency where dependency is not null
          union all select 'foundation ' || locator, 'complex ' || complex from contractor.foundation where complex is not null
          union all select 'complex ' || complex, 'structure ' || structure from contractor.complex_member
        ) as edge where one in (select key from wanted)`,
  )
}
