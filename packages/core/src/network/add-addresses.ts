import { type AddressInput, type AddressView, ContractorError } from '@contractor/contract'
import { type SQL, sql } from 'drizzle-orm'
import { type Db, executePrepared, executeRows } from '../database/database.ts'
import { type CallOptions, type Engine, whoIs } from '../engine/engine.ts'
import { recordEvents } from '../event/record-events.ts'
import { refuseField } from '../noun/references.ts'
import { type AddressViewRow, addressColumns, toAddressView } from './address.ts'
import { type Owner, prepareOwners } from './address-laws.ts'
import { type Place, placeAddresses } from './place-addresses.ts'

/** Adds many addresses with a number of statements that does not grow with them; gives them in the order of the inputs. */
export async function addAddresses(
  engine: Engine,
  tx: Db,
  inputs: readonly AddressInput[],
  options: CallOptions,
): Promise<AddressView[]> {
  if (!inputs.length) return []
  const owners = await prepareOwners(tx, inputs)
  const places = await placeAddresses(tx, inputs)
  refuseRepeats(places)
  const rows = places.map((place, at) => ({
    at,
    ...(owners[at] as Owner),
    addressBlock: place.addressBlock,
    ip: place.ip,
  }))
  const added = await insertAddresses(
    engine,
    tx,
    sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as new(at int, "addressBlock" text, ip inet, ${ownerColumns})`,
  )
  const byPlace = new Map(added.map(one => [`${one.addressBlock} ${one.ip}`, one]))
  const missing = places.find(place => !byPlace.has(`${place.addressBlock} ${place.ip}`))
  if (missing) throw await refuseTaken(tx, missing)
  await recordAdded(engine, tx, added, options)
  return places.map(place => byPlace.get(`${place.addressBlock} ${place.ip}`) as AddressView)
}

function refuseRepeats(places: readonly Place[]): void {
  const seen = new Set<string>()
  for (const { addressBlock, ip } of places) {
    if (seen.has(`${addressBlock} ${ip}`))
      throw refuseField('ip', `${ip} of AddressBlock '${addressBlock}' is given twice`)
    seen.add(`${addressBlock} ${ip}`)
  }
}

/** The columns of an Owner, in a record that JSON is read into. */
export const ownerColumns: SQL = sql`kind text, structure bigint, interface text, alias int, pointer bigint,
  "primary" boolean, pxe text, reason text`

/**
 * Puts rows of (at, "addressBlock", ip, …ownerColumns) into the table; those whose address is taken are left out. The
 * Structures are locked: that one has no address yet holds until the transaction ends. OFFSET 0 keeps that question a
 * lookup: the planner would rather read all addresses once, also to add a single one.
 */
export function insertStatement(engine: Engine, source: SQL): SQL {
  const now = engine.clock.now()
  return sql`insert into contractor.address
      (address_block, ip, kind, structure, interface, alias, pointer, "primary", pxe, reason, created_at, updated_at)
    select new."addressBlock", new.ip, new.kind::contractor.address_kind, new.structure, new.interface, new.alias,
      new.pointer, coalesce(new."primary", not exists (
        select from contractor.address other
        where other.structure = new.structure and other.interface is not null offset 0)),
      new.pxe, coalesce(new.reason, ''), ${now}, ${now}
    from ${source} order by new.at
    on conflict (address_block, ip) do nothing
    returning ${addressColumns}`
}

async function insertAddresses(engine: Engine, tx: Db, source: SQL): Promise<AddressView[]> {
  return (await executePrepared<AddressViewRow>(tx, insertStatement(engine, source))).map(toAddressView)
}

/** Who has an address, for the message that says it cannot be had again. */
export async function refuseTaken(tx: Db, { addressBlock, ip }: Place): Promise<ContractorError> {
  const [row] = await executeRows<{ kind: string; hostname: string | null; interface: string | null; reason: string }>(
    tx,
    sql`select address.kind, owner.hostname, address.interface, address.reason from contractor.address
        left join contractor.structure owner on owner.id = address.structure
        where address.address_block = ${addressBlock} and address.ip = ${ip}::inet`,
  )
  const by = row?.hostname
    ? `Structure '${row.hostname}' has it${row.interface === null ? '' : ` on ${row.interface}`}`
    : `it is ${row?.kind ?? 'used'}${row?.reason ? ` (${row.reason})` : ''}`
  return new ContractorError('ALREADY_EXISTS', `${ip} of AddressBlock '${addressBlock}' is taken: ${by}`, {
    kind: 'Address',
    id: ip,
  })
}

export async function recordAdded(
  engine: Engine,
  tx: Db,
  added: readonly AddressView[],
  options: CallOptions,
): Promise<void> {
  const by = whoIs(options)
  await recordEvents(
    engine,
    tx,
    added.map(({ id, version, structure, ip, addressBlock }) => ({
      ...{ type: 'address.created' as const, by, structure },
      ...{ subject: String(id), version, data: { ip, addressBlock } },
    })),
  )
}
