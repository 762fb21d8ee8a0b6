import { startStrangers } from './strangers.ts'

/**
 * The strangers as a program: the driver ends a process now and then whose database goes away. Its argument is the
 * database; each thing that they had in hand is a line of JSON.
 */
const strangers = startStrangers(process.argv[2] ?? '', holding => {
  process.stdout.write(`${JSON.stringify(holding)}\n`)
})
process.once('SIGTERM', () => void strangers.stop().then(() => process.exit(0)))
