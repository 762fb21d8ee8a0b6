import { readFile } from 'node:fs/promises'
import { longestGapMs } from './stall.ts'
import type { Holding } from './strangers.ts'

export interface StrangerCounts {
  /** Transactions that strangers held, and how many of these they had prepared. */
  strangers: number
  prepared: number
  /** Locks on whole tables. */
  locks: number
  /** How often Jobs should have gone on, and for three seconds nothing else was in the way than a stranger. */
  heldUp: { sessions: number; prepared: number }
  /** How often a server's log named one who held up Jobs. */
  named: { sessions: number; prepared: number }
}

/** From when on the engine is to say who holds up its Jobs. */
const longMs = 3_000

export interface StrangerLogs {
  /** What the strangers themselves say. */
  strangers: string
  servers: readonly string[]
}

/** `pauses` are the moments in which no server, or no agent, was there to be held up. */
export async function countStrangers(logs: StrangerLogs, pauses: readonly number[]): Promise<StrangerCounts> {
  const read = async (log: string) => (await readFile(log, 'utf8')).split('\n')
  const holdings = (await read(logs.strangers))
    .filter(line => line.startsWith('{"kind"'))
    .map(line => JSON.parse(line) as Holding)
  const told = (await Promise.all(logs.servers.map(read)))
    .flat()
    .filter(line => line.includes('A transaction holds up Jobs; all others go on'))
  const isLong = ({ sinceMs, ms, lateSinceMs }: Holding) =>
    lateSinceMs !== undefined && longestGapMs(pauses, lateSinceMs, sinceMs + ms) > longMs
  const heldUp = holdings.filter(isLong)
  return {
    strangers: holdings.filter(one => one.kind !== 'lock').length,
    prepared: holdings.filter(one => one.kind === 'prepared').length,
    locks: holdings.filter(one => one.kind === 'lock').length,
    heldUp: {
      sessions: heldUp.filter(one => one.kind === 'session').length,
      prepared: heldUp.filter(one => one.kind === 'prepared').length,
    },
    named: {
      sessions: told.filter(line => /pid=\d+ application="stranger"/.test(line)).length,
      prepared: told.filter(line => /pid=null application="stranger-\d+"/.test(line)).length,
    },
  }
}
