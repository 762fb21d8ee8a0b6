import { type AddressView, ContractorError } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import { type Db, executeRows } from '../database/database.ts'
import { refuseField } from '../noun/references.ts'
import { readStamps, type StampRow } from '../noun/stamps.ts'

/** A row as `addressColumns` gives it: numbers of 64 bits and moments are text in one driver and not in the other. */
export interface AddressViewRow extends StampRow {
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
}

/** Of the table `address`, by that name. */
export const addressColumns: SQL = sql`address.id, address.address_block, host(address.ip) as ip, address.kind,
  address.structure, address.interface, address.alias, address.pointer, address."primary", address.pxe, address.reason,
  address.version,
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
    ...readStamps(row),
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
