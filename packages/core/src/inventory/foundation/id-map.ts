import { asJson, ContractorError, type Hardware } from '@contractor/contract'
import { eq } from 'drizzle-orm'
import type { Db } from '../../database/database.ts'
import { foundation } from '../../database/schema.ts'
import { withoutProof } from '../../definition/blueprint/hardware-template.ts'
import { loadTemplate } from '../../definition/blueprint/load-template.ts'
import type { Engine } from '../../engine/engine.ts'
import type { FoundationRow } from '../../graph/target.ts'
import { checkHardware, type Difference } from '../hardware/check-hardware.ts'

/**
 * A Foundation whose BluePrint has a validation template is located, or built without having been located, only with an
 * id map that passes it. What a Complex provides is made by its own Job and has no hardware to show: the Foreman locates
 * that itself.
 */

/** What is not as the Foundation's BluePrint wants it. */
export async function differencesOf(db: Db, row: FoundationRow, idMap: Hardware): Promise<Difference[]> {
  const loaded = await loadTemplate(db, row.blueprint)
  return loaded ? checkHardware(loaded.template, idMap) : []
}

/** Throws HARDWARE_MISMATCH with every difference, or WRONG_STATE where an id map is wanted and none is given. */
export async function checkIdMap(
  db: Db,
  row: FoundationRow,
  to: 'located' | 'built',
  idMap: Hardware | undefined,
): Promise<void> {
  const loaded = await loadTemplate(db, row.blueprint)
  if (!loaded) return
  const { locator: id, state } = row
  if (!idMap) {
    const message = `Foundation '${id}' cannot be set ${to}: BluePrint '${loaded.from[0]}' has a validation template, and no id map was checked against it; give one, or let its machine report itself`
    throw new ContractorError('WRONG_STATE', message, { kind: 'Foundation', id, state })
  }
  const differences = checkHardware(loaded.template, idMap)
  if (!differences.length) return
  const list = differences.map(one => one.message).join('; ')
  const message = `Foundation '${id}' cannot be set ${to}: its hardware is not what BluePrint '${row.blueprint}' wants: ${list}`
  throw new ContractorError('HARDWARE_MISMATCH', message, { kind: 'Foundation', id, differences })
}

export async function writeIdMap(engine: Engine, tx: Db, locator: string, idMap: Hardware): Promise<void> {
  await tx
    .update(foundation)
    .set({ idMap: asJson(withoutProof(idMap)), updatedAt: engine.clock.now() })
    .where(eq(foundation.locator, locator))
}
