import { type CartographerView, ContractorError, type Hardware, type MachineView } from '@contractor/contract'
import { eq } from 'drizzle-orm'
import type { Db } from '../../database/database.ts'
import { foundation } from '../../database/schema.ts'
import { cartographer } from '../../database/survey-schema.ts'
import { withoutProof } from '../../definition/blueprint/hardware-template.ts'
import { shownStamps } from '../../noun/stamps.ts'

export type CartographerRow = typeof cartographer.$inferSelect

export const selectStanding = (db: Db) =>
  db
    .select({ cartographer, state: foundation.state })
    .from(cartographer)
    .leftJoin(foundation, eq(foundation.locator, cartographer.foundation))

export function toCartographerView({
  cartographer: row,
  state,
}: {
  cartographer: CartographerRow
  state: 'planned' | 'located' | 'built' | null
}): CartographerView {
  return {
    identifier: row.identifier,
    called: row.called ?? row.identifier,
    state: row.state,
    message: row.message,
    next: state === null || state === 'planned' ? 'report' : 'boot',
    foundation: row.foundation,
    hardware: row.hardware === null ? null : withoutProof(row.hardware as Hardware),
    omitted: row.omitted as CartographerView['omitted'],
    evidence: row.evidence as CartographerView['evidence'],
    address: row.address,
    matchedAt: row.matchedAt?.toISOString() ?? null,
    ...shownStamps(row),
  }
}

export const toMachineView = ({ identifier, state, message, next, foundation }: CartographerView): MachineView => ({
  identifier,
  state,
  message,
  next,
  foundation,
})

/** NOT_FOUND when there is none. */
export async function requireCartographer(db: Db, name: string): Promise<CartographerView> {
  const [row] = await selectStanding(db).where(eq(cartographer.identifier, name))
  if (!row) throw missingCartographer(name)
  return toCartographerView(row)
}

export const missingCartographer = (id: string) =>
  new ContractorError('NOT_FOUND', `No machine has registered as '${id}'`, { kind: 'Cartographer', id })
