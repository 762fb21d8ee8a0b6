import { ContractorError, parseInput } from '@contractor/plugin'
import { asc, eq, gt, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { type Db, executeRows } from '../database/database.ts'
import { zone } from '../database/dns-schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { surface } from '../engine/surface.ts'
import type { EventType } from '../event/event.ts'
import { recordEvents } from '../event/record-events.ts'
import { type Page, pageRequest, toPage } from '../name.ts'
import { checkDelegation, checkNoAlias } from './entry-laws.ts'
import {
  checkTimings,
  lockZones,
  missingZone,
  requireZone,
  type ZoneRow,
  type ZoneView,
  zoneChanges,
  zoneInput,
} from './zone.ts'
import { createZoneEntries, type ZoneEntries } from './zone-entries.ts'

export interface Zones {
  create(input: z.input<typeof zoneInput>, options?: CallOptions): Promise<ZoneView>
  get(name: string, options?: CallOptions): Promise<ZoneView>
  list(page?: z.input<typeof pageRequest>, options?: CallOptions): Promise<Page<ZoneView>>
  update(name: string, changes: z.input<typeof zoneChanges>, options?: CallOptions): Promise<ZoneView>
  /** With its entries. Refused with IN_USE while Sites or Zones need it. */
  delete(name: string, options?: CallOptions): Promise<void>
  readonly entries: ZoneEntries
}

/** Whoever changes the tree of Zones holds it. */
const treeLock = 0x636f_6e7a

export function createZones(engine: Engine): Zones {
  const record = async (tx: Db, type: EventType, name: string, options: CallOptions) => {
    await recordEvents(tx, engine.clock, [{ type, by: whoIs(options), data: { zone: name } }])
    await notify(tx, 'event')
  }
  return surface(engine, {
    entries: createZoneEntries(engine),
    async create(input, options = {}) {
      const parsed = parseInput(zoneInput, input, 'The Zone')
      checkTimings(parsed)
      return transaction(engine, options, async tx => {
        await lockTree(tx)
        const parent = await placeZone(tx, parsed.name, parsed.parent)
        await checkNoAlias(tx, parsed.nameservers, `The name servers of Zone '${parsed.name}'`)
        const now = engine.clock.now()
        const [row] = await tx
          .insert(zone)
          .values({ ...parsed, parent, createdAt: now, updatedAt: now })
          .onConflictDoNothing()
          .returning()
        if (!row) {
          const data = { kind: 'Zone', id: parsed.name }
          throw new ContractorError('ALREADY_EXISTS', `A Zone '${parsed.name}' exists already`, data)
        }
        await adopt(engine, tx, parsed.name)
        await record(tx, 'zone.created', parsed.name, options)
        return toView(row)
      })
    },
    async get(name, options = {}) {
      return toView(await requireZone(options.tx ?? engine.db, name))
    },
    async list(page = {}, options = {}) {
      const { after, limit } = parseInput(pageRequest, page, 'The page')
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(zone)
        .where(after === undefined ? undefined : gt(zone.name, after))
        .orderBy(asc(zone.name))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.name, toView)
    },
    async update(name, changes, options = {}) {
      const parsed = parseInput(zoneChanges, changes, `The change of Zone '${name}'`)
      return transaction(engine, options, async tx => {
        await lockTree(tx)
        const before = (await lockZones(tx, [name])).get(name)
        if (!before) throw missingZone(name)
        const { refresh = before.refresh, retry = before.retry, expire = before.expire } = parsed
        checkTimings({ name, refresh, retry, expire })
        if (parsed.parent !== undefined && parsed.parent !== before.parent) await placeZone(tx, name, parsed.parent)
        await checkNoAlias(tx, parsed.nameservers ?? [], `The name servers of Zone '${name}'`)
        const [row] = await tx
          .update(zone)
          .set({ ...parsed, updatedAt: engine.clock.now() })
          .where(eq(zone.name, name))
          .returning()
        await record(tx, 'zone.changed', name, options)
        return toView(row as ZoneRow)
      })
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        await lockTree(tx)
        if (!(await lockZones(tx, [name])).size) throw missingZone(name)
        const by = await usersOfZone(tx, name)
        if (by.length) {
          const need = `${by.join(', ')} need${by.length === 1 ? 's' : ''} it`
          throw new ContractorError('IN_USE', `Zone '${name}' cannot be deleted: ${need}`, {
            kind: 'Zone',
            id: name,
            by,
          })
        }
        await tx.delete(zone).where(eq(zone.name, name))
        await record(tx, 'zone.deleted', name, options)
      })
    },
  })
}

async function lockTree(tx: Db): Promise<void> {
  await executeRows(tx, sql`select pg_advisory_xact_lock(${treeLock})`)
}

/**
 * The Zone that delegates to this one: the nearest above its name, since a delegation further up would be hidden by that
 * one's; or none, when that is said or there is none.
 */
async function placeZone(tx: Db, name: string, wanted: string | null | undefined): Promise<string | null> {
  const [nearest] = await executeRows<{ name: string }>(
    tx,
    sql`select name from contractor.zone where right(${name}, length(name) + 1) = '.' || name
        order by length(name) desc limit 1`,
  )
  if (wanted === null) return null
  if (wanted !== undefined) {
    await requireZone(tx, wanted)
    if (wanted !== nearest?.name) {
      const message = name.endsWith(`.${wanted}`)
        ? `'${nearest?.name}' is between them: that is the parent`
        : `its name would have to end with '.${wanted}'`
      throw new ContractorError('VALIDATION_FAILED', `Zone '${name}' cannot have the parent '${wanted}': ${message}`, {
        issues: [{ path: 'parent', message }],
      })
    }
  }
  if (!nearest) return null
  await lockZones(tx, [nearest.name])
  await checkDelegation(tx, name, nearest.name)
  return nearest.name
}

/** Zones below the new one that were delegated from further up, or by nobody, are now delegated by it. */
async function adopt(engine: Engine, tx: Db, name: string): Promise<void> {
  await executeRows(
    tx,
    sql`update contractor.zone child set parent = ${name}, updated_at = ${engine.clock.now()}
        where right(child.name, length(${name}) + 1) = '.' || ${name}
          and (child.parent is null or right(${name}, length(child.parent) + 1) = '.' || child.parent)`,
  )
}

async function usersOfZone(tx: Db, name: string): Promise<string[]> {
  const rows = await executeRows<{ who: string }>(
    tx,
    sql`select 'Site ' || name as who from contractor.site where zone = ${name}
        union all select 'Zone ' || name from contractor.zone where parent = ${name}
        order by who limit 20`,
  )
  return rows.map(row => row.who)
}

function toView(row: ZoneRow): ZoneView {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() }
}
