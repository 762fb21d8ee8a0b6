import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPostgresDatabase } from '../../../test/databases.ts'
import type { SimulationDatabase } from '../simulation/database.ts'
import { runSeed, type SeedResult } from '../simulation/run-seed.ts'
import { openSimulation, runSeeds } from '../simulation/run-seeds.ts'

let database: SimulationDatabase
let drop: () => Promise<void>
beforeAll(async () => {
  const created = await createPostgresDatabase()
  database = await openSimulation(created.option)
  drop = () => created.drop()
})
afterAll(async () => {
  await database.close()
  await drop()
})

/** As many as there is time for; `npm run sim` runs more. */
const limitMs = 12_000

describe('the simulation', () => {
  it('finds no law broken', { timeout: 120_000 }, async () => {
    const startedAt = performance.now()
    const { failures } = await runSeeds(database, {
      first: 1,
      count: 400,
      onResult: ({ violation }) => !violation && performance.now() - startedAt < limitMs,
    })
    const [failure] = failures
    const report = failure && [...failure.trace, failure.violation?.message, `npm run sim -- --seed ${failure.seed}`]
    expect(report?.join('\n')).toBeUndefined()
  })

  it('runs a seed the same way each time', { timeout: 60_000 }, async () => {
    for (const seed of [3, 25, 60]) {
      const { fingerprint, trace } = await runSeed(seed, database)
      expect(trace.length).toBeGreaterThan(10)
      expect((await runSeed(seed, database)).fingerprint).toBe(fingerprint)
    }
  })

  it.each([
    ['stale-claims', 'a claim that was lost is worth nothing'],
    ['accept-twice', 'a claim token is accepted at most once'],
    ['never-look', 'what must not be repeated is not issued again without an observation or an operator'],
    ['forget', 'what was answered is not asked again'],
    ['skip-steps', 'no step is lost'],
  ])('sees the sabotage %s', { timeout: 120_000 }, async (sabotage, law) => {
    let isSeen = false
    const onResult = ({ violation }: SeedResult) => {
      isSeen ||= violation?.law === law
      return !isSeen
    }
    await runSeeds(database, { first: 1, count: 300, sabotage, onResult })
    expect(isSeen).toBe(true)
  })
})
