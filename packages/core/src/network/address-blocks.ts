import { ContractorError, parseInput } from '@contractor/plugin'
import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { type Db, executeRows } from '../database/database.ts'
import { addressBlock } from '../database/network-schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { notify } from '../engine/notifications.ts'
import { surface } from '../engine/surface.ts'
import type { EventType } from '../event/event.ts'
import { recordEvents } from '../event/record-events.ts'
import { type Page, pageRequest, toPage } from '../name.ts'
import { refuseField } from '../references.ts'
import {
  type AddressBlockUsage,
  type AddressBlockView,
  addressBlockChanges,
  addressBlockInput,
  checkGateway,
  lockAddressBlock,
  requireAddressBlock,
  toAddressBlockView,
} from './address-block.ts'
import { loadUsage } from './block-usage.ts'
import { lowestMtu } from './network.ts'
import { resizeBlock } from './resize-block.ts'
import { parseSubnet } from './subnet.ts'

export const addressBlockQuery = pageRequest.extend({ site: addressBlockInput.shape.site.optional() })

export interface AddressBlocks {
  /** IN_USE when it overlaps another block of its Site, which it names. */
  create(input: z.input<typeof addressBlockInput>, options?: CallOptions): Promise<AddressBlockView>
  get(name: string, options?: CallOptions): Promise<AddressBlockView>
  list(query?: z.input<typeof addressBlockQuery>, options?: CallOptions): Promise<Page<AddressBlockView>>
  /** How many of its addresses are static, reserved, dynamic and free. */
  usage(name: string, options?: CallOptions): Promise<AddressBlockUsage>
  /**
   * A subnet that contains the old one or lies within it resizes the block; any other moves it with all its addresses,
   * which keep their distance from its beginning. IN_USE with the list of those that would not fit.
   */
  update(name: string, changes: z.input<typeof addressBlockChanges>, options?: CallOptions): Promise<AddressBlockView>
  /** Refused with IN_USE while it has addresses or a Network carries it. */
  delete(name: string, options?: CallOptions): Promise<void>
}

export function createAddressBlocks(engine: Engine): AddressBlocks {
  const record = async (tx: Db, options: CallOptions, type: EventType, data: Record<string, string | null>) => {
    await recordEvents(tx, engine.clock, [{ type, by: whoIs(options), data }])
    await notify(tx, 'event')
  }
  const addressBlocks: AddressBlocks = surface(engine, {
    async create(input, options = {}) {
      const parsed = parseInput(addressBlockInput, input, 'The AddressBlock')
      checkGateway(parsed.name, parsed.subnet, parsed.gateway)
      return transaction(engine, options, async tx => {
        await lockSite(tx, parsed.site)
        await refuseOverlap(tx, parsed)
        const now = engine.clock.now()
        const [row] = await tx
          .insert(addressBlock)
          .values({ ...parsed, createdAt: now, updatedAt: now })
          .onConflictDoNothing({ target: addressBlock.name })
          .returning()
        if (!row) {
          const message = `An AddressBlock '${parsed.name}' exists already`
          throw new ContractorError('ALREADY_EXISTS', message, { kind: 'AddressBlock', id: parsed.name })
        }
        const { name, subnet, gateway } = row
        await record(tx, options, 'address-block.created', { addressBlock: name, subnet, gateway })
        return toAddressBlockView(row)
      })
    },
    async get(name, options = {}) {
      return toAddressBlockView(await requireAddressBlock(options.tx ?? engine.db, name))
    },
    async list(query = {}, options = {}) {
      const { after, limit, site } = parseInput(addressBlockQuery, query, 'The query for AddressBlocks')
      const rows = await (options.tx ?? engine.db)
        .select()
        .from(addressBlock)
        .where(
          and(
            after === undefined ? undefined : gt(addressBlock.name, after),
            site === undefined ? undefined : eq(addressBlock.site, site),
          ),
        )
        .orderBy(asc(addressBlock.name))
        .limit(limit + 1)
      return toPage(rows, limit, row => row.name, toAddressBlockView)
    },
    async usage(name, options = {}) {
      const db = options.tx ?? engine.db
      return loadUsage(db, await requireAddressBlock(db, name))
    },
    async update(name, changes, options = {}) {
      const parsed = parseInput(addressBlockChanges, changes, `The change of AddressBlock '${name}'`)
      return transaction(engine, options, async tx => {
        const { site } = await requireAddressBlock(tx, name)
        // The Site first, as a creation does: two changes at once never wait for each other.
        if (parsed.subnet !== undefined) {
          await lockSite(tx, site)
          await refuseOverlap(tx, { name, site, subnet: parsed.subnet })
        }
        await lockAddressBlock(tx, name)
        const before = await requireAddressBlock(tx, name)
        const { subnet, gateway } = await resizeBlock(engine, tx, before, parsed)
        await refuseSmallMtu(tx, name, subnet)
        const [row] = await tx
          .update(addressBlock)
          // A smaller, larger or moved block is searched from its beginning.
          .set({ ...parsed, subnet, gateway, nextFree: null, updatedAt: engine.clock.now() })
          .where(eq(addressBlock.name, name))
          .returning()
        await record(tx, options, 'address-block.changed', {
          ...{ addressBlock: name, subnet, gateway },
          ...(subnet === before.subnet ? {} : { from: before.subnet }),
        })
        return toAddressBlockView(row ?? before)
      })
    },
    async delete(name, options = {}) {
      await transaction(engine, options, async tx => {
        await lockAddressBlock(tx, name)
        const by = await usersOfBlock(tx, name)
        if (by.length) {
          const message = `AddressBlock '${name}' cannot be deleted: ${by.join(', ')} need${by.length === 1 ? 's' : ''} it`
          throw new ContractorError('IN_USE', message, { kind: 'AddressBlock', id: name, by })
        }
        await tx.delete(addressBlock).where(eq(addressBlock.name, name))
        await record(tx, options, 'address-block.deleted', { addressBlock: name })
      })
    },
  })
  return addressBlocks
}

