import { ContractorError } from '@contractor/plugin'
import { eq } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { foundation } from '../database/schema.ts'
import { cartographer } from '../database/survey-schema.ts'
import { type Hardware, hardware, withoutProof } from '../hardware/hardware.ts'
import { omission } from '../hardware/read-report.ts'
import { pageRequest } from '../name.ts'
import { ipText } from '../network/subnet.ts'
import { evidence } from './evidence.ts'

/** What a machine calls itself, the same at each boot: a serial number, a UUID or a MAC, say. */
export const identifier = z
  .string()
  .max(100, 'must be 100 characters at the most')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:-]*$/,
    'must be letters, digits, and . _ : - after the first, beginning with a letter or digit',
  )

export const cartographerState = z.enum(['unmatched', 'aside', 'matched'])

export const cartographerQuery = pageRequest.extend({ state: cartographerState.optional() })

/** From where a machine reports. */
export const source = z.strictObject({ address: ipText.optional() })

export const cartographerView = z.object({
  identifier,
  /** What the machine calls itself. Of several that call themselves the same, each has an identifier of its own. */
  called: z.string(),
  /** `aside`: it may be several, or one that it must not be; an operator has to say. */
  state: cartographerState,
  message: z.string(),
  /** What the machine does next: report again later, or boot as what it is. */
  next: z.enum(['report', 'boot']),
  /** The locator of what it is. */
  foundation: z.string().nullable(),
  /** Without its config UUID. */
  hardware: hardware.nullable(),
  /** What was left out of its report since it could not be used, and why; of very many omissions the first ones. */
  omitted: z.array(omission),
  /** What speaks for which Foundation; the weight of an earlier kind is more than that of all later ones together. */
  evidence: z.array(evidence),
  /** From where it was last heard. */
  address: z.string().nullable(),
  matchedAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  /** When it was last heard, or an operator changed it. */
  updatedAt: z.iso.datetime(),
})
export type CartographerView = z.output<typeof cartographerView>

/** What a machine is told of itself; nothing of what it reported comes back, since anybody may ask. */
export const machineView = cartographerView.pick({
  identifier: true,
  state: true,
  message: true,
  next: true,
  foundation: true,
})
export type MachineView = z.output<typeof machineView>

export const assignment = z.strictObject({ foundation: z.string() })

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
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
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
