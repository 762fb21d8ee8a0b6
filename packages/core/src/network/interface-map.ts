import { type SQL, sql } from 'drizzle-orm'
import { anyNumber, anyText } from '../database/any-of.ts'
import type { Values } from '../database/columns.ts'
import { type Db, executeRows } from '../database/database.ts'

/**
 * The interfaces of a Structure: those of its Foundation and its own, each with the addresses that it has. Those of a
 * Foundation: its real ones, with the addresses that its Structure has on them.
 *
 * SQL and shaping are apart: `interfacesOf` and `addressesOf` are scalar expressions that any statement may select, and
 * `toInterfaceMap` makes the map of what they gave. Addresses that point to another one are on no interface, and so are
 * not here.
 */
export interface InterfaceEntry {
  /** As the operating system names it. */
  name: string
  kind: 'real' | 'abstract' | 'aggregated'
  /** In lower case with colons; of a real one, where it is known. */
  mac: string | null
  /** Of a real one: as the BluePrint names the port. */
  physicalLocation: string | null
  /** Of a real one: the switch and its port. */
  neighbour: string | null
  network: string | null
  /** Of its Network; null without one. */
  mtu: number | null
  /** The Foundation boots and is installed from it. */
  provisioning: boolean
  /** It has the Structure's primary address. */
  primary: boolean
  /** What a machine that boots from it is given. */
  pxe: string | null
  /** Of an aggregated one: the names of what it is made of, in their order. */
  members: string[]
  /** Of an aggregated one: how it is bonded. */
  parameters: Values
  /** IPv4 before IPv6, then without alias before with, then by number. */
  addresses: InterfaceAddress[]
}

export interface InterfaceAddress {
  id: number
  address: string
  family: 4 | 6
  addressBlock: string
  /** `255.255.255.0`; null for IPv6, where everything that takes a mask takes the prefix. */
  netmask: string | null
  prefix: number
  /** With its prefix, as `10.0.0.0/24`. */
  subnet: string
  gateway: string | null
  /** Whether the gateway is outside of the subnet: the machine needs a route to it on the wire itself. */
  gatewayOnLink: boolean
  primary: boolean
  alias: number | null
  /** On which VLAN the interface's Network carries the address's AddressBlock; null where it does not, or on none. */
  vlan: number | null
  tagged: boolean
  /** The Network of the interface. */
  network: string | null
  mtu: number | null
  /** Brought up when the machine starts: true of every address that is kept here. */
  auto: boolean
}

export interface InterfaceMaps {
  structures: Map<number, InterfaceEntry[]>
  foundations: Map<string, InterfaceEntry[]>
}

/** What `interfacesOf` gives for one interface. */
export interface InterfaceRow extends Omit<InterfaceEntry, 'primary' | 'addresses'> {}

/** What `addressesOf` gives for one address. */
export interface AddressRow extends Omit<InterfaceAddress, 'network' | 'mtu' | 'auto'> {
  /** The name of its interface. */
  interface: string
}

/** Of an AddressBlock that is called `block`: whether its gateway is outside of its subnet. */
export const gatewayOnLink = sql`coalesce(not block.gateway <<= block.subnet, false)`

/** A JSON array of InterfaceRow: of a Foundation, and of a Structure, both given as SQL and either possibly null. */
export function interfacesOf(structure: SQL, foundation: SQL): SQL {
  return sql`(
    select coalesce(jsonb_agg(jsonb_build_object(
      'name', port.name, 'kind', port.kind, 'mac', port.mac, 'physicalLocation', port.physical_location,
      'neighbour', port.neighbour, 'network', port.network, 'mtu', network.mtu, 'provisioning', port.provisioning,
      'pxe', port.pxe, 'parameters', port.parameters, 'members', case port.kind when 'aggregated' then (
        select coalesce(jsonb_agg(member.name order by part.position), '[]')
        from contractor.interface_member part join contractor.network_interface member on member.id = part.member
        where part.aggregate = port.id) else '[]' end)), '[]')
    from (
      select * from contractor.network_interface where foundation = ${foundation}
      union all
      select * from contractor.network_interface where structure = ${structure}
    ) port left join contractor.network on network.name = port.network)`
}

