import { describe, expect, test } from 'vitest'
import { compile, createState, format, type Program, run, type State } from '../src/index.ts'
import { createStillHost } from './playing-host.ts'

/*
 * No text crashes or hangs the compiler: it compiles, or it is refused with a clear error. The bound on time is far above
 * what a loaded machine needs, and far below what anything but linear would take.
 */

const MAX_MS = 20_000
/** Characters. The formatter reads with the same scanner and is not asked about all of them. */
const SHORT = 200_000

const many = (text: string, count: number) => text.repeat(count)
const nest = (open: string, count: number, inside: string, close: string) =>
  `a = ${many(open, count)}${inside}${many(close, count)}`

const REFUSED: [string, string, RegExp][] = [
  ['10,000 parentheses', nest('( ', 10_000, '1', ' )'), /nested more than 100 deep/],
  ['10,000 parentheses that stay open', `a = ${many('(', 10_000)}`, /never closed/],
  ['300,000 parentheses that stay open', many('(', 300_000), /never closed/],
  ['300,000 closing brackets', many(']', 300_000), /closes nothing/],
  ['10,000 indexes inside each other', nest('x[ ', 10_000, '0', ' ]'), /nested more than 100 deep/],
  ['10,000 calls inside each other', nest('len( array=', 10_000, '0', ' )'), /nested more than 100 deep/],
  ['1 MB of begin()', many('begin()', 150_000), /nested more than 200 deep/],
  ['30,000 begin() on lines', many('begin()\n', 30_000), /nested more than 200 deep/],
  ['30,000 ifs on a line', many('if 1 then ', 30_000), /nested more than 200 deep/],
  ['30,000 bare ifs', many('if ', 30_000), /Expected `then`/],
  ['30,000 lines that are wrong', many('aa = ( aa + )\n', 30_000), /expected a value/],
  ['30,000 lines with an open bracket', many('aa = (\n', 30_000), /never closed/],
  ['60,000 nots', `a = ${many('not ', 60_000)}1`, /longer than 20000 words/],
  ['60,000 elements in one array', `a = [ ${many('1, ', 60_000)}]`, /longer than 20000 words/],
  ['200,000 quotes', many("'", 200_000), /longer than 20000 words/],
  ['a number of a million digits', many('1', 1_000_000), /cannot be held exactly/],
  ['a time of a million digits', many('1:', 500_000), /is not a time/],
  ['a NUL', 'a = 1\nb = "\0"', /NUL/],
  ['a million NULs', many('\0', 1_000_000), /NUL/],
  ['half a surrogate pair', 'a = "\ud800"', /half of a surrogate pair/],
  ['the other half', '# \udfff', /half of a surrogate pair/],
  ['1 MB of emoji', many('😀', 250_000), /has no meaning here/],
  ['control characters', 'a = \u0007', /U\+0007 has no meaning here/],
  ['a no-break space', 'a\u00a0= 1', /U\+00A0 has no meaning here/],
  ['a line separator', 'a = 1\u2028b = 2', /U\+2028 has no meaning here/],
]

const TAKEN: [string, string][] = [
  ['100 parentheses', nest('( ', 100, '1', ' )')],
  ['100 indexes inside each other', nest('x[ ', 100, '0', ' ]')],
  ['100 calls inside each other', nest('len( array=', 100, '0', ' )')],
  ['100 brackets of all kinds', nest('( 1 + not [ { a=', 33, '1', ' } ] )')],
  ['200 statements inside each other, but one', `${many('begin()\n', 198)}a = 1\n${many('end\n', 198)}`],
  ['100,000 lines', many('aa = ( aa + 1 )\n', 100_000)],
  ['20,000 blocks', many('begin()\nend\n', 20_000)],
  ['a name of 1 MB', `${many('a', 1_000_000)} = 1`],
  ['300,000 carriage returns', many('\r', 300_000)],
  ['1 MB of remarks', many('#', 1_000_000)],
  ['2,000 operators in a row', `a = ${many('1 + ', 2000)}1`],
  ['2,000 powers in a row', `a = ${many('1 ^ ', 2000)}1`],
  ['2,000 indexes in a row', `a = b${many('[ 0 ]', 2000)}`],
  ['2,000 targets in a row', `${many('a = ', 2000)}1`],
  ['2,000 nots in a row', `a = ${many('not ', 2000)}1`],
  ['20,000 branches', `if 1 then pass\n${many('elif 2 then pass\n', 20_000)}`],
  ['20,000 variables that are nowhere set', Array.from({ length: 20_000 }, (_, at) => `v${at} = w${at}`).join('\n')],
]

function timed<T>(work: () => T): T {
  const start = performance.now()
  const result = work()
  expect(performance.now() - start).toBeLessThan(MAX_MS)
  return result
}

describe('texts that are refused', () => {
  test.each(REFUSED)('%s', (_, text, message) => {
    const { ok, diagnostics } = timed(() => compile(text))
    expect(ok).toBe(false)
    expect(diagnostics[0]?.message).toMatch(message)
    expect(diagnostics.length).toBeLessThanOrEqual(100)
    if (text.length < SHORT) expect(timed(() => format(text)).ok).toBe(false)
  })
})

describe('texts that are long and right', () => {
  test.each(TAKEN)('%s', (_, text) => {
    const compiled = timed(() => compile(text))
    if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message)
    const { program } = compiled
    const state = timed(() => run(program, createState(program), createStillHost(), { steps: 1000 }))
    expect(state.stop).toBeDefined()
  })
})

/** In so many runs at the most, each with the budget that the engine gives. */
function runOn(program: Program, runs: number): State {
  let state = createState(program)
  for (let count = 0; count < runs; count++) {
    state = run(program, state, createStillHost(), { steps: 100_000 })
    if (state.stop?.kind !== 'budget') break
  }
  return state
}

describe('programs that want too much', () => {
  test.each([
    ['a = []\nwhile True do a = [ a ]', /nested more than 100 deep/],
    ["a = {}\nwhile True do a['x'] = a", /nested more than 100 deep/],
    ['a = [ 1 ]\nwhile True do append( array=a, value=a )', /too large|nested/],
    ['a = [ 1 ]\nwhile True do a = [ a, a ]', /too large/],
    ["a = 'x'\nwhile True do a = ( a . a )", /too long/],
    [
      "a = 'x'\nwhile ( len( array=a ) < 1000000 ) do a = ( a . a )\nb = []\nwhile True do append( array=b, value=a )",
      /together have more than/,
    ],
    ['a = 2\nwhile True do a = ( a ^ a )', /too large/],
  ])('%s', (script, message) => {
    const compiled = compile(script)
    if (!compiled.ok) throw new Error()
    const { stop } = timed(() => runOn(compiled.program, 100))
    expect(stop).toMatchObject({ kind: 'aborted', message: expect.stringMatching(message) })
  })

  test('appending and popping are not quadratic', () => {
    const script =
      'a = []\nwhile ( len( array=a ) < 100000 ) do append( array=a, value=1 )\nwhile a do pop( array=a )\n'
    const compiled = compile(script)
    if (!compiled.ok) throw new Error()
    expect(timed(() => run(compiled.program, createState(compiled.program), createStillHost())).stop?.kind).toBe('done')
  })
})
