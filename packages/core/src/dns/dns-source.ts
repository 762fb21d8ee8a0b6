import type { Entry } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import type { Values } from '../database/columns.ts'
import { type Db, executeRows } from '../database/database.ts'

/** Everything that zones are made from. */
export interface DnsSource {
  readonly zones: readonly SourceZone[]
  readonly entries: readonly SourceEntry[]
  /** Static addresses of Structures that are in a Zone, those of one Structure together. */
  readonly addresses: readonly SourceAddress[]
  /** AddressBlocks of Sites that have a Zone, in the order of their subnets. */
  readonly blocks: readonly { readonly subnet: string; readonly zone: string }[]
}

export interface SourceZone {
  readonly name: string
  readonly parent: string | null
  readonly email: string
  readonly nameservers: readonly string[]
  readonly ttl: number
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  readonly minimum: number
}

export interface SourceEntry {
  readonly zone: string
  readonly name: string
  readonly type: Entry['type']
  readonly ttl: number | null
  readonly data: Values
}

export interface SourceAddress {
  readonly structure: number
  readonly hostname: string
  readonly zone: string
  readonly ip: string
  /** None of one that points to another address. */
  readonly interface: string | null
  readonly alias: number | null
  readonly primary: boolean
}

type AddressColumns = [number, string, string, string, string | null, number | null, boolean]

/** Reads it in one statement, and so as of one moment. Addresses come as arrays: they are many. */
export async function loadDnsSource(db: Db): Promise<DnsSource> {
  const [row] = await executeRows<Record<'zones' | 'entries' | 'addresses' | 'blocks', string>>(
    db,
    sql`with recursive tree(site, zone) as (
          select name, zone from contractor.site where parent is null
          union all
          select below.name, coalesce(below.zone, tree.zone)
            from tree join contractor.site below on below.parent = tree.site
        )
        select
          (select coalesce(json_agg(zone order by name), '[]')::text from contractor.zone) as zones,
          (select coalesce(json_agg(entry order by id), '[]')::text from contractor.zone_entry entry) as entries,
          (select coalesce(json_agg(
              json_build_array(structure.id, hostname, tree.zone, host(ip), interface, alias, "primary")
              order by structure.id, alias nulls first, ip), '[]')::text
            from contractor.address
            join contractor.structure on structure.id = address.structure
            join tree on tree.site = structure.site and tree.zone is not null
            where kind = 'static') as addresses,
          (select coalesce(json_agg(json_build_object('subnet', subnet::text, 'zone', tree.zone)
              order by subnet, name), '[]')::text
            from contractor.address_block join tree using (site) where tree.zone is not null) as blocks`,
  )
  const read = <T>(text = '[]') => JSON.parse(text) as T[]
  return {
    zones: read<SourceZone>(row?.zones),
    entries: read<SourceEntry>(row?.entries),
    addresses: read<AddressColumns>(row?.addresses).map(
      ([structure, hostname, zone, ip, port, alias, primary]): SourceAddress => ({
        ...{ structure, hostname, zone, ip, alias, primary },
        interface: port,
      }),
    ),
    blocks: read(row?.blocks),
  }
}
