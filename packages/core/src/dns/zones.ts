import { ContractorError, nouns, type ZoneView } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'
import { zone } from '../database/dns-schema.ts'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { surface } from '../engine/surface.ts'
import { usersOf } from '../graph/edges.ts'
import type { Kept } from '../noun/change-row.ts'
import { type Crud, implement } from '../noun/implement.ts'
import { shownStamps } from '../noun/stamps.ts'
import { lockTree, zoneTree } from '../noun/tree.ts'
import { checkDelegation, checkNoAlias } from './entry-laws.ts'
import { checkTimings, lockZones, requireZone, type ZoneRow } from './zone.ts'
import { createZoneEntries, type ZoneEntries } from './zone-entries.ts'

export interface Zones extends Crud<typeof nouns.zone, ZoneView, string> {
  /** With its entries. Refused with IN_USE while Sites or Zones need it. */
  delete(name: string, options?: CallOptions): Promise<void>
  readonly entries: ZoneEntries
}

const kept: Kept<typeof zone> = { kind: 'Zone', table: zone, key: zone.name, lock: 'zone' }

export function createZones(engine: Engine): Zones {
  return surface<Zones>(engine, {
    entries: createZoneEntries(engine),
    ...implement<typeof nouns.zone, typeof zone, ZoneView, string>(engine, {
      noun: nouns.zone,
      kept,
      views: (_, rows) => rows.map(toView),
      lock: tx => lockTree(tx, zoneTree),
      async columns(tx, { given, next, before }) {
        const { name } = next
        checkTimings(next)
        const isPlaced = !before || (given.parent !== undefined && given.parent !== before.parent)
        const parent = isPlaced ? await placeZone(tx, name, given.parent) : before.parent
        await checkNoAlias(tx, given.nameservers ?? [], `The name servers of Zone '${name}'`)
        return { parent }
      },
      async after(tx, { name }, { before }) {
        if (!before) await adopt(engine, tx, name)
      },
      users: (tx, { name }) => usersOfZone(tx, name),
    }),
  })
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

const usersOfZone = (tx: Db, name: string) =>
  usersOf(tx, { kind: 'Zone', key: name }, ['has names in', 'is delegated by'])

function toView(row: ZoneRow): ZoneView {
  return { ...row, ...shownStamps(row) }
}
