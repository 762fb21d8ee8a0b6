import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContractor } from '@contractor/core'
import { PGlite } from '@electric-sql/pglite'
import postgres from 'postgres'
import { startPostgres } from '../../../test/embedded-postgres.ts'

/**
 * How long all zone files take for 10,000 Structures, each with two interfaces, three addresses and so seven names that
 * lead to or from it, in four zones of a tree and the reverse zones of their blocks: read, composed, given serials, and
 * written into an empty folder.
 */
const structures = 10_000
const rounds = 5

export const benchmarks = {
  'directory/zones': async () => [await onPostgres(), await onPglite()],
}

async function onPostgres() {
  const server = await startPostgres({ durable: true })
  let statements = 0
  const client = postgres(server.url, { max: 4, onnotice: () => undefined, debug: () => statements++ })
  try {
    return {
      database: 'postgres',
      ...(await measure(
        client,
        () => statements,
        text => client.unsafe(text),
      )),
    }
  } finally {
    await client.end()
    await server.stop()
  }
}

async function onPglite() {
  const client = await PGlite.create()
  let statements = 0
  const transaction = client.transaction.bind(client)
  // All that publishing runs, it runs in transactions.
  client.transaction = (run => {
    statements += 2
    return transaction(tx => {
      const query = tx.query.bind(tx)
      tx.query = ((...given: Parameters<typeof query>) => {
        statements++
        return query(...given)
      }) as typeof tx.query
      return run(tx)
    })
  }) as typeof client.transaction
  try {
    return {
      database: 'pglite',
      ...(await measure(
        client,
        () => statements,
        text => client.exec(text),
      )),
    }
  } finally {
    await client.close()
  }
}

async function measure(
  database: postgres.Sql | PGlite,
  statements: () => number,
  run: (statement: string) => Promise<unknown>,
) {
  const contractor = await createContractor({ database, foreman: false })
  const folder = await mkdtemp(join(tmpdir(), 'contractor-zones-'))
  try {
    const zone = { email: 'hostmaster@example.com', nameservers: ['ns.example.net'] }
    await contractor.zones.create({ name: 'example.com', ...zone })
    await contractor.sites.create({ name: 'all', zone: 'example.com' })
    for (const name of ['one', 'two', 'three']) {
      await contractor.zones.create({ name: `${name}.example.com`, ...zone })
      await contractor.sites.create({ name, parent: 'all', zone: `${name}.example.com` })
    }
    await run(rows)
    const seconds: number[] = []
    let each = 0
    let zones = 0
    for (let round = 0; round < rounds; round++) {
      // Each time everything is new: the serials, and the files.
      await run('delete from contractor.zone_serial')
      const target = await mkdtemp(join(folder, 'round-'))
      const before = statements()
      const began = performance.now()
      zones = (await contractor.dns.write(target)).zones
      seconds.push((performance.now() - began) / 1000)
      each = statements() - before
    }
    const sorted = seconds.sort((one, two) => one - two)
    const median = sorted[Math.floor(rounds / 2)] ?? 0
    return { structures, zones, seconds: Number(median.toFixed(3)), statements: each }
  } finally {
    await contractor.close()
    await rm(folder, { recursive: true })
  }
}

const rows = `
  insert into contractor.blueprint (name, kind, created_at, updated_at)
    values ('bed', 'foundation', now(), now()), ('house', 'structure', now(), now());
  insert into contractor.address_block (name, site, subnet, created_at, updated_at) values
    ('four', 'all', '10.0.0.0/18', now(), now()), ('other', 'all', '10.1.0.0/18', now(), now()),
    ('six', 'all', '2001:db8::/64', now(), now());
  insert into contractor.foundation (locator, type, site, blueprint, created_at, updated_at)
    select 'bed-' || n, 'Bed', 'all', 'bed', now(), now() from generate_series(1, ${structures}) n;
  insert into contractor.structure (hostname, site, blueprint, foundation, created_at, updated_at)
    select 'host-' || n, (array['all', 'one', 'two', 'three'])[n % 4 + 1], 'house', 'bed-' || n, now(), now()
    from generate_series(1, ${structures}) n;
  insert into contractor.address (address_block, ip, kind, structure, interface, "primary", created_at, updated_at)
    select place.block, place.base + structure.id, 'static', structure.id, place.port, place.first, now(), now()
    from contractor.structure, (values
      ('four', '10.0.0.0'::inet, 'eth0', true), ('six', '2001:db8::'::inet, 'eth0', false),
      ('other', '10.1.0.0'::inet, 'eth1', false)) as place(block, base, port, first);
  analyze`
