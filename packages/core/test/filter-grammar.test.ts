import { grammar } from 'ohm-js'
import { describe, expect, it } from 'vitest'
import { grammarText } from '../src/filter/grammar.ts'
import { matches } from '../src/filter/match.ts'
import { parseFilter } from '../src/filter/parse-filter.ts'

/** The examples that stand in the grammar. */
const examples = [...grammarText.matchAll(/((?: *\/\/[+-].*\n)+) *(\w+)/g)].flatMap(([, lines = '', rule = '']) =>
  lines
    .trim()
    .split('\n')
    .flatMap(line => {
      const [, sign, list = ''] = /\/\/([+-]) (.*)/.exec(line) ?? []
      return (JSON.parse(`[${list}]`) as string[]).map(text => ({ rule, text, fits: sign === '+' }))
    }),
)

describe('the grammar of filters', () => {
  const rules = grammar(grammarText)
  it.each(examples)('$rule: $text ($fits)', ({ rule, text, fits }) => {
    expect(rules.match(text, rule).succeeded()).toBe(fits)
  })

  it('reads what binds tighter first, and words in any case', () => {
    const holds = (text: string, row: Record<string, unknown>) =>
      matches(parseFilter(text), field => row[field] as never, new Map(), { noun: 'x', fields: {}, hasConfig: false })
    expect(holds('a == 1 OR b == 2 AND NOT c == 3', { a: 1, b: 0, c: 3 })).toBe(true)
    expect(holds('(a == 1 or b == 2) and not c == 3', { a: 1, b: 0, c: 3 })).toBe(false)
    expect(holds("a in ['x', None, True, -2.5]", { a: -2.5 })).toBe(true)
    expect(holds("a not in ('x', 'y')", { a: 'z' })).toBe(true)
    expect(holds("a like 'web*' and a contains 'b.'", { a: 'web.1' })).toBe(true)
    expect(holds('exists( a ) and not exists( b )', { a: 0 })).toBe(true)
    expect(holds('a < 2 and a >= 1.5', { a: 1.5 })).toBe(true)
    expect(holds("a < 'b'", { a: 1 })).toBe(false)
  })

  it.each([
    ["state = 'built'", /1:7: error: `=` does not fit here[\s\S]*\^\n {2}Two values are compared with `==`/],
    ['a == 1 && b == 2', /1:8: error[\s\S]*Write `and`/],
    ['a == 1 or', /It ends too early/],
    ['a == 1\nand b ~ 2', /2:7: error: `~`/],
    ["a == 'x", /1:6: error: The text that begins here never ends/],
    [`${'('.repeat(80)}a == 1${')'.repeat(80)}`, /nested more than 60 deep/],
    [`a == '${'x'.repeat(4000)}'`, /4,?007 characters/],
  ])('says of %j where it is wrong', (text, message) => {
    let found: unknown
    try {
      parseFilter(text)
    } catch (error) {
      found = error
    }
    expect(found).toMatchObject({ code: 'FILTER_INVALID', message: expect.stringMatching(message) })
  })
})