/** A JSON array of AddressRow: of the Structure given as SQL, with the VLAN by the interface that has each. */
export function addressesOf(structure: SQL, foundation: SQL): SQL {
  return sql`(
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', own.id, 'interface', own.interface, 'address', host(own.ip), 'family', family(own.ip),
      'addressBlock', block.name, 'prefix', masklen(block.subnet), 'subnet', block.subnet,
      'netmask', case family(own.ip) when 4 then host(netmask(block.subnet)) end, 'gateway', host(block.gateway),
      'gatewayOnLink', ${gatewayOnLink}, 'primary', own."primary", 'alias', own.alias, 'vlan', carried.vlan, 'tagged', coalesce(carried.tagged, false))
      order by family(own.ip), own.alias nulls first, own.ip), '[]')
    from contractor.address own
    join contractor.address_block block on block.name = own.address_block
    left join lateral (
      select network from contractor.network_interface where foundation = ${foundation} and name = own.interface
      union all
      select network from contractor.network_interface where structure = ${structure} and name = own.interface
    ) port on true
    left join contractor.network_address_block carried
      on carried.network = port.network and carried.address_block = block.name
    where own.structure = ${structure} and own.interface is not null)`
}

const byName = new Intl.Collator('en', { numeric: true })

/** `eth2` before `eth10`. */
export function compareNames(one: string, other: string): number {
  return byName.compare(one, other) || Number(one > other) - Number(one < other)
}

/** Puts together what the two expressions gave, sorted by name. */
export function toInterfaceMap(
  interfaces: readonly InterfaceRow[],
  addresses: readonly AddressRow[],
): InterfaceEntry[] {
  const byInterface = new Map<string, AddressRow[]>()
  for (const one of addresses) {
    const others = byInterface.get(one.interface)
    if (others) others.push(one)
    else byInterface.set(one.interface, [one])
  }
  const entries = interfaces.map(row => {
    const own = (byInterface.get(row.name) ?? []).map(({ interface: _, ...address }) => ({
      ...address,
      ...{ network: row.network, mtu: row.mtu, auto: true },
    }))
    return { ...row, primary: own.some(address => address.primary), addresses: own }
  })
  return entries.sort((one, other) => compareNames(one.name, other.name))
}

/** The interface maps of many: one statement for the Structures and one for the Foundations. Unknown ones are left out. */
export async function loadInterfaceMaps(
  db: Db,
  { structures = [], foundations = [] }: { structures?: readonly number[]; foundations?: readonly string[] },
): Promise<InterfaceMaps> {
  const own = structures.length ? await selectOfStructures(db, structures) : []
  const under = foundations.length ? await selectOfFoundations(db, foundations) : []
  return {
    structures: new Map(own.map(row => [Number(row.id), toInterfaceMap(row.interfaces, row.addresses)])),
    foundations: new Map(under.map(row => [row.locator, toInterfaceMap(row.interfaces, row.addresses)])),
  }
}

type Both = { interfaces: InterfaceRow[]; addresses: AddressRow[] }

function selectOfStructures(db: Db, ids: readonly number[]): Promise<({ id: number | string } & Both)[]> {
  const [id, under] = [sql`structure.id`, sql`structure.foundation`]
  return executeRows(
    db,
    sql`select structure.id, ${interfacesOf(id, under)} as interfaces, ${addressesOf(id, under)} as addresses
        from contractor.structure
        where structure.id = ${anyNumber(ids)}`,
  )
}

function selectOfFoundations(db: Db, locators: readonly string[]): Promise<({ locator: string } & Both)[]> {
  const [id, locator] = [sql`heir.id`, sql`foundation.locator`]
  return executeRows(
    db,
    // Without the Structure's own interfaces, its addresses on them find none: a Foundation has its real ones alone.
    sql`select foundation.locator, ${interfacesOf(sql`null::bigint`, locator)} as interfaces,
          ${addressesOf(id, locator)} as addresses
        from contractor.foundation left join contractor.structure heir on heir.foundation = foundation.locator
        where foundation.locator = ${anyText(locators)}`,
  )
}
