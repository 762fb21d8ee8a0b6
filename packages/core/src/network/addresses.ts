import {
  type AddressChanges,
  type AddressView,
  addressInput,
  addressQuery,
  ContractorError,
  type EventType,
  nextAddressesInput,
  nextAddressInput,
  type Page,
  parseInput,
} from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { type Db, executeRows } from '../database/database.ts'
import { takingLock } from '../database/lock-order.ts'
import { address } from '../database/network-schema.ts'
import { type CallOptions, type Engine, transaction, whoIs } from '../engine/engine.ts'
import { surface } from '../engine/surface.ts'
import { recordEvents } from '../event/record-events.ts'
import { keyOf, toPage } from '../noun/list-rows.ts'
import { checkVersion } from '../noun/refuse.ts'
import { addAddresses } from './add-addresses.ts'
import { type AddressViewRow, addressColumns, requireAddress, toAddressView } from './address.ts'
import { changeAddress, lockAddress } from './change-address.ts'
import { addNextAddresses } from './next-addresses.ts'

/** `kind` is `static` unless said. */
type Input<Schema extends z.ZodType> = z.input<Schema>

export interface Addresses {
  /**
   * With an `ip`: in the block that has it, which is named or found among those of the Structure's Site (or of `site`)
   * and the Sites above; or with `addressBlock` and `offset`; or with `addressBlock` alone, on its lowest free address.
   * ALREADY_EXISTS names who has the address.
   */
  create(input: Input<typeof addressInput>, options?: CallOptions): Promise<AddressView>
  /** Many at once, each with its `ip` or `offset`, all or none, with a constant number of statements. */
  createMany(inputs: readonly Input<typeof addressInput>[], options?: CallOptions): Promise<AddressView[]>
  /** A free address of a block: the lowest unless `order` is `random`, or the `ip` that is wanted. WRONG_STATE when full. */
  next(input: Input<typeof nextAddressInput>, options?: CallOptions): Promise<AddressView>
  /** One free address for each of `addresses`, all or none, in their order. */
  nextMany(input: Input<typeof nextAddressesInput>, options?: CallOptions): Promise<AddressView[]>
  get(id: number, options?: CallOptions): Promise<AddressView>
  list(query?: Input<typeof addressQuery>, options?: CallOptions): Promise<Page<AddressView>>
  /** `primary` takes that from the Structure's others. Another `ip` keeps what the address is for. */
  update(id: number, changes: AddressChanges, options?: CallOptions): Promise<AddressView>
  /** Refused with IN_USE while others point to it. */
  delete(id: number, options?: CallOptions): Promise<void>
}

export function createAddresses(engine: Engine): Addresses {
  const record = async (
    tx: Db,
    options: CallOptions,
    type: EventType,
    { id, version, structure, ip, addressBlock }: AddressView,
  ) => {
    await recordEvents(engine, tx, [
      { type, by: whoIs(options), subject: String(id), version, structure, data: { ip, addressBlock } },
    ])
  }
  const addresses: Addresses = surface(engine, {
    async create(input, options = {}) {
      const parsed = parseInput(addressInput, input, 'The Address')
      const { ip, offset, site, addressBlock, ...owner } = parsed
      return transaction(engine, options, async tx => {
        const [added] =
          addressBlock !== undefined && ip === undefined && offset === undefined
            ? await addNextAddresses(engine, tx, { addressBlock, order: 'lowest' }, [owner], options)
            : await addAddresses(engine, tx, [parsed], options)
        return added as AddressView
      })
    },
    async createMany(inputs, options = {}) {
      const parsed = parseInput(z.array(addressInput), inputs, 'The list of Addresses')
      return transaction(engine, options, tx => addAddresses(engine, tx, parsed, options))
    },
    async next(input, options = {}) {
      const parsed = parseInput(nextAddressInput, input, 'The Address')
      const { addressBlock, order, ip, ...owner } = parsed
      return transaction(engine, options, async tx => {
        const [added] =
          ip === undefined
            ? await addNextAddresses(engine, tx, { addressBlock, order }, [owner], options)
            : await addAddresses(engine, tx, [{ ...owner, addressBlock, ip }], options)
        return added as AddressView
      })
    },
    async nextMany(input, options = {}) {
      const { addresses: owners, ...search } = parseInput(nextAddressesInput, input, 'The list of Addresses')
      return transaction(engine, options, tx => addNextAddresses(engine, tx, search, owners, options))
    },
    get: (id, options = {}) => requireAddress(options.tx ?? engine.db, id),
    async list(query = {}, options = {}) {
      const { after, limit, addressBlock, structure, kind, ip } = parseInput(
        addressQuery,
        query,
        'The query for Addresses',
      )
      const conditions = [
        sql`true`,
        ...(after === undefined ? [] : [sql`address.id > ${keyOf(address.id, after)}`]),
        ...(addressBlock === undefined ? [] : [sql`address.address_block = ${addressBlock}`]),
        ...(structure === undefined ? [] : [sql`address.structure = ${structure}`]),
        ...(kind === undefined ? [] : [sql`address.kind = ${kind}::contractor.address_kind`]),
        ...(ip === undefined ? [] : [sql`address.ip = ${ip}::inet`]),
      ]
      const rows = await executeRows<AddressViewRow>(
        options.tx ?? engine.db,
        sql`select ${addressColumns} from contractor.address where ${sql.join(conditions, sql` and `)}
            order by address.id limit ${limit + 1}`,
      )
      return toPage(
        rows.map(toAddressView),
        limit,
        row => row.id,
        row => row,
      )
    },
    async update(id, changes, options = {}) {
      return transaction(engine, options, async tx => {
        await changeAddress(engine, tx, id, changes, options)
        const after = await requireAddress(tx, id)
        await record(tx, options, 'address.changed', after)
        return after
      })
    },
    async delete(id, options = {}) {
      await transaction(engine, options, async tx => {
        // Whoever points to it at this moment holds its row.
        await lockAddress(tx, id)
        takingLock(tx, 'address')
        await tx.execute(sql`select from contractor.address where id = ${id} for update`)
        const one = await requireAddress(tx, id)
        checkVersion('Address', id, one.version, options.ifVersion)
        const pointing = await executeRows<{ ip: string }>(
          tx,
          sql`select host(ip) as ip from contractor.address where pointer = ${id} order by address.ip limit 20`,
        )
        if (pointing.length) {
          const by = pointing.map(other => `Address ${other.ip}`)
          const message = `Address ${one.ip} cannot be deleted: ${by.join(', ')} point${by.length === 1 ? 's' : ''} to it`
          throw new ContractorError('IN_USE', message, { kind: 'Address', id, by })
        }
        await tx.execute(sql`delete from contractor.address where id = ${id}`)
        await record(tx, options, 'address.deleted', one)
      })
    },
  })
  return addresses
}
