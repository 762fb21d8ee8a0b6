import type { Json } from '@contractor/contract'
import { afterAll, describe, expect, it } from 'vitest'
import { createTemplates } from '../src/jinja/templates.ts'

const templates = createTemplates()
afterAll(() => templates.close())
const render = (source: string, context: Record<string, Json> = {}) => templates.render(source, context)

const vm = {
  address_list: [{ address: '10.0.0.9', gateway: null }],
  name: 'eth0',
}

/** What Jinja2 3.1 gives for each; many more stand in jinja/cases.json. */
describe('a template gives what Jinja2 gives', () => {
  it.each<[string, Record<string, Json>, string]>([
    // Values
    ['plain', {}, 'plain'],
    ['{{ a }}.{{ b.c }} {{ d.0 }}', { a: 'x', b: { c: 5 }, d: ['y'] }, 'x.5 y'],
    ['{{ eth.address_list.0.address }}', { eth: vm }, '10.0.0.9'],
    ['{{ d.0.1 }} {{ d[0][1] }}', { d: [[1, 2]] }, '2 2'],
    ['{{ a }} {{ b }} {{ c }}', { a: true, b: false, c: null }, 'True False None'],
    ['{{ a }}', { a: ['x', 1, true, null, { k: 'v' }] }, "['x', 1, True, None, {'k': 'v'}]"],
    ['{{ a }}', { a: ["it's", 'say "hi"', 'a\\b\n'] }, `["it's", 'say "hi"', 'a\\\\b\\n']`],
    ['{{ 1.5 }} {{ 7 / 2 }} {{ 4 / 2 }} {{ 7 // 2 }}', {}, '1.5 3.5 2.0 3'],
    ['{{ n }}', { n: 12345678901 }, '12345678901'],
    ["{{ {'a': {'b': 1}}.a.b }}{{ '}}' }}", {}, '1}}'],
    // Names without a value may be asked for
    ["{% if gone %}yes{% else %}no{% endif %} {{ gone|default( 'd' ) }} {{ gone is defined }}", {}, 'no d False'],
    ["{{ none|default( 'd' ) }} {{ ''|default( 'd', true ) }}", {}, 'None d'],
    // Loops
    ['{% for k in m %}{{ k }}{% endfor %}', { m: { a: 1, b: 2 } }, 'ab'],
    ['{% for v in m.values() %}{{ v }},{% endfor %}', { m: { a: 1, b: 2 } }, '1,2,'],
    ['{% for k, v in m.items() %}{{ k }}={{ v }} {% endfor %}', { m: { a: 1, b: 2 } }, 'a=1 b=2 '],
    ['{% for do in ( True, False ) %}{{ do }}{{ loop.last }} {% endfor %}', {}, 'TrueFalse FalseTrue '],
    // State that a loop changes in place
    [
      '{% set n = [ 0 ] %}{% for x in l %}{{ n.0 }}{{ x }} {% set _ = n.append( n.pop() + 1 ) %}{% endfor %}{{ n.0|string }}',
      { l: ['a', 'b'] },
      '0a 1b 2',
    ],
    ["{% set d = {} %}{% set _ = d.update( { 'a': 1 } ) %}{{ d.a }} {{ d }}", {}, "1 {'a': 1}"],
    ["{% set l = [ 3, 1 ] %}{% set _ = l.extend( [ 2 ] ) %}{% set _ = l.sort() %}{{ l|join( '-' ) }}", {}, '1-2-3'],
    [
      '{% set ns = namespace( n=0 ) %}{% for x in l %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}',
      { l: [1, 2] },
      '3',
    ],
    // Filters
    ["{{ l|join( ', ' ) }} {{ l|length }}", { l: ['a', 'b'] }, 'a, b 2'],
    ['{{ m|tojson }}', { m: { b: [1, 'é'], a: null } }, '{"a": null, "b": [1, "\\u00e9"]}'],
    ["{{ '<a>'|tojson }}", {}, '"\\u003ca\\u003e"'],
    ['{{ [1, [2]]|tojson( indent=2 ) }}', {}, '[\n  1,\n  [\n    2\n  ]\n]'],
    ["{{ '%s-%03d' % ( 'a', 5 ) }} {{ '%s|%5.2f'|format( x, 1.234 ) }}", { x: 'q' }, 'a-005 q| 1.23'],
    ["{{ '-' * 3 }}", {}, '---'],
    ["{{ 'a b'|urlencode }} {{ 'one two'|wordcount }} {{ 'a'|center( 4 ) }}|", {}, 'a%20b 2  a  |'],
    ["{{ 'foo bar baz qux'|truncate( 9 ) }} {{ 'foo bar baz qux'|truncate( 9, True ) }}", {}, 'foo... foo ba...'],
    ["{{ 'foo bar baz qux'|truncate( 11, end='…', leeway=0 ) }}", {}, 'foo bar…'],
    // Language
    ['{# x.0 #}{% raw %}{{ x.0 }}{% endraw %}', {}, '{{ x.0 }}'],
    [' {{- a -}} \n b', { a: 1 }, '1b'],
    ['{% macro f(a) %}<{{ a }}>{% endmacro %}{{ f(none) }}', {}, '<None>'],
    ['{% set p = a %}{% if p.gateway %}g{% endif %}{{ p.address }}', { a: { address: '1', gateway: null } }, '1'],
    ['{{ a if b else c }}', { a: 1, b: false, c: true }, 'True'],
    ['line\n', {}, 'line\n'],
  ])('%s', (source, context, expected) => {
    expect(render(source, context)).toBe(expected)
  })

  it('prints nothing for what is not there, where that is wanted', () => {
    expect(templates.render('a{{ gone }}b{{ also.0 if also }}', {}, 'empty')).toBe('ab')
  })
})

describe('a template is refused, with its line,', () => {
  it.each<[string, string, number | undefined]>([
    ['\n{{ gone }}', "a value that is not there would be printed; there is no value 'gone'", 2],
    ['{{ a.b }}', "a value that is not there would be printed; 'a' has no 'b'", 1],
    ['\n\n{% if %}', 'syntax error: unexpected end of block', 3],
    ["{{ 'a' + 1 }}", "unsupported operand type(s) for +: 'str' and 'int'", 1],
    ['{{ 1|nothing }}', "there is no filter 'nothing'", 1],
    [
      '{% for i in range( 100000 ) %}{% for j in range( 100000 ) %}{% endfor %}{% endfor %}',
      'more than 1000000 steps',
      1,
    ],
    ["{{ 'x' * 100000000 }}", 'longer than 1000000 characters', 1],
    ['{% for i in range( 5000 ) %}{{ long }}{% endfor %}', 'its output is longer than 1000000 characters', 1],
    ["{{ '%d'|format( 'x' ) }}", 'format: %d needs a number, not str', 1],
    ['{% set l = [] %}{{ l.pop() }}', 'pop from empty list', 1],
    ['a\n{{ a.b.c }}', "a value that is not there would be used; 'a' has no 'b'", 2],
    ["\n{% include 'x' %}", 'is not available here: a config value is a template by itself', 2],
  ])('%s', (source, message, line) => {
    const context = { a: {}, long: 'x'.repeat(1000) }
    expect(() => render(source, context)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), line }),
    )
    // What went wrong in one spoils no other.
    expect(render('{{ 1 + 1 }}')).toBe('2')
  })
})
