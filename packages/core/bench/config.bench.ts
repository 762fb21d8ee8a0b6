import { type Contractor, createContractor } from '@contractor/core'
import { defineFoundation } from '@contractor/plugin'
import { PGlite } from '@electric-sql/pglite'
import postgres from 'postgres'
import { z } from 'zod'
import { startPostgres } from '../../../test/embedded-postgres.ts'

/**
 * How long a config takes: one Structure in a tree of five Sites, with a BluePrint of four generations, 100 keys of
 * which 20 are templates, and an interface with an address; and 1,000 such Structures of one Site in one call.
 */
const bed = defineFoundation({ type: 'Bed', classes: ['Metal'], fields: z.object({}), functions: {} })

const structures = 1000
const warmUp = 300
const rounds = 500

export const benchmarks = {
  'config/resolve': async () => [await onPostgres(), await onPglite()],
}

async function onPostgres() {
  const server = await startPostgres({ durable: true })
  const client = postgres(server.url, { max: 4, onnotice: () => undefined })
  // Apart: with `debug`, the driver notes for each statement where it comes from, which takes its time.
  let statements = 0
  const counted = postgres(server.url, { max: 1, onnotice: () => undefined, debug: () => statements++ })
  try {
    return { database: 'postgres', ...(await measure(client, counted, () => statements)) }
  } finally {
    await client.end()
    await counted.end()
    await server.stop()
  }
}

async function onPglite() {
  const client = await PGlite.create()
  let statements = 0
  const query = client.query.bind(client)
  client.query = ((...given: Parameters<typeof query>) => {
    statements++
    return query(...given)
  }) as typeof client.query
  try {
    return { database: 'pglite', ...(await measure(client, client, () => statements)) }
  } finally {
    await client.close()
  }
}

async function measure(database: postgres.Sql | PGlite, counted: postgres.Sql | PGlite, statements: () => number) {
  const options = { plugins: [bed], foreman: false, heartbeat: false, url: 'http://contractor' }
  const contractor = await createContractor({ ...options, database })
  const counter = await createContractor({ ...options, database: counted })
  try {
    const ids = await build(contractor)
    const one = ids[0] ?? 0
    const single = await time(warmUp, rounds, () => contractor.structures.config(one))
    const bulk = await time(2, 5, async () => {
      const all = await contractor.structures.configs({ site: 'site5' })
      if (all.length !== structures || all.some(item => item.error)) throw new Error('not all could be resolved')
    })
    const count = async (run: () => Promise<unknown>) => {
      await run()
      const before = statements()
      await run()
      return statements() - before
    }
    return {
      ms: single,
      statements: await count(() => counter.structures.config(one)),
      bulkMs: bulk,
      bulkStatements: await count(() => counter.structures.configs({ site: 'site5' })),
      structures,
    }
  } finally {
    await counter.close()
    await contractor.close()
  }
}

/** The median, in milliseconds. */
async function time(before: number, count: number, run: () => Promise<unknown>): Promise<number> {
  for (let round = 0; round < before; round++) await run()
  const times: number[] = []
  for (let round = 0; round < count; round++) {
    const began = performance.now()
    await run()
    times.push(performance.now() - began)
  }
  return Number(times.sort((a, b) => a - b)[Math.floor(count / 2)]?.toFixed(3))
}

/** 100 keys over 10 sources; every fifth is a template, of which one half differs from Structure to Structure. */
async function build(contractor: Contractor): Promise<number[]> {
  const values = (from: string, first: number, count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => {
        const n = first + index
        if (n % 10 === 0)
          return [`key${n}`, `{{ _hostname }}.${from} on {{ key${n + 1} }} at {{ _primary_address.address }}`]
        if (n % 10 === 5) return [`key${n}`, `{% for one in list.0 %}{{ one }},{% endfor %}{{ key${n + 1} }}`]
        return [`key${n}`, `a value of ${from}, number ${n}`]
      }),
    )
  await contractor.sites.create({ name: 'site1', configValues: { ...values('site1', 0, 10), list: [['a', 'b', 'c']] } })
  for (let depth = 2; depth <= 5; depth++) {
    const configValues = values(`site${depth}`, (depth - 1) * 10, 10)
    await contractor.sites.create({ name: `site${depth}`, parent: `site${depth - 1}`, configValues })
  }
  await contractor.blueprints.put({ kind: 'foundation', name: 'bed' })
  for (let depth = 1; depth <= 4; depth++) {
    const configValues = { ...values(`blueprint${depth}`, 40 + depth * 10, 10), 'tool:Metal': 'file' }
    const parents = depth > 1 ? [`blueprint${depth - 1}`] : []
    await contractor.blueprints.put({ kind: 'structure', name: `blueprint${depth}`, parents, configValues })
  }
  await contractor.addressBlocks.create({ name: 'lan', site: 'site5', subnet: '10.0.0.0/16', gateway: '10.0.0.1' })
  const ids: number[] = []
  for (let n = 1; n <= structures; n++) {
    await contractor.foundations.create({ locator: `bed${n}`, type: 'Bed', site: 'site5', blueprint: 'bed' })
    const { id } = await contractor.structures.create({
      hostname: `host${n}`,
      site: 'site5',
      blueprint: 'blueprint4',
      foundation: `bed${n}`,
      configValues: values('structure', 90, 10),
    })
    ids.push(id)
  }
  await contractor.interfaces.createMany(
    ids.map((_, index) => ({ kind: 'real' as const, name: 'eth0', foundation: `bed${index + 1}`, provisioning: true })),
  )
  await contractor.addresses.createMany(
    ids.map((structure, index) => ({
      kind: 'static' as const,
      addressBlock: 'lan',
      offset: 10 + index,
      structure,
      interface: 'eth0',
    })),
  )
  return ids
}
