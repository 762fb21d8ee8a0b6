import { parseArgs } from 'node:util'
import { startPostgres } from '../../../test/embedded-postgres.ts'
import type { SeedResult } from './run-seed.ts'
import { openSimulation, runSeeds } from './run-seeds.ts'
import { sabotages } from './sabotage.ts'

/**
 * Runs the simulation of the Foreman.
 *
 *   --seeds N        how many seeds, 1000 unless said
 *   --from N         the first of them, 1 unless said
 *   --seed N         this one only, with its trace
 *   --failures N     how many failing seeds to collect before it stops, 1 unless said
 *   --sabotage NAME  with a dispatch that breaks a law, to see it found
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    failures: { type: 'string', default: '1' },
    sabotage: { type: 'string' },
  },
})

if (values.sabotage !== undefined && !Object.hasOwn(sabotages, values.sabotage)) {
  process.stderr.write(`There is no sabotage '${values.sabotage}': ${Object.keys(sabotages).join(', ')}\n`)
  process.exit(2)
}

const only = values.seed === undefined ? undefined : Number(values.seed)
const count = only === undefined ? Number(values.seeds) : 1
const mostFailures = Number(values.failures)
const startedAt = performance.now()
const seconds = () => Math.round((performance.now() - startedAt) / 100) / 10

const server = await startPostgres()
const database = await openSimulation(server.url)
let done = 0
let failed = 0
const { seeds, counts, failures } = await runSeeds(database, {
  first: only ?? Number(values.from),
  count,
  sabotage: values.sabotage,
  onResult(result) {
    done++
    if (only !== undefined && !result.violation) process.stdout.write(`${result.trace.join('\n')}\n`)
    if (result.violation) report(result)
    else if (done % 250 === 0) process.stdout.write(`${done} of ${count} seeds, ${seconds()} s\n`)
    return failed < mostFailures
  },
})
await database.close()
await server.stop()

const line = {
  seeds,
  failed: failures.map(one => one.seed),
  ...Object.fromEntries([...counts].sort()),
  seconds: seconds(),
}
process.stdout.write(`${JSON.stringify(line)}\n`)
if (only !== undefined) process.stdout.write(`fingerprint ${failures[0]?.fingerprint ?? 'of a good run'}\n`)
process.exitCode = failures.length ? 1 : 0

function report({ seed, violation, trace, fingerprint }: SeedResult): void {
  failed++
  process.stdout.write(
    `${trace.join('\n')}\nSEED ${seed} BREAKS A LAW\n${violation?.message}\nIts trace is ${fingerprint}. Replay it with: npm run sim -- --seed ${seed}\n`,
  )
}
