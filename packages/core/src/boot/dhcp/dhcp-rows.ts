import type { DhcpLease, DhcpSubnet } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { type Db, executeRows } from '../../database/database.ts'
import { gatewayOnLink } from '../../network/interface-map.ts'

/** What the database knows for the DHCP servers of a Site, each with one statement. */

export function selectBlocks(
  db: Db,
  site: string,
): Promise<(Omit<DhcpSubnet, 'pools' | 'leases'> & Record<string, unknown>)[]> {
  return executeRows(
    db,
    sql`select block.name as "addressBlock", block.subnet::text, family(block.subnet), masklen(block.subnet) as prefix,
          case family(block.subnet) when 4 then host(netmask(block.subnet)) end as netmask, host(block.gateway) as gateway,
          ${gatewayOnLink} as "gatewayOnLink",
          (select min(network.mtu) from contractor.network_address_block carried
            join contractor.network on network.name = carried.network where carried.address_block = block.name) as mtu
        from contractor.address_block block where block.site = ${site}`,
  )
}

/** Before the domain is known: with the Site of the Structure, whose Zone that is. */
export interface LeaseRow extends Omit<DhcpLease, 'domain'>, Record<string, unknown> {
  addressBlock: string
  site: string
}

/** For each block and MAC the one address that a machine asks for with it. */
export async function selectLeases(db: Db, site: string): Promise<LeaseRow[]> {
  const rows = await executeRows<LeaseRow>(
    db,
    // Each arm carries what it found along: joined again by id, the arms would be compared row by row.
    sql`with own as not materialized (
          select own.address_block, own.ip, own.interface, own.alias, own."primary", own.structure,
            owner.foundation, owner.hostname, owner.site
          from contractor.address_block block join contractor.address own on own.address_block = block.name
          join contractor.structure owner on owner.id = own.structure
          where block.site = ${site} and own.interface is not null),
        bond as not materialized (
          select bond.id, bond.structure, bond.name from contractor.network_interface bond
          where bond.kind = 'aggregated' and exists (
            select from contractor.interface_member part join contractor.network_interface port on port.id = part.member
            where part.aggregate = bond.id and port.provisioning)),
        wire as (
          select own.*, port.name, port.mac, port.pxe from own
          join contractor.network_interface port on port.foundation = own.foundation and port.name = own.interface
          union all
          select own.*, port.name, port.mac, port.pxe from own
          join bond on bond.structure = own.structure and bond.name = own.interface
          join contractor.interface_member part on part.aggregate = bond.id
          join contractor.network_interface port on port.id = part.member and port.kind = 'real'),
        lease as (
          select distinct on (address_block, mac) * from wire where mac is not null
          order by address_block, mac, "primary" desc, alias nulls first, ip)
        select address_block as "addressBlock", host(ip) as ip, mac::text, hostname, structure::text, foundation,
          name as interface, pxe, site
        from lease order by address_block, lease.ip, lease.mac`,
  )
  return rows.map(row => ({ ...row, structure: Number(row.structure) }))
}

export interface DynamicRow extends Record<string, unknown> {
  addressBlock: string
  ip: string
  pxe: string | null
}

/** In the order of the addresses. */
export function selectDynamic(db: Db, site: string): Promise<DynamicRow[]> {
  return executeRows(
    db,
    sql`select address.address_block as "addressBlock", host(address.ip) as ip, address.pxe
        from contractor.address join contractor.address_block block on block.name = address.address_block
        where block.site = ${site} and address.kind = 'dynamic' order by address.address_block, address.ip`,
  )
}

/** Every machine of the Site that boots from the network. */
export function selectBoots(
  db: Db,
  site: string,
): Promise<{ mac: string; foundation: string; interface: string; pxe: string | null }[]> {
  return executeRows(
    db,
    sql`select port.mac::text, port.foundation, port.name as interface, port.pxe
        from contractor.network_interface port join contractor.foundation on foundation.locator = port.foundation
        where port.provisioning and port.mac is not null and foundation.site = ${site} order by port.mac`,
  )
}

/** The Zone of each Site that has one: its own, or that of the nearest Site above. */
export async function selectZones(db: Db): Promise<ReadonlyMap<string, string>> {
  const rows = await executeRows<{ name: string; zone: string }>(
    db,
    sql`with recursive line(name, zone) as (
          select name, zone from contractor.site where parent is null
          union all
          select below.name, coalesce(below.zone, line.zone) from contractor.site below join line on below.parent = line.name
        ) select name, zone from line where zone is not null`,
  )
  return new Map(rows.map(row => [row.name, row.zone]))
}
