import { type carriedBlock, lowestMtu, type NetworkView, type networkChanges, nouns } from '@contractor/contract'
import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { type Db, executeRows } from '../database/database.ts'
import { addressBlock, network, networkAddressBlock } from '../database/network-schema.ts'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { surface } from '../engine/surface.ts'
import type { Kept } from '../noun/change-row.ts'
import { type Crud, implement } from '../noun/implement.ts'
import { refuseField, refuseUnknown } from '../noun/references.ts'
import { shownStamps } from '../noun/stamps.ts'

export interface Networks extends Crud<typeof nouns.network, NetworkView, string> {
  /** `addressBlocks` replaces all that it carries. */
  update(name: string, changes: z.input<typeof networkChanges>, options?: CallOptions): Promise<NetworkView>
  /** Refused with IN_USE while interfaces are connected. */
  delete(name: string, options?: CallOptions): Promise<void>
}

const kept: Kept<typeof network> = { kind: 'Network', table: network, key: network.name, lock: 'network' }

export function createNetworks(engine: Engine): Networks {
  return surface<Networks>(
    engine,
    implement<typeof nouns.network, typeof network, NetworkView, string>(engine, {
      noun: nouns.network,
      kept,
      views: async (db, rows) => rows.map(await loadViews(db, rows)),
      async check(tx, { given, before }) {
        if (!before && given.site !== undefined) await refuseUnknown(tx, { Site: [given.site] })
      },
      async after(tx, { name }, { given }) {
        if (given.addressBlocks) await setBlocks(tx, name, given.addressBlocks)
        await checkMtu(tx, name)
      },
      users: (tx, { name }) => connectedTo(tx, name),
      use: ['is connected to it', 'are connected to it'],
    }),
  )
}

type NetworkRow = typeof network.$inferSelect

async function loadViews(db: Db, rows: readonly NetworkRow[]): Promise<(row: NetworkRow) => NetworkView> {
  const names = rows.map(row => row.name)
  const carried = names.length
    ? await db
        .select()
        .from(networkAddressBlock)
        .where(inArray(networkAddressBlock.network, names))
        .orderBy(asc(networkAddressBlock.addressBlock))
    : []
  return row => ({
    ...{ name: row.name, site: row.site, description: row.description, mtu: row.mtu },
    addressBlocks: carried
      .filter(one => one.network === row.name)
      .map(({ addressBlock: name, vlan, tagged }) => ({ addressBlock: name, vlan, tagged })),
    ...shownStamps(row),
  })
}

async function setBlocks(tx: Db, name: string, blocks: readonly z.output<typeof carriedBlock>[]): Promise<void> {
  const twice = blocks.find((one, at) => blocks.findIndex(other => other.addressBlock === one.addressBlock) !== at)
  if (twice) throw refuseField('addressBlocks', `Network '${name}' names AddressBlock '${twice.addressBlock}' twice`)
  const untold = blocks.find(one => one.tagged && one.vlan === null)
  if (untold) {
    throw refuseField(
      'addressBlocks',
      `Network '${name}' cannot carry AddressBlock '${untold.addressBlock}' tagged without a VLAN: say which`,
    )
  }
  await refuseUnknown(tx, { AddressBlock: blocks.map(one => one.addressBlock) })
  await tx.delete(networkAddressBlock).where(eq(networkAddressBlock.network, name))
  if (blocks.length) await tx.insert(networkAddressBlock).values(blocks.map(one => ({ network: name, ...one })))
}

async function checkMtu(tx: Db, name: string): Promise<void> {
  const [narrow] = await tx
    .select({ block: addressBlock.name, mtu: network.mtu })
    .from(network)
    .innerJoin(networkAddressBlock, eq(networkAddressBlock.network, network.name))
    .innerJoin(addressBlock, eq(addressBlock.name, networkAddressBlock.addressBlock))
    .where(and(eq(network.name, name), sql`family(${addressBlock.subnet}) = 6`, sql`${network.mtu} < ${lowestMtu[6]}`))
    .limit(1)
  if (!narrow) return
  throw refuseField(
    'mtu',
    `Network '${name}' carries IPv6 (AddressBlock '${narrow.block}'), which needs an MTU of ${lowestMtu[6]} at least, not ${narrow.mtu}`,
  )
}

async function connectedTo(tx: Db, name: string): Promise<string[]> {
  const rows = await executeRows<{ who: string }>(
    tx,
    sql`select case when port.foundation is null then 'Structure ' || owner.hostname else 'Foundation ' || port.foundation end
          || ' ' || port.name as who
        from contractor.network_interface port left join contractor.structure owner on owner.id = port.structure
        where port.network = ${name} order by 1 limit 20`,
  )
  return rows.map(row => `Interface ${row.who}`)
}
