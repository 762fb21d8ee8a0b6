import { ContractorError } from '@contractor/contract'
import type { Db } from '../database/database.ts'
import { edgesFrom, type Node, nodeKey } from './edges.ts'

/**
 * Refuses an edge that would close a circle: `from` is about to need `to`, so `to` must not need `from` already, over
 * any number of Foundations, Dependencies and Complexes. The message shows the path of the circle.
 */
export async function refuseCircle(tx: Db, from: Node, to: Node): Promise<void> {
  const goal = nodeKey(from)
  const cameFrom = new Map<string, string | undefined>([[nodeKey(to), undefined]])
  let level: Node[] = [to]
  while (level.length && !cameFrom.has(goal)) {
    const edges = await edgesFrom(tx, level)
    level = []
    for (const edge of edges) {
      if (cameFrom.has(nodeKey(edge.to))) continue
      cameFrom.set(nodeKey(edge.to), nodeKey(edge.from))
      level.push(edge.to)
    }
  }
  if (!cameFrom.has(goal)) return
  const path: string[] = []
  for (let at: string | undefined = goal; at !== undefined; at = cameFrom.get(at)) path.unshift(at)
  const circle = [goal, ...path].join(' → ')
  throw new ContractorError('VALIDATION_FAILED', `${goal} would need itself: ${circle}`, {
    issues: [{ path: '', message: circle }],
  })
}
