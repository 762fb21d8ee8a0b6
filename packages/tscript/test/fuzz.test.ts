import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compile, createState, format, formatDiagnostic, run } from '../src/index.ts'
import { mendText } from '../src/value/storable.ts'
import { allCases } from './case-file.ts'
import { createStillHost } from './playing-host.ts'

/** `TSCRIPT_FUZZ=100000 npx vitest run packages/tscript/test/fuzz` for a longer run. */
const numRuns = Number(process.env.TSCRIPT_FUZZ ?? 1500)

const scripts = allCases.map(one => one.script).filter(script => script.length < 600)
const WORDS = [
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  '=',
  '==',
  '.',
  ':',
  "'",
  '"',
  '#',
  '\n',
  '\r',
  ' ',
  'begin()',
  'end',
  'if',
  'then',
  'else',
  'elif',
  'while',
  'do',
  'goto',
  'exists(',
  'not',
  'and',
  '1',
  '1:30',
  'name',
  'm.x',
  '-',
  '^',
  '\t',
  '\0',
  '😀',
  '\ud83d',
  '\\',
  '$',
  '_',
  'True',
  'break',
  'len( array=',
]

interface Mutation {
  at: number
  remove: number
  insert: string
}
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(600),
  remove: fc.nat(4),
  insert: fc.oneof(fc.constant(''), fc.constantFrom(...WORDS)),
})

function mutate(script: string, mutations: readonly Mutation[]): string {
  return mutations.reduce((text, { at, remove, insert }) => {
    const from = at % (text.length + 1)
    return text.slice(0, from) + insert + text.slice(from + remove)
  }, script)
}

test('whatever a program is turned into: it compiles and runs, or it is refused at a place in it', () => {
  let refused = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...scripts),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      (script, mutations) => {
        const text = mutate(script, mutations)
        const lines = text.split(/\r\n|\n|\r/)
        const compiled = compile(text)
        for (const finding of compiled.diagnostics) {
          expect(finding.text).toBe(mendText(lines[finding.line - 1] ?? ''))
          expect(finding.column).toBeGreaterThan(0)
          expect(finding.column).toBeLessThanOrEqual(Array.from(finding.text).length + 1)
          expect(formatDiagnostic(finding)).toContain('^')
        }
        if (!compiled.ok) {
          refused++
          expect(compiled.diagnostics.some(finding => finding.severity === 'error')).toBe(true)
          return
        }
        const state = run(compiled.program, createState(compiled.program), createStillHost(), { steps: 500 })
        expect(state.stop).toBeDefined()
        const formatted = format(text)
        expect(formatted.ok).toBe(true)
      },
    ),
    { numRuns },
  )
  expect(refused).toBeGreaterThan(numRuns / 5)
})
