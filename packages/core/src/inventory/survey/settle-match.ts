import type { Hardware } from '@contractor/contract'
import type { Db } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import { recordEvents } from '../../event/record-events.ts'
import type { FoundationRow } from '../../graph/target.ts'
import { applyStateChanges } from '../../graph/target-state.ts'
import { differencesOf, writeIdMap } from '../foundation/id-map.ts'
import type { Difference } from '../hardware/check-hardware.ts'
import { learnMacs } from './learn-macs.ts'

/**
 * What follows from a match. A machine whose hardware is not what the template wants changes nothing: it may be the wrong
 * one in the right place. Else its id map and MACs are kept, and a planned Foundation is located, for which its create
 * Job may wait. What a located or built Foundation knows of itself stays; only what it lacks is added.
 */
export async function settleMatch(
  engine: Engine,
  tx: Db,
  row: FoundationRow,
  report: Hardware,
  by: string,
): Promise<{ differences: Difference[]; warnings: string[] }> {
  const differences = await differencesOf(tx, row, report)
  if (differences.length) return { differences, warnings: [] }
  const { locator } = row
  if (row.state === 'planned' || row.idMap === null) await writeIdMap(engine, tx, locator, report)
  const { learnt, warnings } = await learnMacs(engine, tx, locator, report)
  const changed = learnt.map(name => ({
    type: 'interface.changed' as const,
    ...{ by, foundation: locator, data: { interface: name } },
  }))
  await recordEvents(engine, tx, changed)
  if (row.state === 'planned') await applyStateChanges(engine, tx, [{ to: 'located', foundation: locator }], by)
  return { differences, warnings }
}
