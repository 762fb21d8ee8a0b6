import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compile,
  createState,
  type Json,
  type Program,
  parseState,
  run,
  type State,
  TScriptError,
} from '../src/index.ts'
import { createStillHost, playToEnd } from './playing-host.ts'

function compiled(script: string): Program {
  const result = compile(script)
  if (!result.ok) throw new Error()
  return result.program
}

const SCRIPT =
  "a = { list=[ 1, 2, 'x' ], when=1:30 }\nbegin( description='Work', max_time=1:00 )\n  b = [ 5, work.ask( what=a, deep=[ [ 1 ], { k=None } ] ) ]\nend\n"
const program = compiled(SCRIPT)
const host = createStillHost({ now: 50 }, { call: () => ({ kind: 'pending', state: { job: 7, tries: [1, 2] } }) })
const saved = run(program, createState(program), host)

describe('a saved state', () => {
  test('is read back as it was, whatever the order of its keys', () => {
    expect(parseState(JSON.parse(JSON.stringify(saved)), program)).toEqual(saved)
    expect(parseState(shuffled(saved), program)).toEqual(saved)
  })

  test.each([null, 5, 'text', [], {}, { version: 1 }])('%j is none', value => {
    expect(() => parseState(value, program)).toThrow(TScriptError)
  })

  test('of another program is refused by name', () => {
    const other = compiled('a = 1\n')
    expect(() => parseState(createState(other), program)).toThrow(expect.objectContaining({ code: 'state-foreign' }))
    expect(() => run(program, createState(other), host)).toThrow(expect.objectContaining({ code: 'state-foreign' }))
  })

  test('of another version is refused by name', () => {
    expect(() => parseState({ ...saved, version: 99 }, program)).toThrow(
      expect.objectContaining({ code: 'state-version' }),
    )
    expect(() => run({ ...program, version: 99 }, saved, host)).toThrow(
      expect.objectContaining({ code: 'program-version' }),
    )
  })

  test('that was changed in any place is refused', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (place, how) => {
        const copy = JSON.parse(JSON.stringify(saved)) as Json
        const places = placesOf(copy)
        const [container, key] = places[place % places.length] as [Json[] | { [key: string]: Json }, never]
        if (!change(container, key, how)) return
        if (JSON.stringify(shuffled(copy)) === JSON.stringify(shuffled(saved))) return
        expect(() => parseState(copy, program)).toThrow(TScriptError)
      }),
      { numRuns: 500 },
    )
  })
})

/** The same with the keys of every map in order. */
function shuffled(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(shuffled)
  const keys = Object.keys(value).sort().reverse()
  return Object.fromEntries(keys.map(key => [key, shuffled((value as { [key: string]: unknown })[key])]))
}

function placesOf(value: Json): [unknown, string | number][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => [[value, key] as [unknown, string], ...placesOf(item)])
}

function change(container: Json[] | { [key: string]: Json }, key: string & number, how: number): boolean {
  const map = container as { [key: string]: Json }
  if (Array.isArray(container) && how % 4 === 0) {
    if (container.length < 2) return false
    container.reverse()
    return true
  }
  if (how % 4 === 1) {
    if (Array.isArray(container)) container.splice(Number(key), 1)
    else delete map[key]
    return true
  }
  const value = map[key] as Json
  if (how % 4 === 2)
    map[key] = typeof value === 'number' ? value + 1 : typeof value === 'string' ? value.slice(0, -1) : 'changed'
  else map[key] = how % 8 === 3 ? null : [value]
  return true
}

interface Fixture {
  source: string
  program: Program
  state: State
  clock: number
  outcome: string
  variables: unknown
}

/** Programs that were stopped half-way by earlier releases, as they were stored then. They are never written anew. */
describe.each(readdirSync(new URL('fixtures', import.meta.url)))('version %s', version => {
  const folder = new URL(`fixtures/${version}/`, import.meta.url)
  test.each(readdirSync(folder))('%s goes on', file => {
    const stored = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Fixture
    const clock = { now: stored.clock }
    const answering = createStillHost(clock, {
      get: () => ({ value: 'read' }),
      call: call => ({ kind: 'value', value: [call.function, call.state] }),
    })
    let state = parseState(stored.state, stored.program)
    for (let runs = 0; runs < 20 && state.stop?.kind !== 'done' && state.stop?.kind !== 'aborted'; runs++) {
      if (state.stop?.kind === 'waiting') clock.now = Math.max(clock.now, state.stop.wakeAt ?? 0)
      state = run(stored.program, state, answering)
    }
    expect({ outcome: state.stop?.kind, variables: state.variables }).toEqual({
      outcome: stored.outcome,
      variables: stored.variables,
    })
    // Compiled anew, it ends alike.
    const fresh = compile(stored.source)
    expect(fresh.ok && playToEnd(fresh.program, answering, clock).outcome).toBe(stored.outcome)
  })
})

test('a state is small and quick to save', () => {
  const lines = Array.from({ length: 500 }, (_, at) => `if ( size > ${at} ) then\n  total = ( total + ${at} )\n`).join(
    '',
  )
  const long = compiled(`size = 4\ntotal = 0\npause( msg='here' )\n${lines}`)
  const state = run(long, createState(long), createStillHost())
  expect(JSON.stringify(state).length).toBeLessThan(2000)
})
