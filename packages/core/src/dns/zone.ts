import { ContractorError } from '@contractor/plugin'
import { eq, inArray } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { zone } from '../database/dns-schema.ts'
import { hostName, mailbox, zoneName } from './dns-name.ts'
import { seconds } from './entry.ts'

const timing = seconds.min(1, 'must be 1 second at the least')

const shape = {
  /** Of who is responsible for it. */
  email: mailbox,
  /** Full names, the primary one first. */
  nameservers: z
    .array(hostName)
    .min(1, 'must name one at the least')
    .max(13, 'must name 13 at the most')
    .refine(names => new Set(names).size === names.length, 'must name none twice'),
  /** How long an answer may be kept, in seconds, unless its entry says otherwise. */
  ttl: seconds,
  /** How often a secondary asks for changes, and again when it got no answer (RFC 1912, section 2.2). */
  refresh: timing,
  retry: timing,
  /** For how long a secondary answers without having reached the primary. */
  expire: timing,
  /** How long it may be kept that a name does not exist (RFC 2308, section 4). */
  minimum: seconds,
}

export const zoneInput = z.strictObject({
  name: zoneName,
  /** The Zone that delegates to it: the nearest one above its name unless said; null for one that is not ours. */
  parent: zoneName.nullable().optional(),
  email: shape.email,
  nameservers: shape.nameservers,
  ttl: shape.ttl.default(3600),
  refresh: shape.refresh.default(3600),
  retry: shape.retry.default(600),
  expire: shape.expire.default(1_209_600),
  minimum: shape.minimum.default(3600),
})

// Without the defaults of creation: what is not given stays as it is.
export const zoneChanges = z.strictObject({ ...shape, parent: zoneName.nullable() }).partial()

export const zoneView = z.object({
  ...shape,
  name: z.string(),
  parent: z.string().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type ZoneView = z.output<typeof zoneView>
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
