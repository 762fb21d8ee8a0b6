import { createHash } from 'node:crypto'
import { playCourse } from './course.ts'
import type { SimulationDatabase } from './database.ts'
import { createEngineSlot, type EngineSlot } from './engine-slot.ts'
import { Violation } from './laws.ts'
import { sabotages } from './sabotage.ts'
import { createWorld } from './world.ts'

export interface SeedResult {
  seed: number
  /** The law that was broken, if one was. */
  violation?: { law: string; message: string }
  counts: ReadonlyMap<string, number>
  /** Every choice and what came of it. */
  trace: readonly string[]
  /** Of the trace: two runs of one seed have the same. */
  fingerprint: string
}

/** One run: a random world, a random course of events with faults, then fair weather until all is done. */
export async function runSeed(seed: number, database: SimulationDatabase, sabotage?: string): Promise<SeedResult> {
  const world = createWorld(seed, database)
  const engines: EngineSlot[] = []
  let violation: SeedResult['violation']
  try {
    await database.clean()
    const broken = sabotage === undefined ? undefined : sabotages[sabotage]?.()
    for (const name of world.random.chance(0.6) ? ['A', 'B'] : ['A']) {
      const { client } = database
      engines.push(await createEngineSlot({ name, client, turnstile: world.turnstile, world, sabotage: broken }))
    }
    await playCourse(world, engines, broken)
  } catch (error) {
    if (!(error instanceof Violation)) throw new Error(`Seed ${seed} cannot be run`, { cause: error })
    violation = { law: error.law, message: error.message }
  } finally {
    for (const engine of engines) await engine.close()
  }
  const trace = world.lines
  const fingerprint = createHash('sha256').update(trace.join('\n')).digest('hex').slice(0, 16)
  return { seed, counts: world.counts, trace, fingerprint, ...(violation && { violation }) }
}
