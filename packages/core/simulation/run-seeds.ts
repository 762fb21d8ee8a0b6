import { type Contractor, createContractor } from '@contractor/core'
import { anvil } from './anvil.ts'
import { openSimulationDatabase, type SimulationDatabase } from './database.ts'
import { runSeed, type SeedResult } from './run-seed.ts'
import { prepareTargets } from './targets.ts'

/** Opens an empty database for runs: its tables are made, and what all runs share. */
export async function openSimulation(url: string): Promise<SimulationDatabase> {
  const contractor: Contractor = await createContractor({ database: url, plugins: [anvil], foreman: false })
  try {
    await prepareTargets(contractor)
  } finally {
    await contractor.close()
  }
  return openSimulationDatabase(url)
}

export interface SeedsOptions {
  first: number
  count: number
  sabotage?: string | undefined
  /** After each run; ends them all by saying false. */
  onResult?(result: SeedResult): boolean
}

export interface SeedsResult {
  seeds: number
  counts: Map<string, number>
  failures: SeedResult[]
}

/** Runs seeds one after the other on one database. */
export async function runSeeds(database: SimulationDatabase, options: SeedsOptions): Promise<SeedsResult> {
  const total: SeedsResult = { seeds: 0, counts: new Map(), failures: [] }
  for (let seed = options.first; seed < options.first + options.count; seed++) {
    const result = await runSeed(seed, database, options.sabotage)
    total.seeds++
    for (const [what, count] of result.counts) total.counts.set(what, (total.counts.get(what) ?? 0) + count)
    if (result.violation) total.failures.push(result)
    if (options.onResult?.(result) === false) break
  }
  return total
}
