import { ContractorError, parseInput } from '@contractor/plugin'
import { and, asc, eq, gt } from 'drizzle-orm'
import { z } from 'zod'
import type { Db } from '../database/database.ts'
import { zoneEntry } from '../database/dns-schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { surface } from '../engine/surface.ts'
import { recordEvents } from '../event/record-events.ts'
import { idPageRequest, type Page, toPage } from '../name.ts'
import { type Entry, type EntryInput, type EntryView, entryChanges, entryInput, placeEntry } from './entry.ts'
import { checkEntry, entryData } from './entry-laws.ts'
import { lockZones, missingZone } from './zone.ts'

export const entryQuery = idPageRequest.extend({ zone: z.string().optional(), name: z.string().optional() })

export interface ZoneEntries {
  create(input: EntryInput, options?: CallOptions): Promise<EntryView>
  get(id: number, options?: CallOptions): Promise<EntryView>
  /** By age; of a Zone, of a name. */
  list(query?: z.input<typeof entryQuery>, options?: CallOptions): Promise<Page<EntryView>>
  /** Its name, TTL and data; an entry of another Zone or type is another entry. */
  update(id: number, changes: z.input<typeof entryChanges>, options?: CallOptions): Promise<EntryView>
  delete(id: number, options?: CallOptions): Promise<void>
}

type EntryRow = typeof zoneEntry.$inferSelect

export function createZoneEntries(engine: Engine): ZoneEntries {
  const record = async (tx: Db, zone: string, options: CallOptions) => {
    await recordEvents(tx, engine.clock, [{ type: 'zone.changed', by: whoIs(options), data: { zone } }])
    await notify(tx, 'event')
  }
  return surface(engine, {
    async create(input, options = {}) {
      const entry = placeEntry(parseInput(entryInput, input, 'The entry'))
      return transaction(engine, options, async tx => {
        if (!(await lockZones(tx, [entry.zone])).size) throw missingZone(entry.zone)
        await checkEntry(tx, entry, null)
        const now = engine.clock.now()
        const [row] = await tx
          .insert(zoneEntry)
          .values({ ...toColumns(entry), createdAt: now, updatedAt: now })
          .returning()
        await record(tx, entry.zone, options)
        return toView(row as EntryRow)
      })
    },
    async get(id, options = {}) {
      return toView(await requireEntry(options.tx ?? engine.db, id))
    },
    async list(query = {}, options = {}) {
      const { after, limit, zone, name } = parseInput(entryQuery, query, 'The query for entries')
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(zoneEntry)
        .where(
          and(
            after === undefined ? undefined : gt(zoneEntry.id, Number(after)),
            zone === undefined ? undefined : eq(zoneEntry.zone, zone),
            name === undefined ? undefined : eq(zoneEntry.name, name),
          ),
        )
        .orderBy(asc(zoneEntry.id))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.id, toView)
    },
    async update(id, changes, options = {}) {
      const parsed = parseInput(entryChanges, changes, `The change of entry ${id}`)
      return transaction(engine, options, async tx => {
        await lockZones(tx, [(await requireEntry(tx, id)).zone])
        const before = await requireEntry(tx, id)
        const { zone, name, type, ttl, data } = before
        const entry = placeEntry(parseInput(entryInput, { zone, name, type, ttl, ...data, ...parsed }, `Entry ${id}`))
        await checkEntry(tx, entry, id)
        const [row] = await tx
          .update(zoneEntry)
          .set({ ...toColumns(entry), updatedAt: engine.clock.now() })
          .where(eq(zoneEntry.id, id))
          .returning()
        await record(tx, zone, options)
        return toView(row as EntryRow)
      })
    },
    async delete(id, options = {}) {
      await transaction(engine, options, async tx => {
        const [row] = await tx.delete(zoneEntry).where(eq(zoneEntry.id, id)).returning()
        if (!row) throw missing(id)
        await record(tx, row.zone, options)
      })
    },
  })
}

const toColumns = (entry: Entry) => {
  const { zone, name, type, ttl } = entry
  return { zone, name, type, ttl, data: entryData(entry) }
}

/** An entry as it was accepted, from its row. */
export function toEntry({ zone, name, type, ttl, data }: Pick<EntryRow, 'zone' | 'name' | 'type' | 'ttl' | 'data'>) {
  return { zone, name, type, ttl, ...data } as Entry
}

function toView(row: EntryRow): EntryView {
  const shown = { id: row.id, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() }
  return { ...toEntry(row), ...shown }
}

async function requireEntry(db: Db, id: number): Promise<EntryRow> {
  const [row] = await db.select().from(zoneEntry).where(eq(zoneEntry.id, id))
  if (!row) throw missing(id)
  return row
}

const missing = (id: number) => new ContractorError('NOT_FOUND', `Entry ${id} does not exist`, { kind: 'Entry', id })
