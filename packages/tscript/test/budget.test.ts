import { describe, expect, test } from 'vitest'
import { compile, createState, type Json, type Program, parseState, run, type State } from '../src/index.ts'
import { keysCost } from '../src/value/meter.ts'
import { decodeProgram } from '../src/vm/decode.ts'
import { execute } from '../src/vm/execute.ts'
import { restoreMachine, saveMachine } from '../src/vm/machine.ts'
import { createStillHost } from './playing-host.ts'

/*
 * The budget counts work, so that no program holds its process for long. Nothing here looks at a clock: a run tells how
 * many steps it spent, and what a loop gets done in a run tells what its rounds are charged.
 */

const BUDGET = 100_000
/** What one instruction may cost: each of four million elements written out, two sides of it. */
const MOST_AT_ONCE = 8_000_000

const big: Json = Array.from({ length: 20_000 }, (_, at) => ({ name: `n${at}`, list: [at] }))
const host = createStillHost(
  { now: 0 },
  {
    get: () => ({ value: big }),
    set: () => ({ ok: true }),
    call: () => ({ kind: 'value', value: null }),
  },
)

function programOf(script: string): Program {
  const compiled = compile(script)
  if (!compiled.ok) throw new Error(compiled.diagnostics.map(found => found.message).join('\n'))
  return compiled.program
}

/** One run with the steps that it spent. */
function spend(program: Program, state: State): { state: State; spent: number } {
  const machine = restoreMachine(state, decodeProgram(program), host)
  const left = execute(machine, BUDGET)
  return { state: saveMachine(machine, state), spent: BUDGET - left }
}

const text = (name: string, seed = 'x') =>
  `${name} = '${seed}'\nwhile ( len( array=${name} ) < 500000 ) do ${name} = ( ${name} . ${name} )\n`
const nested = (name: string) =>
  `${name} = [ 1 ]\ni = 0\nwhile ( i < 16 ) do\nbegin()\ni = ( i + 1 )\n${name} = [ ${name}, ${name} ]\nend\n`
const list = (item: string) =>
  `a = []\nwhile ( len( array=a ) < 20000 ) do append( array=a, value=${item} )\nappend( array=a, value=2 )\n`
const map = (name: string) =>
  `${name} = {}\ni = 0\nwhile ( i < 5000 ) do\nbegin()\ni = ( i + 1 )\n${name}[ ( 'k' . i ) ] = i\nend\n`
const block = (lines: string) => `begin()\n${lines}\nend`

/** What goes before, what is done over and over, and how often a run may do it at the most. */
const HEAVY: [name: string, before: string, round: string, most: number][] = [
  ['equality of texts', `${text('a')}b = ( a . 'y' )\nc = ( a . 'z' )\n`, 'd = ( b == c )', 8],
  ['equality of joined texts', text('a', 'ж'), "d = ( ( a . 'y' ) == ( a . 'z' ) )", 8],
  ['order of texts', text('a', '😀'), "d = ( ( a . 'y' ) < ( a . 'z' ) )", 8],
  ['characters of a text', text('a', '😀'), 'd = a[ 300000 ]', 30],
  ['length of a text', text('a', 'ж'), "d = len( array=( a . 'x' ) )", 50],
  ['parts of a text', text('a'), 'd = slice( array=a, start=5, end=-5 )', 30],
  ['keys that are long', `${text('a')}m = {}\n`, 'd = exists( m[ a ] )', 14],
  ['elements of a list that is copied', list('[]'), block('b = a\nappend( array=b, value=1 )'), 50],
  ['equality of lists', nested('a') + nested('b'), 'c = ( a == b )', 8],
  ['lists in lists', nested('a'), 'b = [ a ]', 8],
  ['values put into a map', `${nested('a')}m = {}\n`, "m[ 'k' ] = a", 8],
  ['a search in a list', list('1'), 'd = index( array=a, value=2 )', 50],
  ['a search for a map', `${list('{}')}${map('m')}append( array=a, value=m )\n`, 'd = index( array=a, value=m )', 50],
  ['part of a list', list('1'), 'd = slice( array=a, start=1, end=-1 )', 50],
  ['the front of a list', list('1'), block('pop( array=a, index=0 )\nappend( array=a, value=1 )'), 350],
  ['keys of a map that is copied', map('m'), block("n = m\nn[ 'k1' ] = 1"), 10],
  ['the truth of a map', map('m'), 'if m then pass', 25],
  ['the length of a map', map('m'), 'c = len( array=m )', 25],
  ['equality of maps', map('m') + map('n'), 'c = ( m == n )', 12],
  ['a list as text', list('1'), "c = ( '' . a )", 5],
  ['a map as text', map('m'), "c = ( '' . m )", 8],
  ['a value that is read', '', 'a = config.big', 2],
  ['a value that is set', 'a = config.big\n', 'config.x = a', 12],
  ['an argument', 'a = config.big\n', 'm.f( x=a )', 12],
  ['mistakes inside exists( )', 'a = []\n', 'd = exists( a[ 1 ] )', 11_000],
]

