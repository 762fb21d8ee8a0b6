import { type Contractor, createContractor } from '@contractor/core'
import { defineFoundation } from '@contractor/plugin'
import { PGlite } from '@electric-sql/pglite'
import postgres from 'postgres'
import { z } from 'zod'
import { startPostgres } from '../../../test/embedded-postgres.ts'

/**
 * How many addresses a second eight callers are given, each for a Structure of its own, out of a /16 that is 90 % full:
 * with its free addresses scattered all over it, and with all of them behind one run of used ones. And, with that one
 * run, what a search costs that has to walk all of it, since an address at its beginning was free for a moment.
 */
const bed = defineFoundation({ type: 'Bed', classes: ['Metal'], fields: z.object({}), functions: {} })

const callers = 8
const asked = 2000
const usable = 2 ** 16 - 2
const used = Math.round(usable * 0.9) - asked / 2

export const benchmarks = {
  'network/next': async () => [await onPostgres('scattered'), await onPostgres('one run'), await onPglite()],
}

async function onPostgres(free: 'scattered' | 'one run') {
  const server = await startPostgres({ durable: true })
  try {
    const client = postgres(server.url, { max: callers, onnotice: () => undefined })
    try {
      return { database: 'postgres', free, ...(await measure(client, free)) }
    } finally {
      await client.end()
    }
  } finally {
    await server.stop()
  }
}

async function onPglite() {
  const client = await PGlite.create()
  try {
    return { database: 'pglite', free: 'scattered', ...(await measure(client, 'scattered')) }
  } finally {
    await client.close()
  }
}

async function measure(database: postgres.Sql | PGlite, free: 'scattered' | 'one run') {
  const contractor = await createContractor({ database, plugins: [bed], foreman: false })
  try {
    const structures = await build(contractor)
    const offsets = free === 'scattered' ? scattered() : Array.from({ length: used }, (_, at) => at + 1)
    const began = performance.now()
    for (let from = 0; from < offsets.length; from += 10_000) {
      await contractor.addresses.createMany(
        offsets.slice(from, from + 10_000).map(offset => ({ kind: 'reserved', addressBlock: 'wide', offset })),
      )
    }
    const loadMs = performance.now() - began
    const next = (structure: number) =>
      contractor.addresses.next({ addressBlock: 'wide', structure, interface: 'eth0' })
    for (const structure of structures) await next(structure)
    const startedAt = performance.now()
    await Promise.all(
      structures.map(async structure => {
        for (let count = 0; count < asked / callers; count++) await next(structure)
      }),
    )
    const ms = performance.now() - startedAt
    return {
      addressesPerSecond: Math.round((asked * 1000) / ms),
      ...{ callers, usedPercent: 90 },
      loadedPerSecond: Math.round((used * 1000) / loadMs),
      ...(free === 'one run' && { longestWalkMs: await walk(contractor, structures[0] as number) }),
    }
  } finally {
    await contractor.close()
  }
}

/** The first address of the run is deleted and given again; the one after that walks the whole run. */
async function walk(contractor: Contractor, structure: number): Promise<number> {
  const [first] = (await contractor.addresses.list({ addressBlock: 'wide', ip: '10.0.0.1' })).items
  await contractor.addresses.delete(first?.id ?? 0)
  const next = () => contractor.addresses.next({ addressBlock: 'wide', structure, interface: 'eth0' })
  await next()
  const began = performance.now()
  await next()
  return Math.round(performance.now() - began)
}

/** Eight Structures with an interface each, and the block. */
async function build(contractor: Contractor): Promise<number[]> {
  await contractor.sites.create({ name: 'lab' })
  await contractor.blueprints.put({ kind: 'foundation', name: 'bed' })
  await contractor.blueprints.put({ kind: 'structure', name: 'web' })
  await contractor.addressBlocks.create({ name: 'wide', site: 'lab', subnet: '10.0.0.0/16' })
  const ids: number[] = []
  for (let count = 1; count <= callers; count++) {
    const locator = `bed${count}`
    await contractor.foundations.create({ locator, type: 'Bed', site: 'lab', blueprint: 'bed' })
    await contractor.interfaces.create({ kind: 'real', foundation: locator, name: 'eth0' })
    const structure = { hostname: `web${count}`, site: 'lab', blueprint: 'web', foundation: locator }
    ids.push((await contractor.structures.create(structure)).id)
  }
  return ids
}

/** So many different offsets of usable addresses, always the same ones. */
function scattered(): number[] {
  const offsets = Array.from({ length: usable }, (_, at) => at + 1)
  let seed = 42
  for (let at = offsets.length - 1; at > 0; at--) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    const other = seed % (at + 1)
    const [one, two] = [offsets[at] as number, offsets[other] as number]
    offsets[at] = two
    offsets[other] = one
  }
  return offsets.slice(0, used)
}
