import { ContractorError } from '@contractor/plugin'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { type Db, executeRows } from '../database/database.ts'
import { interfaceName, plainName } from '../name.ts'
import { refuseField } from '../references.ts'
import { ipText } from './subnet.ts'

const structureId = z.number().int().positive()
const alias = z.number().int().min(1).max(9999)
const pointer = z.number().int().positive()
const reason = z.string().max(200, 'must be 200 characters at the most')

const staticOwner = {
  kind: z.literal('static').default('static'),
  /** The id of its Structure. */
  structure: structureId,
  /** One of the Structure, or of its Foundation. */
  interface: interfaceName.optional(),
  /** Counts further addresses of an interface that want a name of their own, as `eth0:1`. */
  alias: alias.optional(),
  /** Instead of an interface: the id of the address that this one leads to. */
  pointer: pointer.optional(),
  /** By which the Structure is known. Its first address on an interface is that, unless said otherwise. */
  primary: z.boolean().optional(),
}
const reservedOwner = { kind: z.literal('reserved'), /** For what it is set aside. */ reason: reason.default('') }
const dynamicOwner = { kind: z.literal('dynamic'), /** What a machine that gets it boots. */ pxe: plainName.optional() }

/** Where it is to be: an address, in the block that has it; or a block, and how far from its beginning. */
const place = {
  ip: ipText.optional(),
  addressBlock: plainName.optional(),
  offset: z.number().int().nonnegative().optional(),
  /** Of an address without a Structure and without a named block: the Site whose blocks are searched. */
  site: plainName.optional(),
}

export const addressInput = z.discriminatedUnion('kind', [
  z.strictObject({ ...place, ...staticOwner }),
  z.strictObject({ ...place, ...reservedOwner }),
  z.strictObject({ ...place, ...dynamicOwner }),
])
export type AddressInput = z.output<typeof addressInput>

/** What an address is for, without its place. */
export const addressOwner = z.discriminatedUnion('kind', [
  z.strictObject(staticOwner),
  z.strictObject(reservedOwner),
  z.strictObject(dynamicOwner),
])
export type AddressOwner = z.output<typeof addressOwner>

const search = { addressBlock: plainName, order: z.enum(['lowest', 'random']).default('lowest') }

export const nextAddressInput = z.discriminatedUnion('kind', [
  z.strictObject({ ...search, ip: ipText.optional(), ...staticOwner }),
  z.strictObject({ ...search, ip: ipText.optional(), ...reservedOwner }),
  z.strictObject({ ...search, ip: ipText.optional(), ...dynamicOwner }),
])

export const nextAddressesInput = z.strictObject({ ...search, addresses: z.array(addressOwner).min(1) })

// Without the defaults of creation: what is not given stays as it is.
const moved = { ip: ipText, addressBlock: plainName }
export const addressChanges = {
  static: z
    .strictObject({
      ...moved,
      interface: interfaceName,
      alias: alias.nullable(),
      pointer,
      primary: z.boolean(),
    })
    .partial(),
  reserved: z.strictObject({ ...moved, reason }).partial(),
  dynamic: z.strictObject({ ...moved, pxe: plainName.nullable() }).partial(),
} as const

/** What one may change; which of it depends on the address's kind. */
export type AddressChanges = z.input<(typeof addressChanges)['static']> &
  z.input<(typeof addressChanges)['reserved']> &
  z.input<(typeof addressChanges)['dynamic']>

export const addressView = z.object({
  id: z.number().int(),
  addressBlock: z.string(),
  ip: z.string(),
  kind: z.enum(['static', 'reserved', 'dynamic']),
  structure: z.number().int().nullable(),
  interface: z.string().nullable(),
  alias: z.number().int().nullable(),
  pointer: z.number().int().nullable(),
  primary: z.boolean(),
  pxe: z.string().nullable(),
  reason: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type AddressView = z.output<typeof addressView>

/** A row as `addressColumns` gives it: numbers of 64 bits and moments are text in one driver and not in the other. */
export interface AddressViewRow extends Record<string, unknown> {
  id: number | string
  address_block: string
  ip: string
  kind: AddressView['kind']
  structure: number | string | null
  interface: string | null
  alias: number | null
  pointer: number | string | null
  primary: boolean
  pxe: string | null
  reason: string
  created_ms: string
  updated_ms: string
}

/** Of the table `address`, by that name. */
export const addressColumns: SQL = sql`address.id, address.address_block, host(address.ip) as ip, address.kind,
  address.structure, address.interface, address.alias, address.pointer, address."primary", address.pxe, address.reason,
  (extract(epoch from address.created_at) * 1000)::bigint::text as created_ms,
  (extract(epoch from address.updated_at) * 1000)::bigint::text as updated_ms`

const numberOf = (value: number | string | null) => (value === null ? null : Number(value))

export function toAddressView(row: AddressViewRow): AddressView {
  return {
    id: Number(row.id),
    addressBlock: row.address_block,
    ip: row.ip,
    kind: row.kind,
    structure: numberOf(row.structure),
    interface: row.interface,
    alias: row.alias,
    pointer: numberOf(row.pointer),
    primary: row.primary,
    pxe: row.pxe,
    reason: row.reason,
    createdAt: new Date(Number(row.created_ms)).toISOString(),
    updatedAt: new Date(Number(row.updated_ms)).toISOString(),
  }
}

export async function requireAddress(db: Db, id: number): Promise<AddressView> {
  const [row] = await executeRows<AddressViewRow>(
    db,
    sql`select ${addressColumns} from contractor.address where address.id = ${id}`,
  )
  if (!row) throw new ContractorError('NOT_FOUND', `Address ${id} does not exist`, { kind: 'Address', id })
  return toAddressView(row)
}

/** A static address is on an interface, or points to another one: one of the two. */
export function checkTarget(one: {
  interface?: string | null | undefined
  pointer?: number | null | undefined
  alias?: number | null | undefined
}): void {
  const has = { interface: (one.interface ?? null) !== null, pointer: (one.pointer ?? null) !== null }
  if (has.interface && has.pointer) {
    throw refuseField('pointer', 'An address is on an interface or points to another one, not both: leave one out')
  }
  if (!has.interface && !has.pointer) {
    throw refuseField('interface', 'A static address needs the name of its interface, or the pointer that it follows')
  }
  if (has.pointer && (one.alias ?? null) !== null) {
    throw refuseField('alias', 'An address that points to another one is on no interface, and has no alias there')
  }
}
