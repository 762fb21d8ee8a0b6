import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile, createState, inspect, type Program, run, type State, step } from '../src/index.ts'
import { createStillHost } from './playing-host.ts'
import { programs, writeProgram } from './program-text.ts'

function compiled(script: string): Program {
  const result = compile(script)
  if (!result.ok) throw new Error(result.diagnostics[0]?.message)
  return result.program
}

const INSTALL = `begin( description='Install', expected_time=3:00, max_time=1:00:00 )
  begin( description='Disk', expected_time=1:00 )
    disks = [ 'sda' ]
  end
  begin( description='Net', expected_time=1:00 )
    work.configure( nic='eth0' )
  end
  begin( description='Boot', expected_time=1:00 )
    booted = True
  end
end
`

describe('what an operator sees', () => {
  const program = compiled(INSTALL)
  const clock = { now: 1000 }
  const host = createStillHost(clock, { call: () => ({ kind: 'pending', state: 1 }) })
  const state = run(program, createState(program), host)

  test('the tree of blocks, the line, the variables and the pending call', () => {
    const seen = inspect(program, state, 1030)
    expect(seen).toMatchObject({
      line: 6,
      variables: { disks: ['sda'] },
      pending: { module: 'work', function: 'configure', arguments: { nic: 'eth0' } },
      elapsedSeconds: 30,
    })
    expect(seen.blocks).toMatchObject([
      {
        description: 'Install',
        line: 1,
        status: 'running',
        elapsedSeconds: 30,
        expectedSeconds: 180,
        maxSeconds: 3600,
        remainingSeconds: 150,
        blocks: [
          { description: 'Disk', status: 'done', percent: 100, blocks: [] },
          { description: 'Net', status: 'running', percent: 50, remainingSeconds: 30 },
          { description: 'Boot', status: 'ahead', percent: 0 },
        ],
      },
    ])
    expect(seen.progress).toBeGreaterThanOrEqual(45)
    expect(seen.progress).toBeLessThan(60)
    expect(seen.remainingSeconds).toBeGreaterThan(60)
    expect(seen.remainingSeconds).toBeLessThan(120)
  })

  test('a long wait is seen to advance, and never ends by itself', () => {
    const seen = [1000, 1010, 1030, 1060, 2000, 9000].map(now => inspect(program, state, now).progress)
    expect([...seen].sort((a, b) => a - b)).toEqual(seen)
    expect(seen[0]).toBeLessThan(seen[2] as number)
    expect(seen[5]).toBeLessThan(100)
  })

  test('100 and nothing left at the end, and the time stands still', () => {
    clock.now = 1090
    host.call = () => ({ kind: 'value', value: null })
    const done = run(program, state, host)
    expect(inspect(program, done, 5000)).toMatchObject({
      progress: 100,
      elapsedSeconds: 90,
      remainingSeconds: 0,
      blocks: [{ status: 'done', percent: 100 }],
    })
  })
})

test('before the first run there is nothing', () => {
  const program = compiled('a = 1\n')
  expect(inspect(program, createState(program), 5)).toEqual({
    line: 1,
    variables: {},
    blocks: [],
    progress: 0,
    elapsedSeconds: 0,
  })
})

test('progress never goes back, whatever the program does', () => {
  fc.assert(
    fc.property(programs, lines => {
      const program = compiled(writeProgram(lines))
      const clock = { now: 0 }
      const host = createStillHost(clock)
      let state: State = createState(program)
      let before = 0
      for (let count = 0; count < 300 && state.stop?.kind !== 'done' && state.stop?.kind !== 'aborted'; count++) {
        state = step(program, state, host)
        const { progress } = inspect(program, state, clock.now)
        expect(progress).toBeGreaterThanOrEqual(before)
        before = progress
        clock.now += count % 3
        expect(inspect(program, state, clock.now).progress).toBeGreaterThanOrEqual(before)
        before = inspect(program, state, clock.now).progress
      }
      expect(before === 100).toBe(state.stop?.kind === 'done')
    }),
    { numRuns: 20 },
  )
})
