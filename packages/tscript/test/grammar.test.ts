import { grammar } from 'ohm-js'
import { extractExamples } from 'ohm-js/extras'
import { describe, expect, test } from 'vitest'
import { GRAMMAR } from '../src/grammar/grammar.ts'

const tscript = grammar(GRAMMAR)
const examples = extractExamples(GRAMMAR) as { rule: string; example: string; shouldMatch: boolean }[]

describe('the examples in the grammar', () => {
  test('there are some for every rule that has a form of its own', () => {
    expect(new Set(examples.map(example => example.rule)).size).toBeGreaterThan(20)
  })
  test.each(examples)('$rule: $example ($shouldMatch)', ({ rule, example, shouldMatch }) => {
    expect(tscript.match(example, rule).succeeded()).toBe(shouldMatch)
  })
})
