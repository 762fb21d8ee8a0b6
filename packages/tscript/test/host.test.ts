import { describe, expect, test } from 'vitest'
import {
  type CallReply,
  compile,
  createState,
  type Host,
  type Json,
  type PendingCall,
  type Program,
  referencedNames,
  run,
  type State,
  step,
  TScriptError,
  withPendingState,
} from '../src/index.ts'
import { createStillHost } from './playing-host.ts'

function programOf(script: string): Program {
  const compiled = compile(script)
  if (!compiled.ok) throw new Error(compiled.diagnostics.map(found => found.message).join('\n'))
  return compiled.program
}
function start(script: string, host: Host): [Program, State] {
  const program = programOf(script)
  return [program, run(program, createState(program), host)]
}
const calling = (reply: (call: PendingCall) => CallReply, clock = { now: 100 }) =>
  createStillHost(clock, { call: reply })

describe('calls of the host', () => {
  test('a value is taken at once', () => {
    const [, state] = start(
      'a = m.f( x=1, y=[ 2 ] )\n',
      calling(call => ({ kind: 'value', value: [call.arguments.x as Json, call.arguments.y as Json, call.state] })),
    )
    expect(state).toMatchObject({ stop: { kind: 'done' }, variables: { a: [1, [2], null] } })
    expect(state.pending).toBeUndefined()
  })

  test('pending: waits with the host’s message and time, and asks again with the host’s state', () => {
    const seen: Json[] = []
    const host = calling(call => {
      seen.push(call.state)
      return seen.length < 3
        ? { kind: 'pending', state: { round: seen.length }, message: 'Busy', wakeAt: 130 }
        : { kind: 'value', value: 'ok' }
    })
    const [program, first] = start('a = m.f()\n', host)
    expect(first.stop).toEqual({ kind: 'waiting', message: 'Busy', wakeAt: 130, line: 1, column: 5 })
    expect(first.pending).toEqual({ module: 'm', function: 'f', arguments: {}, state: { round: 1 } })
    const last = run(program, run(program, first, host), host)
    expect(last).toMatchObject({ stop: { kind: 'done' }, variables: { a: 'ok' } })
    expect(seen).toEqual([null, { round: 1 }, { round: 2 }])
  })

  test('without a time it waits until something arrives', () => {
    const [, state] = start(
      'm.f()\n',
      calling(() => ({ kind: 'pending', state: 1 })),
    )
    expect(state.stop).toEqual({ kind: 'waiting', line: 1, column: 1 })
  })

  test('inside a block with a max_time it is woken when that has passed, and pauses then', () => {
    const clock = { now: 100 }
    const host = calling(() => ({ kind: 'pending', state: 1 }), clock)
    const [program, state] = start('begin( max_time=0:30 )\n  m.f()\nend\n', host)
    expect(state.stop).toMatchObject({ kind: 'waiting', wakeAt: 131 })
    clock.now = 131
    const paused = run(program, state, host)
    expect(paused.stop).toEqual({ kind: 'paused', message: 'Max Time Elapsed', line: 2, column: 3 })
    expect(paused.pending?.state).toBe(1)
    expect(run(program, paused, host).stop).toEqual({ kind: 'waiting', line: 2, column: 3 })
  })

  test.each(['error', 'paused'] as const)('%s: the call is tried again with its state', kind => {
    let fails = true
    const host = calling(call =>
      fails ? { kind, state: 'kept', message: 'No luck' } : { kind: 'value', value: call.state },
    )
    const [program, state] = start('a = m.f()\n', host)
    expect(state.stop).toEqual({ kind, message: 'No luck', line: 1, column: 5 })
    fails = false
    expect(run(program, state, host).variables).toEqual({ a: 'kept' })
    expect(run(program, withPendingState(state, null), host).variables).toEqual({ a: null })
    expect(state.pending?.state).toBe('kept')
  })

  test('aborted ends the program and is returned unchanged from then on', () => {
    const host = calling(() => ({ kind: 'aborted', message: 'Never' }))
    const [program, state] = start('m.f()\n', host)
    expect(state.stop).toEqual({ kind: 'aborted', message: 'Never', line: 1, column: 1 })
    expect(run(program, state, host)).toBe(state)
    expect(step(program, state, host)).toBe(state)
  })

  test('a value that is not JSON aborts, and what the host throws is passed on', () => {
    const [, state] = start(
      'm.f()\n',
      calling(() => ({ kind: 'value', value: { when: new Date() } as unknown as Json })),
    )
    expect(state.stop).toMatchObject({
      kind: 'aborted',
      message: 'What `m.f` gave is not a JSON value: it holds an object of a class',
    })
    const [, other] = start(
      'm.f()\n',
      calling(() => ({ kind: 'value', value: { $odd: 1 } })),
    )
    expect(other.stop).toMatchObject({
      kind: 'aborted',
      message: 'What `m.f` gave has the key $odd, which must be escaped as $$odd',
    })
    const broken = calling(() => {
      throw new Error('database is gone')
    })
    expect(() => start('m.f()\n', broken)).toThrow('database is gone')
  })

  test('the state of no pending call cannot be replaced', () => {
    expect(() => withPendingState(createState(programOf('')), 1)).toThrow(TScriptError)
  })
})

