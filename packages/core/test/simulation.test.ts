import { describe, expect, it } from 'vitest'
import { runSeed } from '../simulation/run-seed.ts'
import { findFailure, openSeeds } from './seeds.ts'

describe('the simulation', () => {
  const seeds = openSeeds()

  it('finds no law broken in its first 40 seeds', { timeout: 120_000 }, async () => {
    expect(await findFailure(seeds.database, 1, 40)).toBeUndefined()
  })

  it('runs a seed the same way each time', { timeout: 60_000 }, async () => {
    for (const seed of [3, 25, 60]) {
      const { fingerprint, trace } = await runSeed(seed, seeds.database)
      expect(trace.length).toBeGreaterThan(10)
      expect((await runSeed(seed, seeds.database)).fingerprint).toBe(fingerprint)
    }
  })
})
