import { ContractorError, parseInput } from '@contractor/plugin'
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { type Db, executeRows } from '../database/database.ts'
import { addressBlock, network, networkAddressBlock } from '../database/network-schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { surface } from '../engine/surface.ts'
import type { EventType } from '../event/event.ts'
import { recordEvents } from '../event/record-events.ts'
import { type Page, pageRequest, toPage } from '../name.ts'
import { refuseField, refuseUnknown } from '../references.ts'
import { requireSite } from '../site/sites.ts'
import { type carriedBlock, lowestMtu, type NetworkView, networkChanges, networkInput } from './network.ts'

export const networkQuery = pageRequest.extend({ site: networkInput.shape.site.optional() })

export interface Networks {
  create(input: z.input<typeof networkInput>, options?: CallOptions): Promise<NetworkView>
  get(name: string, options?: CallOptions): Promise<NetworkView>
  list(query?: z.input<typeof networkQuery>, options?: CallOptions): Promise<Page<NetworkView>>
  /** `addressBlocks` replaces all that it carries. */
  update(name: string, changes: z.input<typeof networkChanges>, options?: CallOptions): Promise<NetworkView>
  /** Refused with IN_USE while interfaces are connected. */
  delete(name: string, options?: CallOptions): Promise<void>
}

export function createNetworks(engine: Engine): Networks {
  const record = async (tx: Db, options: CallOptions, type: EventType, name: string) => {
    await recordEvents(tx, engine.clock, [{ type, by: whoIs(options), data: { network: name } }])
    await notify(tx, 'event')
  }
  const networks: Networks = surface(engine, {
    async create(input, options = {}) {
      const { addressBlocks, ...parsed } = parseInput(networkInput, input, 'The Network')
      return transaction(engine, options, async tx => {
        await requireSite(tx, parsed.site)
        const now = engine.clock.now()
        const [row] = await tx
          .insert(network)
          .values({ ...parsed, createdAt: now, updatedAt: now })
          .onConflictDoNothing()
          .returning()
        if (!row) {
          const message = `A Network '${parsed.name}' exists already`
          throw new ContractorError('ALREADY_EXISTS', message, { kind: 'Network', id: parsed.name })
        }
        await setBlocks(tx, parsed.name, addressBlocks)
        await checkMtu(tx, parsed.name)
        await record(tx, options, 'network.created', parsed.name)
        return requireNetwork(tx, parsed.name)
      })
    },
    get: (name, options = {}) => requireNetwork(options.tx ?? engine.db, name),
    async list(query = {}, options = {}) {
      const { after, limit, site } = parseInput(networkQuery, query, 'The query for Networks')
      const db = options.tx ?? engine.db
      const rows = await db
        .select()
        .from(network)
        .where(
          and(
            after === undefined ? undefined : gt(network.name, after),
            site === undefined ? undefined : eq(network.site, site),
          ),
        )
        .orderBy(asc(network.name))
        .limit(limit + 1)
      const toView = await loadViews(db, rows)
      return toPage(rows, limit, row => row.name, toView)
    },
    async update(name, changes, options = {}) {
      const { addressBlocks, ...parsed } = parseInput(networkChanges, changes, `The change of Network '${name}'`)
      return transaction(engine, options, async tx => {
        await requireNetwork(tx, name)
        await tx
          .update(network)
          .set({ ...parsed, updatedAt: engine.clock.now() })
          .where(eq(network.name, name))
        if (addressBlocks) await setBlocks(tx, name, addressBlocks)
        await checkMtu(tx, name)
        await record(tx, options, 'network.changed', name)
        return requireNetwork(tx, name)
      })
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        await tx.select().from(network).where(eq(network.name, name)).for('update')
        await requireNetwork(tx, name)
        const by = await connectedTo(tx, name)
        if (by.length) {
          const message = `Network '${name}' cannot be deleted: ${by.join(', ')} ${by.length === 1 ? 'is' : 'are'} connected to it`
          throw new ContractorError('IN_USE', message, { kind: 'Network', id: name, by })
        }
        await tx.delete(network).where(eq(network.name, name))
        await record(tx, options, 'network.deleted', name)
      })
    },
  })
  return networks
}

async function requireNetwork(db: Db, name: string): Promise<NetworkView> {
  const [row] = await db.select().from(network).where(eq(network.name, name))
  if (row) return (await loadViews(db, [row]))(row)
  throw new ContractorError('NOT_FOUND', `Network '${name}' does not exist`, { kind: 'Network', id: name })
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
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
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
