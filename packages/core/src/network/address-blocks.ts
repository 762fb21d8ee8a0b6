import {
  type AddressBlockUsage,
  type AddressBlockView,
  type addressBlockChanges,
  type addressBlockInput,
  ContractorError,
  lowestMtu,
  nouns,
} from '@contractor/contract'
import { sql } from 'drizzle-orm'
import type { z } from 'zod'
import { type Db, executeRows } from '../database/database.ts'
import { takingLock } from '../database/lock-order.ts'
import { addressBlock } from '../database/network-schema.ts'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { surface } from '../engine/surface.ts'
import { usersOf } from '../graph/edges.ts'
import { type Kept, readRow } from '../noun/change-row.ts'
import { type Crud, implement } from '../noun/implement.ts'
import { refuseField } from '../noun/references.ts'
import { checkGateway, toAddressBlockView } from './address-block.ts'
import { loadUsage } from './block-usage.ts'
import { resizeBlock } from './resize-block.ts'
import { parseSubnet } from './subnet.ts'

export interface AddressBlocks extends Crud<typeof nouns.addressBlock, AddressBlockView, string> {
  /** IN_USE when it overlaps another block of its Site, which it names. */
  create(input: z.input<typeof addressBlockInput>, options?: CallOptions): Promise<AddressBlockView>
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

const kept: Kept<typeof addressBlock> = {
  ...{ kind: 'AddressBlock', table: addressBlock, key: addressBlock.name, lock: 'address-block' },
}

export function createAddressBlocks(engine: Engine): AddressBlocks {
  return surface<AddressBlocks>(engine, {
    ...implement<typeof nouns.addressBlock, typeof addressBlock, AddressBlockView, string>(engine, {
      noun: nouns.addressBlock,
      kept,
      views: (_, rows) => rows.map(toAddressBlockView),
      /** The Site first, also of a change: two at once never wait for each other. */
      async lock(tx, { id, given }) {
        if (given.subnet === undefined) return
        await lockSite(tx, given.site ?? (await readRow(tx, kept, id)).site)
      },
      async columns(tx, { given, next, before }) {
        if (given.subnet !== undefined) await refuseOverlap(tx, next)
        if (!before) {
          checkGateway(next.name, next.subnet, next.gateway)
          return {}
        }
        const { subnet, gateway } = await resizeBlock(engine, tx, before, given)
        await refuseSmallMtu(tx, next.name, subnet)
        // A smaller, larger or moved block is searched from its beginning.
        return { subnet, gateway, nextFree: null }
      },
      users: (tx, { name }) => usersOfBlock(tx, name),
      told: ({ name, subnet, gateway }, before) => ({
        ...{ addressBlock: name, subnet, gateway },
        ...(before && before.subnet !== subnet && { from: before.subnet }),
      }),
    }),
    async usage(name, options = {}) {
      const db = options.tx ?? engine.db
      return loadUsage(db, await readRow(db, kept, name))
    },
  })
}

/** Makes those who give a Site blocks take turns, so that the later one sees what it would overlap. */
async function lockSite(tx: Db, name: string): Promise<void> {
  takingLock(tx, 'site')
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

const usersOfBlock = (tx: Db, name: string) => usersOf(tx, { kind: 'AddressBlock', key: name }, ['carries', 'is of'])
