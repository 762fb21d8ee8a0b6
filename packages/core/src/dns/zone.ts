import { ContractorError } from '@contractor/contract'
import { eq, inArray } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { zone } from '../database/dns-schema.ts'
import { takingLock } from '../database/lock-order.ts'

export type ZoneRow = typeof zone.$inferSelect

/** The row of a Zone; NOT_FOUND when there is none. */
export async function requireZone(db: Db, name: string): Promise<ZoneRow> {
  const [row] = await db.select().from(zone).where(eq(zone.name, name))
  if (!row) throw missingZone(name)
  return row
}

/**
 * Locks Zones until the transaction ends, in the order of their names: whoever adds a name to a Zone waits here for
 * whoever is adding another one, and then sees it. References to a Zone do not wait.
 */
export async function lockZones(tx: Db, names: readonly string[]): Promise<Map<string, ZoneRow>> {
  takingLock(tx, 'zone')
  const rows = await tx
    .select()
    .from(zone)
    .where(inArray(zone.name, [...new Set(names)]))
    .orderBy(zone.name)
    .for('no key update')
  return new Map(rows.map(row => [row.name, row]))
}

export const missingZone = (name: string) =>
  new ContractorError('NOT_FOUND', `Zone '${name}' does not exist`, { kind: 'Zone', id: name })

/** The timings of a Zone must leave a secondary the time to ask again before it gives up. */
export function checkTimings({ name, refresh, retry, expire }: Pick<ZoneRow, 'name' | 'refresh' | 'retry' | 'expire'>) {
  const issue =
    retry >= refresh
      ? { path: 'retry', message: `must be less than refresh (${refresh})` }
      : expire <= refresh + retry
        ? { path: 'expire', message: `must be more than refresh and retry together (${refresh + retry})` }
        : undefined
  if (!issue) return
  throw new ContractorError('VALIDATION_FAILED', `Zone '${name}' is not valid: ${issue.path}: ${issue.message}`, {
    issues: [issue],
  })
}
