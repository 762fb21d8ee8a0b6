import { createHash } from 'node:crypto'
import { ContractorError, type DhcpData, findIp, formatIp, type Json } from '@contractor/contract'
import { sql } from 'drizzle-orm'
import { loadConfigs } from '../../config/load-config.ts'
import { type Db, executeRows } from '../../database/database.ts'
import type { CallOptions, Engine } from '../../engine/engine.ts'
import { surface } from '../../engine/surface.ts'
import { compareNames } from '../../network/interface-map.ts'
import { refuseUnknown } from '../../noun/references.ts'
import { lineAbove, siteTree } from '../../noun/tree.ts'
import type { AgentIdentity } from '../../run/task/agent-identity.ts'
import { selectBlocks, selectBoots, selectDynamic, selectLeases, selectZones } from './dhcp-rows.ts'
import { poolsOf } from './pools.ts'

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
      await refuseUnknown(db, { Site: [site] })
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
    sql`with recursive ${lineAbove(siteTree, sql`${site}`)} select name from line`,
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
