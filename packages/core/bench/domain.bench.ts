import { type Contractor, createContractor } from '@contractor/core'
import { defineFoundation } from '@contractor/plugin'
import { PGlite } from '@electric-sql/pglite'
import postgres from 'postgres'
import { z } from 'zod'
import { startPostgres } from '../../../test/embedded-postgres.ts'

/**
 * How many objects a second the bulk calls of the SDK take, with every check and every event: 100,000 Structures with
 * their Foundations, an interface and an address each, in a Zone, in batches of 5,000. Every object counts as one.
 */
const structures = 100_000
const batch = 5_000

const bed = defineFoundation({ type: 'Bed', classes: ['Metal'], fields: z.object({ slot: z.number() }), functions: {} })

export const benchmarks = {
  'domain/load': async () => [await onPostgres(), await onPglite()],
}

async function onPostgres() {
  const server = await startPostgres({ durable: true })
  const client = postgres(server.url, { max: 4, onnotice: () => undefined })
  try {
    return { database: 'postgres', ...(await measure(client)) }
  } finally {
    await client.end()
    await server.stop()
  }
}

async function onPglite() {
  const client = await PGlite.create()
  try {
    return { database: 'pglite', ...(await measure(client)) }
  } finally {
    await client.close()
  }
}

async function measure(database: postgres.Sql | PGlite) {
  const contractor = await createContractor({ database, plugins: [bed], foreman: false })
  try {
    await prepare(contractor)
    const spent = { foundations: 0, structures: 0, interfaces: 0, addresses: 0 }
    const timed = async <T>(what: keyof typeof spent, run: () => Promise<T>): Promise<T> => {
      const began = performance.now()
      const result = await run()
      spent[what] += performance.now() - began
      return result
    }
    const began = performance.now()
    for (let from = 0; from < structures; from += batch) {
      const numbers = Array.from({ length: Math.min(batch, structures - from) }, (_, at) => from + at)
      await timed('foundations', () => contractor.foundations.createMany(numbers.map(foundationOf)))
      const made = await timed('structures', () => contractor.structures.createMany(numbers.map(structureOf)))
      await timed('interfaces', () => contractor.interfaces.createMany(numbers.map(interfaceOf)))
      await timed('addresses', () =>
        contractor.addresses.createMany(
          made.map(({ id }, at) => ({ kind: 'static', ...placeOf(from + at), structure: id, interface: 'eth0' })),
        ),
      )
    }
    const seconds = (performance.now() - began) / 1000
    const objects = structures * Object.keys(spent).length
    const secondsOf = Object.fromEntries(Object.entries(spent).map(([what, ms]) => [what, rounded(ms / 1000)]))
    return { objectsPerSecond: Math.round(objects / seconds), objects, seconds: rounded(seconds), secondsOf }
  } finally {
    await contractor.close()
  }
}

const rounded = (seconds: number) => Number(seconds.toFixed(2))

async function prepare(contractor: Contractor): Promise<void> {
  await contractor.zones.create({
    name: 'example.com',
    email: 'hostmaster@example.com',
    nameservers: ['ns.example.net'],
  })
  await contractor.sites.create({ name: 'lab', zone: 'example.com' })
  await contractor.blueprints.put({ kind: 'foundation', name: 'bed', foundationTypes: ['Bed'] })
  await contractor.blueprints.put({ kind: 'structure', name: 'base', foundationBlueprints: ['bed'] })
  await contractor.blueprints.put({ kind: 'structure', name: 'web', parents: ['base'] })
  for (const block of [0, 1]) {
    await contractor.addressBlocks.create({ name: `wide${block}`, site: 'lab', subnet: `10.${block}.0.0/16` })
  }
}

const foundationOf = (n: number) => ({
  ...{ locator: `bed-${n}`, type: 'Bed' as const, site: 'lab', blueprint: 'bed', fields: { slot: n } },
})
const structureOf = (n: number) => ({
  ...{ hostname: `host-${n}`, site: 'lab', blueprint: 'web', foundation: `bed-${n}`, configValues: { rack: n % 40 } },
})
const interfaceOf = (n: number) => ({
  ...{ kind: 'real' as const, foundation: `bed-${n}`, name: 'eth0', provisioning: true },
  mac: `52:54:${n
    .toString(16)
    .padStart(8, '0')
    .replace(/(..)(?=.)/g, '$1:')}`,
})
const perBlock = 60_000
const placeOf = (n: number) => ({ addressBlock: `wide${Math.floor(n / perBlock)}`, offset: (n % perBlock) + 1 })
