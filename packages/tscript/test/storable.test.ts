import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile, createState, formatDiagnostic, type Host, run, type State } from '../src/index.ts'
import { comparePoints } from '../src/value/code-points.ts'
import { createScratch } from '../src/value/scratch.ts'
import { cutText, findUnstorable, mendText } from '../src/value/storable.ts'
import { createStillHost } from './playing-host.ts'

function play(script: string, more: Partial<Host> = {}): State {
  const compiled = compile(script)
  if (!compiled.ok) throw new Error(compiled.diagnostics.map(found => found.message).join('\n'))
  return run(compiled.program, createState(compiled.program), createStillHost(undefined, more))
}

const texts = fc.string({
  unit: fc.constantFrom('a', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}'),
  maxLength: 200,
})

describe('a text is taken apart at whole code points', () => {
  test('length, parts and characters are those of the code points', () => {
    fc.assert(
      fc.property(texts, fc.nat(200), fc.nat(200), (text, one, other) => {
        const points = Array.from(text)
        const [start, end] = [one, other].map(at => Math.min(at, points.length)).sort((a, b) => a - b) as [
          number,
          number,
        ]
        const scratch = createScratch()
        for (let again = 0; again < 2; again++) {
          expect(scratch.places.count(text, scratch)).toBe(points.length)
          expect(scratch.places.slice(text, start, end, scratch)).toBe(points.slice(start, end).join(''))
        }
      }),
    )
  })

  test('order is that of the code points', () => {
    fc.assert(
      fc.property(texts, texts, (left, right) => {
        const [a, b] = [left, right].map(text => Array.from(text, point => point.codePointAt(0) as number)) as [
          number[],
          number[],
        ]
        const at = a.findIndex((point, place) => point !== b[place])
        const wanted = at < 0 ? a.length - b.length : at < b.length ? (a[at] as number) - (b[at] as number) : 1
        expect(Math.sign(comparePoints(left, right))).toBe(Math.sign(wanted))
      }),
    )
  })

  test('no operation of a program leaves half of a character', () => {
    const { variables } = play(
      "t = 'x😀y'\na = t[ 1 ]\nb = slice( array=t, start=0, end=2 )\nc = slice( array=t, start=2, end=None )\nd = ( c . b )\ne = ( '' . [ t ] )\nn = len( array=t )\n",
    )
    expect(variables).toEqual({ t: 'x😀y', a: '😀', b: 'x😀', c: 'y', d: 'yx😀', e: "[ 'x😀y' ]", n: 3 })
  })

  test('a key that is cut in a message is cut between characters', () => {
    const key = `${'k'.repeat(39)}😀${'k'.repeat(10)}`
    const { stop } = play(`m = { a=1 }\nb = m[ '${key}' ]\n`)
    expect(stop).toMatchObject({ kind: 'aborted', message: `The map has no key '${'k'.repeat(39)}…'` })
  })

  test('so is a message that shows more than a text can hold', () => {
    const { stop } = play(
      "a = [ '😀' ]\ni = 0\nwhile ( i < 19 ) do\nbegin()\ni = ( i + 1 )\na = [ a, a ]\nend\nerror( msg=a )\n",
    )
    expect(stop).toMatchObject({ kind: 'error' })
    const { message } = stop as { message: string }
    expect(message.length).toBeLessThanOrEqual(4_000_001)
    expect(message).toMatch(/…$/)
    expect(findUnstorable(message)).toBeUndefined()
  })

  test('cutting and mending', () => {
    expect([cutText('a😀b', 1), cutText('a😀b', 2), cutText('a😀b', 3), cutText('a😀b', 4)]).toEqual([
      'a…',
      'a…',
      'a😀…',
      'a😀b',
    ])
    expect(mendText('a\0\ud83d😀\ude00')).toBe('a\ufffd\ufffd😀\ufffd')
  })
})

describe('what the host says', () => {
  const broken = 'no\0 \ud83d'
  const mended = 'no\ufffd \ufffd'

  test.each(['error', 'paused'] as const)('the message of a call that ends %s is mended', kind => {
    const { stop } = play('m.f()\n', { call: () => ({ kind, state: null, message: broken }) })
    expect(stop).toMatchObject({ kind, message: mended })
  })

  test('the messages of calls, reads and writes are mended', () => {
    expect(play('m.f()\n', { call: () => ({ kind: 'aborted', message: broken }) }).stop).toMatchObject({
      message: mended,
    })
    expect(play('m.f()\n', { call: () => ({ kind: 'pending', state: 1, message: broken }) }).stop).toMatchObject({
      message: mended,
    })
    expect(play('a = m.x\n', { get: () => ({ error: broken }) }).stop).toMatchObject({ message: mended })
    expect(play('m.x = 1\n', { set: () => ({ error: broken }) }).stop).toMatchObject({ message: mended })
  })

  test('what a call gave names the call', () => {
    const { stop } = play('a = m.f()\n', { call: () => ({ kind: 'value', value: { log: broken } }) })
    expect(stop).toMatchObject({
      kind: 'aborted',
      message: `What \`m.f\` gave cannot be kept: it holds a text with a NUL character: '${mended}'`,
    })
  })

  test('a secret that was joined is checked as well', () => {
    const { stop } = play("a = ( 'x' . m.password )\n", {
      get: () => ({ value: { $secret: 'one' } }),
      joinSecret: () => ({ $secret: '\0' }),
    })
    expect(stop).toMatchObject({ kind: 'aborted', message: 'Joining with a secret gave one that cannot be kept' })
  })
})

test.each([
  ["a = 1\nb = 'x😀\0'", 2, 8, /NUL/],
  ["a = 'x\n\ud83d'", 2, 1, /half of a surrogate pair/],
  ['\ude00', 1, 1, /half of a surrogate pair/],
  ["a = ( 'x' 'y\0' )", 1, 13, /NUL/],
])(
  'a program that cannot be kept is refused at its place, by findings that can (%#)',
  (script, line, column, message) => {
    const { ok, diagnostics } = compile(script)
    expect(ok).toBe(false)
    expect(diagnostics).toContainEqual(
      expect.objectContaining({ line, column, message: expect.stringMatching(message) }),
    )
    for (const found of diagnostics)
      expect(findUnstorable(JSON.stringify(found) + formatDiagnostic(found) + found.text)).toBeUndefined()
  },
)
