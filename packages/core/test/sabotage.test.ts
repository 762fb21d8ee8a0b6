import { describe, expect, it } from 'vitest'
import type { SeedResult } from '../simulation/run-seed.ts'
import { runSeeds } from '../simulation/run-seeds.ts'
import { findFailure, openSeeds } from './seeds.ts'

describe('the simulation', () => {
  const seeds = openSeeds()

  it('finds no law broken in 40 further seeds', { timeout: 120_000 }, async () => {
    expect(await findFailure(seeds.database, 41, 40)).toBeUndefined()
  })

  it.each([
    ['stale-claims', 'a claim that was lost is worth nothing', 20],
    ['accept-twice', 'a claim token is accepted at most once'],
    ['never-look', 'what must not be repeated is not issued again without an observation or an operator'],
    ['forget', 'what was answered is not asked again'],
    ['skip-steps', 'no step is lost'],
    ['any-answer', 'an answer belongs to the request that was asked', 5],
    ['poison-for-all', 'nothing fails but what was made to fail'],
    ['lose-wakes', 'a Job that may start is started'],
    ['silence-in-absence', 'the absence of all servers is nobody’s silence', 84],
    ['forget-reasons', 'a Job that stands still says why'],
    ['no-turns', 'a limit holds', 22],
    ['stay-in-site', 'a Task is where its Foundation is', 105],
    // The last is from which seed on it is looked for: what shows it is rare.
  ] as [string, string, number?][])('sees the sabotage %s', { timeout: 120_000 }, async (sabotage, law, first = 1) => {
    let isSeen = false
    const onResult = ({ violation }: SeedResult) => {
      isSeen ||= violation?.law === law
      return !isSeen
    }
    await runSeeds(seeds.database, { first, count: 300, sabotage, onResult })
    expect(isSeen).toBe(true)
  })
})
