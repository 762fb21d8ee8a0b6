import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runChaos } from './run-chaos.ts'

/**
 * The chaos test: real processes, really killed, in a database in which others work too. It needs the builds
 * (`npm run build:js`) and about two minutes.
 *
 *   --jobs N     300 unless said
 *   --seconds N  how long something is killed every second, 60 unless said
 *   --keep       keeps the logs, the data and the ledger
 */
const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '60' },
    keep: { type: 'boolean', default: false },
  },
})

const folder = await mkdtemp(join(tmpdir(), 'contractor-chaos-'))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
let isGood = false
try {
  const result = await runChaos({
    jobs: Number(values.jobs),
    steps: 10,
    stormSeconds: Number(values.seconds),
    limitSeconds: 480,
    folder,
    say: line => process.stderr.write(`${line}\n`),
  })
  isGood = result.isGood
  process.stdout.write(`${JSON.stringify(result)}\n`)
} finally {
  if (isGood && !values.keep) await rm(folder, { recursive: true, force: true })
  else process.stderr.write(`Logs, data and ledger are in ${folder}\n`)
}
process.exit(isGood ? 0 : 1)
