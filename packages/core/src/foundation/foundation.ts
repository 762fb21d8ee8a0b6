import { ContractorError, json, maskSecrets } from '@contractor/plugin'
import { eq, type SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { foundation } from '../database/schema.ts'
import type { FoundationRow } from '../job/target.ts'
import { locator, pageRequest, plainName } from '../name.ts'
import { macText } from '../network/mac.ts'

const serial = z.string().trim().min(1).max(100)

export const foundationInput = z.strictObject({
  locator,
  type: z.string(),
  site: plainName,
  blueprint: plainName,
  /** The Complex that provides it: when that is built, the Foreman locates the Foundation itself. */
  complex: plainName.nullable().default(null),
  /** Where it stands. */
  plot: plainName.nullable().default(null),
  /** Serial numbers of its baseboard, chassis or BMC: a machine that reports one of them is taken for it. */
  serials: z.array(serial).max(20).default([]),
  /** The hardware address of its BMC. */
  bmcMac: macText.nullable().default(null),
  /** The type's own columns, as its plugin declares them. */
  fields: z.record(z.string(), json).default({}),
})
export type FoundationInput = z.output<typeof foundationInput>

/** What may change. `fields` are laid over the present ones; null takes one away. */
export const foundationChanges = z
  .strictObject({
    site: plainName,
    blueprint: plainName,
    complex: plainName.nullable(),
    plot: plainName.nullable(),
    serials: z.array(serial).max(20),
    bmcMac: macText.nullable(),
    fields: z.record(z.string(), json),
  })
  .partial()

export const foundationView = foundationInput.extend({
  bmcMac: z.string().nullable(),
  state: z.enum(['planned', 'located', 'built']),
  /** What its machine has reported of its hardware; null until it is located that way. */
  idMap: json.nullable(),
  locatedAt: z.iso.datetime().nullable(),
  builtAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type FoundationView = z.output<typeof foundationView>

export const foundationQuery = pageRequest.extend({
  site: z.string().optional(),
  blueprint: z.string().optional(),
  type: z.string().optional(),
  complex: z.string().optional(),
  plot: z.string().optional(),
  state: z.enum(['planned', 'located', 'built']).optional(),
})

export function foundationConditions(
  query: Omit<z.output<typeof foundationQuery>, 'after' | 'limit'>,
): (SQL | undefined)[] {
  const { site, blueprint, type, complex, plot, state } = query
  return [
    site === undefined ? undefined : eq(foundation.site, site),
    blueprint === undefined ? undefined : eq(foundation.blueprint, blueprint),
    type === undefined ? undefined : eq(foundation.type, type),
    complex === undefined ? undefined : eq(foundation.complex, complex),
    plot === undefined ? undefined : eq(foundation.plot, plot),
    state && eq(foundation.state, state),
  ]
}

export function toFoundationView(row: FoundationRow): FoundationView {
  return {
    locator: row.locator,
    type: row.type,
    site: row.site,
    blueprint: row.blueprint,
    complex: row.complex,
    plot: row.plot,
    serials: row.serials,
    bmcMac: row.bmcMac,
    fields: maskSecrets(row.fields),
    state: row.state,
    idMap: row.idMap ?? null,
    locatedAt: row.locatedAt?.toISOString() ?? null,
    builtAt: row.builtAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

export async function requireFoundation(db: Db, name: string): Promise<FoundationRow> {
  const [row] = await db.select().from(foundation).where(eq(foundation.locator, name))
  if (!row) throw missingFoundation(name)
  return row
}

export async function lockFoundation(tx: Db, name: string): Promise<FoundationRow> {
  const [row] = await tx.select().from(foundation).where(eq(foundation.locator, name)).for('update')
  if (!row) throw missingFoundation(name)
  return row
}

export const missingFoundation = (name: string) =>
  new ContractorError('NOT_FOUND', `Foundation '${name}' does not exist`, { kind: 'Foundation', id: name })
