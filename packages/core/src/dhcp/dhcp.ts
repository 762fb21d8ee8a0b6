import { createHash } from 'node:crypto'
import type { Json } from '@contractor/plugin'
import { ContractorError } from '@contractor/plugin'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { loadConfigs } from '../config/load-config.ts'
import { type Db, executeRows } from '../database/database.ts'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { surface } from '../engine/surface.ts'
import { compareNames } from '../network/interface-map.ts'
import { findIp, formatIp } from '../network/subnet.ts'
import { requireSite } from '../site/sites.ts'
import type { AgentIdentity } from '../task/agent-identity.ts'
import { selectBlocks, selectBoots, selectDynamic, selectLeases, selectZones } from './dhcp-rows.ts'
import { poolsOf } from './pools.ts'

/** What boots or is found by a MAC. */
const machine = z.object({
  mac: z.string(),
  foundation: z.string(),
  /** The real interface that has the MAC. */
  interface: z.string(),
  /** What it is given when it boots. */
  pxe: z.string().nullable(),
})

/** An address that a machine always gets. */
export const dhcpLease = machine.extend({
  ip: z.string(),
  hostname: z.string(),
  domain: z.string().nullable(),
  /** The id of its Structure. */
  structure: z.number().int(),
})
export type DhcpLease = z.output<typeof dhcpLease>

/** Addresses in a row for whoever asks; they all boot the same. */
export const dhcpPool = z.object({ first: z.string(), last: z.string(), pxe: z.string().nullable() })
export type DhcpPool = z.output<typeof dhcpPool>

export const dhcpSubnet = z.object({
  addressBlock: z.string(),
  subnet: z.string(),
  family: z.union([z.literal(4), z.literal(6)]),
  prefix: z.number().int(),
  netmask: z.string().nullable(),
  gateway: z.string().nullable(),
  /**
   * Whether the gateway is outside of the subnet: a client needs a route to it on the wire itself before the one that goes
   * by it (option 121, RFC 3442). False without a gateway.
   */
  gatewayOnLink: z.boolean(),
  /** The smallest of the Networks that carry it, in bytes; null when none does. */
  mtu: z.number().int().nullable(),
  pools: z.array(dhcpPool),
  leases: z.array(dhcpLease),
})
export type DhcpSubnet = z.output<typeof dhcpSubnet>

export const dhcpData = z.object({
  site: z.string(),
  /** Of the Site's Zone; of its config value `domain_name` when neither it nor a Site above has one. */
  domain: z.string().nullable(),
  /** The Site's config value `dns_servers`. */
  dnsServers: z.array(z.string()),
  /** One for each AddressBlock of the Site, sorted by name. */
  subnets: z.array(dhcpSubnet),
  /** Machines of the Site that boot from the network and have no lease in its blocks. */
  boots: z.array(machine),
  /** Changes when anything above does. */
  digest: z.string(),
})
export type DhcpData = z.output<typeof dhcpData>

export interface Dhcp {
  /**
   * What a DHCP server of the Site has to know: a number of statements that does not grow with the Site. A lease leads
   * from the MAC of a real interface to the address that is on it; of several in one block to the primary one, or that
   * without alias. An address on an aggregated interface has a lease for each member's MAC when one of them is the
   * provisioning one. CONFIG_INVALID when the Site's `dns_servers` or `domain_name` is not usable.
   */
  forSite(site: string, options?: CallOptions): Promise<DhcpData>
  /** The same for an agent; FORBIDDEN when its token is not bound to the Site or to one above it. */
  forAgent(agent: AgentIdentity, site: string, options?: CallOptions): Promise<DhcpData>
}

export function createDhcp(engine: Engine): Dhcp {
  const dhcp: Dhcp = surface(engine, {
    async forAgent(agent, site, options = {}) {
      await requireAllowed(options.tx ?? engine.db, agent, site)
      return dhcp.forSite(site, options)
    },
    async forSite(site, options = {}) {
      const db = options.tx ?? engine.db
      await requireSite(db, site)
      const config = (await loadConfigs(engine, db, { sites: [site] })).sites.get(site)
      const zones = await selectZones(db)
      const domain = zones.get(site) ?? readDomain(site, config?.get('domain_name'))
      const leases = groupByBlock(await selectLeases(db, site))
      const dynamic = groupByBlock(await selectDynamic(db, site))
      const subnets = (await selectBlocks(db, site)).map(block => ({
        ...block,
        pools: poolsOf(dynamic.get(block.addressBlock) ?? []),
        leases: (leases.get(block.addressBlock) ?? []).map(({ addressBlock: _, site: own, ...lease }) => ({
          ...lease,
          domain: zones.get(own) ?? domain,
        })),
      }))
      const leased = new Set(subnets.flatMap(one => one.leases.map(lease => lease.mac)))
      const boots = (await selectBoots(db, site)).filter(one => !leased.has(one.mac))
      subnets.sort((one, other) => compareNames(one.addressBlock, other.addressBlock))
      const data = { site, domain, dnsServers: readServers(site, config?.get('dns_servers')), subnets, boots }
      return { ...data, digest: createHash('sha256').update(JSON.stringify(data)).digest('hex') }
    },
  })
  return dhcp
}

async function requireAllowed(db: Db, agent: AgentIdentity, site: string): Promise<void> {
  const above = await executeRows<{ name: string }>(
    db,
    sql`with recursive line as (
          select name, parent from contractor.site where name = ${site}
          union select up.name, up.parent from contractor.site up join line on line.parent = up.name
        ) select name from line`,
  )
  if (above.some(row => agent.sites.includes(row.name))) return
  const needs = `the Site '${site}'`
  throw new ContractorError(
    'FORBIDDEN',
    `The token of agent '${agent.name}' is not bound to ${needs} or to one above it`,
    {
      needs,
    },
  )
}

function groupByBlock<Row extends { addressBlock: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(row.addressBlock)
    if (group) group.push(row)
    else groups.set(row.addressBlock, [row])
  }
  return groups
}

const unusable = (site: string, key: string, what: string) =>
  new ContractorError('CONFIG_INVALID', `The config value ${key} of Site '${site}' must be ${what}: correct it`, {
    target: `Site ${site}`,
    key,
  })

/** One address or a list of them; none when there is no such value. */
function readServers(site: string, value: Json | undefined): string[] {
  const list = Array.isArray(value) ? value : value === undefined || value === null || value === '' ? [] : [value]
  return list.map(one => {
    const ip = typeof one === 'string' ? findIp(one) : undefined
    if (!ip) throw unusable(site, 'dns_servers', 'a list of addresses')
    return formatIp(ip)
  })
}

function readDomain(site: string, value: Json | undefined): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'string') throw unusable(site, 'domain_name', 'the name of a domain')
  return value
}
