import { inArray, sql } from 'drizzle-orm'
import { type Db, executeRows } from '../../database/database.ts'
import { zoneSerial } from '../../database/dns-schema.ts'
import { takingLock } from '../../database/lock-order.ts'
import { type CallOptions, type Engine, whoIs } from '../../engine/engine.ts'
import { recordEvents } from '../../event/record-events.ts'
import { composeZones } from '../compose-zones.ts'
import { loadDnsSource } from '../dns-source.ts'
import { nextSerial } from '../serial.ts'
import type { ZoneContent } from '../zone-record.ts'
import { renderZone } from '../zone-text.ts'

export interface PublishedZone {
  readonly name: string
  readonly serial: number
  /** The zone file. */
  readonly text: string
  readonly content: ZoneContent
}

export interface PublishedZones {
  readonly zones: readonly PublishedZone[]
  readonly warnings: readonly string[]
}

/** Whoever publishes, or writes what was published, holds it until its transaction ends. */
const publishLock = 0x636f_6e73

export async function lockPublishing(tx: Db): Promise<void> {
  takingLock(tx, 'publication')
  await executeRows(tx, sql`select pg_advisory_xact_lock(${publishLock})`)
}

/**
 * All zones as they are now, each with its serial: a new one where the zone has changed since it was last published.
 * What is published is read under the lock: of two processes the later one has read the later state, so a newer serial
 * never stands on older content. Without `store` it is only said what the serials would be.
 */
export async function publishZones(
  engine: Engine,
  tx: Db,
  store: boolean,
  options: CallOptions = {},
): Promise<PublishedZones> {
  if (store) await lockPublishing(tx)
  const { zones, warnings } = composeZones(await loadDnsSource(tx))
  const texts = zones.map(content => ({ content, ...renderZone(content) }))
  const { day, last } = await loadSerials(engine, tx, zones)
  const changed: { zone: string; serial: number; digest: string }[] = []
  const published = texts.map(({ content, digest, withSerial }): PublishedZone => {
    const { name } = content
    const before = last.get(name)
    const isSame = before?.digest === digest
    const serial = isSame ? before.serial : nextSerial(before?.serial, day)
    if (!isSame) changed.push({ zone: name, serial, digest })
    return { name, serial, text: withSerial(serial), content }
  })
  if (store && changed.length) await storeSerials(engine, tx, changed, whoIs(options))
  return { zones: published, warnings }
}

async function loadSerials(engine: Engine, tx: Db, zones: readonly ZoneContent[]) {
  const names = zones.map(zone => zone.name)
  const rows = await tx
    .select({
      zone: zoneSerial.zone,
      serial: zoneSerial.serial,
      digest: zoneSerial.digest,
    })
    .from(zoneSerial)
    .where(inArray(zoneSerial.zone, names))
  const [today] = await executeRows<{ day: string }>(
    tx,
    sql`select to_char(${engine.clock.now()} at time zone 'UTC', 'YYYYMMDD') as day`,
  )
  return { day: Number(today?.day), last: new Map(rows.map(row => [row.zone, row])) }
}

async function storeSerials(
  engine: Engine,
  tx: Db,
  changed: readonly { zone: string; serial: number; digest: string }[],
  by: string,
): Promise<void> {
  await executeRows(
    tx,
    sql`insert into contractor.zone_serial (zone, serial, digest, updated_at)
        select zone, serial, digest, ${engine.clock.now()}
          from jsonb_to_recordset(${JSON.stringify(changed)}::jsonb) as new(zone text, serial bigint, digest text)
        on conflict (zone) do update
          set serial = excluded.serial, digest = excluded.digest, updated_at = excluded.updated_at`,
  )
  const events = changed.map(({ zone, serial }) => ({ type: 'zone.published' as const, by, data: { zone, serial } }))
  await recordEvents(engine, tx, events)
}
