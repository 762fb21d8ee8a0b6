import { createManualClock, type ManualClock } from '@contractor/core/testing'
import type { SimulationDatabase } from './database.ts'
import { createDispatchLaws, type DispatchLaws, type Exchange } from './laws.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { createRandom, type Random } from './random.ts'
import type { GeneratedScript } from './script.ts'
import { createTurnstile, type Turnstile } from './turnstile.ts'

/** All that one run consists of, apart from the engines and agents themselves. */
export interface World {
  readonly seed: number
  readonly random: Random
  readonly clock: ManualClock
  readonly ledger: Ledger
  readonly laws: DispatchLaws
  readonly turnstile: Turnstile
  readonly database: SimulationDatabase
  /** The scripts that were written, by their run. */
  readonly runs: Map<number, ScriptRun>
  /** What agents and the dispatch said to each other since the laws last looked. */
  readonly exchanges: Exchange[]
  readonly counts: Map<string, number>
  /** What happened, for whoever has to find out why. */
  readonly lines: string[]
  /** No more faults: everybody does what they should, and everything has to come to its end. */
  calm: boolean
  newId(): string
  /** How long a lock is waited for: as long as it takes, but for one that a stranger may hold. */
  lockTimeoutMs(): number
  /** How many transactions of strangers are open. */
  strangers: number
  trace(line: string): void
  count(what: string): void
}

export interface ScriptRun {
  target: string
  action: string
  script: GeneratedScript
}

export function createWorld(seed: number, database: SimulationDatabase): World {
  const counts = new Map<string, number>()
  const lines: string[] = []
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
  const trace = (line: string) => lines.push(line)
  let ids = 0
  const world: World = {
    seed,
    random: createRandom(seed),
    clock: createManualClock(),
    ledger: createLedger(),
    laws: createDispatchLaws(),
    turnstile: createTurnstile({
      countBlocked: database.countBlocked,
      deadlockMs: database.deadlockMs,
      onFault: count,
      trace,
    }),
    database,
    runs: new Map(),
    exchanges: [],
    counts,
    lines,
    calm: false,
    strangers: 0,
    lockTimeoutMs: () => (world.strangers > 0 ? 30 : 60_000),
    newId: () => `call-${++ids}`,
    trace,
    count,
  }
  return world
}
