import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CallReply,
  compile,
  createState,
  type Host,
  type PendingCall,
  type Program,
  parseState,
  run,
  type State,
  step,
} from '../src/index.ts'
import { allCases } from './case-file.ts'
import { createStillHost } from './playing-host.ts'
import { programs, writeProgram } from './program-text.ts'

/*
 * The law of the machine: after every single instruction the state can be written down, read by another process and
 * continued there, and the end is the same.
 */

const MAX_STEPS = 4000

function anotherProcess(program: Program, state: State): [Program, State] {
  const copy = JSON.parse(JSON.stringify(program)) as Program
  return [copy, parseState(JSON.parse(JSON.stringify(state)), copy)]
}

/** To the end, a message at a stop and all; `advance` is `run` or a single step in another process. */
function play(
  program: Program,
  host: Host,
  clock: { now: number },
  advance: (program: Program, state: State, host: Host) => State,
) {
  const stops: unknown[] = []
  let state = createState(program)
  for (let count = 0; count < MAX_STEPS; count++) {
    state = advance(program, state, host)
    const { stop } = state
    if (!stop) continue
    if (stop.kind === 'budget') break
    stops.push(stop)
    if (stop.kind === 'waiting') clock.now = Math.max(clock.now, stop.wakeAt ?? clock.now)
    if (stop.kind === 'done' || stop.kind === 'aborted') break
  }
  const { stop, variables, stack, scopes, pc } = state
  return { stop, variables, stack, scopes, pc, stops }
}

function checkSteps(script: string, makeHost: (clock: { now: number }) => Host): boolean {
  const compiled = compile(script)
  if (!compiled.ok) return false
  const clocks = [{ now: 0 }, { now: 0 }] as const
  const whole = play(compiled.program, makeHost(clocks[0]), clocks[0], (program, state, host) =>
    run(program, state, host, { steps: 2000 }),
  )
  if (whole.stop?.kind === 'budget') return false
  const stepped = play(compiled.program, makeHost(clocks[1]), clocks[1], (program, state, host) =>
    step(...anotherProcess(program, state), host),
  )
  if (stepped.stop === undefined) return false
  expect(stepped, script).toEqual(whole)
  return true
}

describe('every single step, in another process each', () => {
  test.each(allCases)('$id', ({ script }) => {
    checkSteps(script, clock => createStillHost(clock))
  })

  test('generated programs', () => {
    fc.assert(
      fc.property(programs, lines => {
        checkSteps(writeProgram(lines), clock => createStillHost(clock))
      }),
      { numRuns: 20 },
    )
  })
})

const NESTED = `
list = [ 10, 20, 30 ]
if ( work.first( at=list[ work.place( of='x' ) ] ) == ( 1 + work.second( all=[ work.third(), 2 ], more={ k=work.fourth() } ) ) ) then
begin( description='inside', max_time=1:00:00 )
  total = ( list[ work.place( of=work.name() ) ] + work.first( at=1 ) )
  found = exists( list[ work.place( of='missing' ) ] )
  append( array=list, value=work.first( at=len( array=list ) ) )
  while ( work.count() < 3 ) do pass
  if work.leave() then goto out
end
:out
list[ work.place( of='x' ) ] = work.third()
`

/** Each call is pending twice, fails once and pauses once before it gives its value. */
function createStubbornHost(clock: { now: number }, log: string[]): Host {
  let count = 0
  const values: { [name: string]: (args: PendingCall['arguments']) => CallReply } = {
    first: ({ at }) => ({ kind: 'value', value: at as number }),
    second: () => ({ kind: 'value', value: 9 }),
    third: () => ({ kind: 'value', value: 3 }),
    fourth: () => ({ kind: 'value', value: null }),
    place: ({ of }) => ({ kind: 'value', value: of === 'missing' ? 99 : 0 }),
    name: () => ({ kind: 'value', value: 'x' }),
    count: () => ({ kind: 'value', value: count++ }),
    leave: () => ({ kind: 'value', value: true }),
  }
  return createStillHost(clock, {
    call(call) {
      log.push(JSON.stringify([call.function, call.arguments, call.state]))
      const tries = typeof call.state === 'number' ? call.state : 0
      if (tries < 2) return { kind: 'pending', state: tries + 1 }
      if (tries === 2) return { kind: 'error', state: 3, message: 'failed once' }
      if (tries === 3) return { kind: 'paused', state: 4, message: 'paused once' }
      return (values[call.function] as (args: PendingCall['arguments']) => CallReply)(call.arguments)
    },
  })
}

test('calls of the host in conditions, indexes and arguments go on exactly where they were', () => {
  const logs: string[][] = []
  const done = checkSteps(NESTED, clock => {
    const log: string[] = []
    logs.push(log)
    return createStubbornHost(clock, log)
  })
  expect(done).toBe(true)
  expect(logs[1]).toEqual(logs[0])
  expect(logs[0]?.length).toBe(5 * new Set(logs[0]?.map((_, at) => Math.floor(at / 5))).size)
})
