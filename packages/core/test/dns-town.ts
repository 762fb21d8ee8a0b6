import type { Structure } from '@contractor/core'
import type { PGlite } from '@electric-sql/pglite'
import postgres from 'postgres'
import type { DatabaseKind } from '../../../test/databases.ts'
import { openShop, type Shop } from './shop.ts'

/** A Shop with zones: `example.com` of Site `lab`, and what is needed to settle Structures there. */
export interface Town extends Shop {
  /** An AddressBlock of a Site, whose name is made of its subnet. */
  block(site: string, subnet: string): Promise<void>
  /** A Structure of a Site; its first address is the primary one. Addresses are IP or `INTERFACE=IP`. */
  settle(site: string, hostname: string, ...addresses: string[]): Promise<Structure>
  /** Gives the Structure another primary address. */
  move(structure: Structure, ip: string): Promise<void>
  /** Runs one statement on its database. */
  run(statement: string): Promise<void>
}

export const hostmaster = { email: 'hostmaster@example.com' }

export async function openTown(kind?: DatabaseKind, options: Parameters<typeof openShop>[1] = {}): Promise<Town> {
  const shop = await openShop(kind, options)
  const { contractor } = shop
  await contractor.blueprints.put({ kind: 'foundation', name: 'plot' })
  await contractor.blueprints.put({ kind: 'structure', name: 'house' })
  await contractor.zones.create({ name: 'example.com', ...hostmaster, nameservers: ['ns1.example.com'] })
  await contractor.sites.update('lab', { zone: 'example.com' })
  let made = 0
  const run = async (statement: string) => {
    const { option } = shop.database
    if (typeof option !== 'string') return void (await (option as PGlite).exec(statement))
    const client = postgres(option, { max: 1, onnotice: () => undefined })
    await client.unsafe(statement)
    await client.end()
  }
  return {
    ...shop,
    run,
    async block(site, subnet) {
      await contractor.addressBlocks.create({ name: subnet.replace(/[^0-9a-f]/g, '-'), site, subnet })
    },
    async settle(site, hostname, ...texts) {
      const foundation = `plot-${++made}`
      const fields = { serial: 's' }
      await contractor.foundations.create({
        locator: foundation,
        type: 'Lathe',
        site: 'lab',
        blueprint: 'plot',
        fields,
      })
      const structure = await contractor.structures.create({ hostname, site, blueprint: 'house', foundation })
      const addresses = texts.map((text, index) => {
        const [ip = '', port = 'eth0'] = text.split('=').reverse()
        return { kind: 'static' as const, structure: structure.id, ip, interface: port, primary: index === 0 }
      })
      for (const name of new Set(addresses.map(address => address.interface)))
        await contractor.interfaces.create({ kind: 'real', foundation, name })
      await contractor.addresses.createMany(addresses)
      return structure
    },
    async move({ id }, ip) {
      const { items } = await contractor.addresses.list({ structure: id })
      const primary = items.find(address => address.kind === 'static' && address.primary)
      await contractor.addresses.update(primary?.id ?? 0, { ip })
    },
  }
}