describe('what is large costs more', () => {
  test.each(HEAVY)('%s', (_, before, round, most) => {
    const program = programOf(`${before}rounds = 0\nwhile True do\nbegin()\nrounds = ( rounds + 1 )\n${round}\nend\n`)
    let state = createState(program)
    let rounds = 0
    let looped = 0
    for (let runs = 0; runs < 60 && looped < 2; runs++) {
      const run = spend(program, state)
      expect(run.state.stop).toEqual({ kind: 'budget' })
      expect(run.spent).toBeGreaterThanOrEqual(BUDGET)
      expect(run.spent).toBeLessThan(BUDGET + MOST_AT_ONCE)
      // Goes on without loss, also in another process.
      state = parseState(JSON.parse(JSON.stringify(run.state)), program)
      const now = (state.variables.rounds as number | undefined) ?? 0
      if (rounds > 0) looped++
      expect(now - rounds).toBeLessThanOrEqual(most)
      rounds = now
    }
    expect(looped).toBe(2)
  })

  test('within one expression a run stops where the budget is spent', () => {
    const compared = Array(200).fill('( a <= a )').join(' and ')
    const program = programOf(`${text('a', 'ж')}d = ( ${compared} )\n`)
    let state = createState(program)
    let runs = 0
    do {
      const run = spend(program, state)
      expect(run.spent).toBeLessThan(BUDGET + MOST_AT_ONCE)
      state = run.state
      runs++
    } while (state.stop?.kind === 'budget')
    expect(state.stop?.kind).toBe('done')
    expect(runs).toBeGreaterThan(20)
  })
})

describe('what is small costs a step, as ever', () => {
  test.each([
    ["a = ( 'host' . '-' . 'name' )\n", 2],
    ["a = { name='h1', free=2, disks=[ 'sda', 'sdb' ] }\nb = a[ 'disks' ][ 1 ]\n", 3],
    ["if ( 'installed' == 'installed' ) then a = 1\n", 3],
    ["a = 'hostname'[ 2 ]\nb = slice( array='hostname', start=0, end=4 )\n", 4],
    ['a = [ 1, 2, 3 ]\nif ( a == [ 1, 2, 3 ] ) then b = len( array=a )\n', 4],
  ])('%s', (script, most) => {
    const program = programOf(script)
    const { state, spent } = spend(program, createState(program))
    expect(state.stop?.kind).toBe('done')
    expect(spent).toBeLessThanOrEqual(most)
  })

  test('a loop over the characters of a text does not read it anew for each', () => {
    const program = programOf(
      `t = '${'abcdefgé'.repeat(125)}'\ni = n = 0\nwhile ( i < len( array=t ) ) do\nbegin()\nif ( t[ i ] == 'é' ) then n = ( n + 1 )\ni = ( i + 1 )\nend\n`,
    )
    const { state, spent } = spend(program, createState(program))
    expect(state).toMatchObject({ stop: { kind: 'done' }, variables: { i: 1000, n: 125 } })
    expect(spent).toBeLessThan(20_000)
  })

  test('appending is not charged for what is there already', () => {
    const program = programOf('a = []\nwhile ( len( array=a ) < 20000 ) do append( array=a, value=[ 1 ] )\n')
    const { state, spent } = spend(program, createState(program))
    expect(state.stop?.kind).toBe('done')
    expect(spent).toBeLessThan(50_000)
  })

  test('keys are charged as what they cost', () => {
    expect(keysCost(2)).toBeLessThan(64)
    expect(keysCost(1000)).toBe(64_000)
  })
})

test('the budget ends at the same place whatever it was before', () => {
  const script = `a = '${'😀'.repeat(5000)}'\nb = [ a, { k=a } ]\nc = ( b == [ a, { k=a } ] )\nd = slice( array=a, start=3, end=9 )\ne = ( '' . [ 1, { k=1:30 } ] )\n`
  const program = programOf(script)
  const ends = [1, 100, BUDGET, Number.POSITIVE_INFINITY].map(steps => {
    let state = createState(program)
    do state = run(program, state, host, { steps })
    while (state.stop?.kind === 'budget')
    const { variables, stop, pc } = state
    return { variables, stop, pc }
  })
  expect(ends[0]).toMatchObject({ stop: { kind: 'done' } })
  for (const end of ends) expect(end).toEqual(ends[0])
})
