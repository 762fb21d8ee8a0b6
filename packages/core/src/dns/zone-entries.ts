import {
  type Entry,
  type EntryInput,
  type EntryView,
  entryChanges,
  entryInput,
  entryQuery,
  type Page,
  parseInput,
} from '@contractor/contract'
import { eq } from 'drizzle-orm'
import type { z } from 'zod'
import type { Db } from '../database/database.ts'
import { zoneEntry } from '../database/dns-schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { surface } from '../engine/surface.ts'
import { recordEvents } from '../event/record-events.ts'
import { listRows, matching, toPage } from '../noun/list-rows.ts'
import { checkVersion, notFound } from '../noun/refuse.ts'
import { shownStamps } from '../noun/stamps.ts'
import { placeEntry } from './entry.ts'
import { checkEntry, entryData } from './entry-laws.ts'
import { lockZones, missingZone } from './zone.ts'

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
    await recordEvents(engine, tx, [{ type: 'zone.changed', by: whoIs(options), data: { zone } }])
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
      const { after, limit, ...filter } = parseInput(entryQuery, query, 'The query for entries')
      const place = { key: zoneEntry.id, where: matching(zoneEntry, filter) }
      const rows = await listRows(options.tx ?? engine.db, zoneEntry, { after, limit }, place)
      return toPage(rows, limit, row => row.id, toView)
    },
    async update(id, changes, options = {}) {
      const parsed = parseInput(entryChanges, changes, `The change of entry ${id}`)
      return transaction(engine, options, async tx => {
        await lockZones(tx, [(await requireEntry(tx, id)).zone])
        const before = await requireEntry(tx, id)
        checkVersion('Entry', id, before.version, options.ifVersion)
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
        const row = await requireEntry(tx, id)
        await lockZones(tx, [row.zone])
        checkVersion('Entry', id, (await requireEntry(tx, id)).version, options.ifVersion)
        await tx.delete(zoneEntry).where(eq(zoneEntry.id, id))
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
  return { ...toEntry(row), id: row.id, ...shownStamps(row) }
}

async function requireEntry(db: Db, id: number): Promise<EntryRow> {
  const [row] = await db.select().from(zoneEntry).where(eq(zoneEntry.id, id))
  if (!row) throw notFound('Entry', id)
  return row
}