describe('values of modules', () => {
  function createConfig(values: { [name: string]: Json }): Host {
    return createStillHost(undefined, {
      get: (module, name) =>
        module === 'config' && Object.hasOwn(values, name)
          ? { value: values[name] as Json }
          : { error: `no ${module}.${name}`, missing: true },
      set: (module, name, value) => {
        if (module !== 'config' || name === 'fixed') return { error: `${module}.${name} cannot be set` }
        values[name] = value
        return { ok: true }
      },
    })
  }

  test('are read, set, changed inside, appended to and popped from', () => {
    const values: { [name: string]: Json } = { list: [1, 2], map: { k: { $time: 60 } }, fixed: [1] }
    const [, state] = start(
      "a = config.list[ -1 ]\nappend( array=config.list, value=3 )\nb = pop( array=config.list, index=0 )\nconfig.map[ 'k' ] = 5\nconfig.new = config.list\nc = exists( config.nope )\nd = exists( config.map[ 'k' ] )\ne = len( array=config.list )\n",
      createConfig(values),
    )
    expect(state).toMatchObject({ stop: { kind: 'done' }, variables: { a: 2, b: 1, c: false, d: true, e: 2 } })
    expect(values).toEqual({ list: [2, 3], map: { k: 5 }, fixed: [1], new: [2, 3] })
  })

  test('a copy is taken: neither side can change the other’s value', () => {
    const values: { [name: string]: Json } = { list: [1] }
    const [, state] = start('a = config.list\nappend( array=a, value=2 )\n', createConfig(values))
    expect([values.list, state.variables.a]).toEqual([[1], [1, 2]])
  })

  test.each(['a = config.nope', 'config.fixed = 2', 'pop( array=config.fixed )'])('%s aborts', script => {
    const [, state] = start(`${script}\n`, createConfig({ fixed: [1] }))
    expect(state.stop?.kind).toBe('aborted')
  })

  test('opaque values are held, compared and passed on, and nothing else', () => {
    const values: { [name: string]: Json } = { one: { $ref: 'eth0' }, other: { $ref: 'eth1' } }
    const [, state] = start(
      'a = config.one\nb = ( a == config.one )\nc = ( a == config.other )\nd = ( a == None )\ne = [ a ]\nif a then f = 1\n',
      createConfig(values),
    )
    expect(state.variables).toEqual({ a: { $ref: 'eth0' }, b: true, c: false, d: false, e: [{ $ref: 'eth0' }], f: 1 })
    for (const use of ["( a . 'x' )", '( a + 1 )', 'a[ 0 ]', "a[ '$ref' ]", 'len( array=a )', '( a < a )']) {
      expect(start(`a = config.one\nb = ${use}\n`, createConfig(values))[1].stop?.kind, use).toBe('aborted')
    }
  })
})

describe('states', () => {
  test('running never changes the state that is passed in', () => {
    const program = programOf(
      "a = [ 1 ]\nm = { k=[ 1 ] }\npause( msg='x' )\nappend( array=a, value=2 )\nm['k'][0] = 5\npop( array=m['k'] )\npause( msg='y' )\n",
    )
    const host = createStillHost()
    const first = run(program, createState(program), host)
    const before = JSON.stringify(first)
    const second = run(program, first, host)
    expect(JSON.stringify(first)).toBe(before)
    expect(second.variables).toEqual({ a: [1, 2], m: { k: [] } })
  })

  test('the budget is spent and the program goes on', () => {
    const program = programOf('i = 0\nwhile ( i < 1000 ) do i = ( i + 1 )\n')
    const host = createStillHost()
    let state = createState(program)
    let runs = 0
    do {
      state = run(program, state, host, { steps: 100 })
      runs++
    } while (state.stop?.kind === 'budget')
    expect(state).toMatchObject({ stop: { kind: 'done' }, variables: { i: 1000 } })
    expect(runs).toBeGreaterThan(10)
  })

  test.each(['<', '<=', '+', '-', '*'])('a mistake of %s is placed where it stands', operator => {
    const program = programOf(`b = 1\na = ( 'x' ${operator} 2 )\n`)
    const { stop } = run(program, createState(program), createStillHost())
    expect(stop).toMatchObject({ kind: 'aborted', line: 2, column: 11 })
  })

  test('names that a program mentions', () => {
    const program = programOf(
      'config.port = structure.port\nfoundation.power_on()\nif exists( structure.ip ) then foundation.power_on( hard=True )\nlen( array=[] )\n',
    )
    expect(referencedNames(program)).toEqual({ config: ['port'], foundation: ['power_on'], structure: ['ip', 'port'] })
  })
})
