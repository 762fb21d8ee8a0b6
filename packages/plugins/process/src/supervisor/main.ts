import { text } from 'node:stream/consumers'
import { type SupervisorOrder, supervise } from './supervise.ts'

// The agent may be gone at any time, and its ends of these pipes with it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
process.on('SIGHUP', () => {})
process.on('SIGINT', () => {})
const stopAsked = new Promise<void>(resolve => process.on('SIGTERM', () => resolve()))

try {
  const order = parseOrder(await text(process.stdin))
  process.chdir('/')
  await supervise(order, stopAsked, () => process.stdout.write('settled\n'))
  process.exit(0)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`, () => process.exit(1))
}

/** An agent that dies while it writes leaves half of an order: nothing is started, and nothing of it is shown. */
function parseOrder(input: string): SupervisorOrder {
  try {
    return JSON.parse(input) as SupervisorOrder
  } catch {
    throw new Error('The order is not whole')
  }
}