/** Makes those who give a Site blocks take turns, so that the later one sees what it would overlap. */
async function lockSite(tx: Db, name: string): Promise<void> {
  const found = await executeRows(tx, sql`select from contractor.site where name = ${name} for no key update`)
  if (!found.length) throw new ContractorError('NOT_FOUND', `Site '${name}' does not exist`, { kind: 'Site', id: name })
}

async function refuseOverlap(tx: Db, block: { name: string; site: string; subnet: string }): Promise<void> {
  const [other] = await executeRows<{ name: string; subnet: string }>(
    tx,
    sql`select name, subnet::text from contractor.address_block
        where site = ${block.site} and name <> ${block.name} and subnet && ${block.subnet}::cidr order by name limit 1`,
  )
  if (!other) return
  throw new ContractorError(
    'IN_USE',
    `AddressBlock '${block.name}' cannot be ${block.subnet}: it would overlap ${other.subnet} of AddressBlock '${other.name}' in Site '${block.site}'`,
    { kind: 'AddressBlock', id: block.name, by: [`AddressBlock ${other.name}`] },
  )
}

/** A block that becomes IPv6 must not be on a wire that is too narrow for it. */
async function refuseSmallMtu(tx: Db, name: string, subnet: string): Promise<void> {
  if (parseSubnet(subnet).family === 4) return
  const [narrow] = await executeRows<{ name: string; mtu: number }>(
    tx,
    sql`select network.name, network.mtu from contractor.network_address_block carried
        join contractor.network on network.name = carried.network
        where carried.address_block = ${name} and network.mtu < ${lowestMtu[6]} order by network.name limit 1`,
  )
  if (!narrow) return
  throw refuseField(
    'subnet',
    `AddressBlock '${name}' cannot become IPv6: Network '${narrow.name}' carries it with an MTU of ${narrow.mtu}, and IPv6 needs ${lowestMtu[6]}`,
  )
}

async function usersOfBlock(tx: Db, name: string): Promise<string[]> {
  const rows = await executeRows<{ who: string }>(
    tx,
    sql`(select 'Network ' || network as who from contractor.network_address_block
          where address_block = ${name} order by network limit 20)
        union all
        (select 'Address ' || host(ip) from contractor.address where address_block = ${name} order by ip limit 20)
        limit 20`,
  )
  return rows.map(row => row.who)
}
