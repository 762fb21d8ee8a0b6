import { describe, expect, test } from 'vitest'
import { compile, formatDiagnostic, type HostNames } from '../src/index.ts'

const names: HostNames = {
  foundation: {
    values: { locator: {}, power: { writable: true } },
    functions: {
      power_on: { parameters: { hard: { required: false } } },
      set_pxe: { parameters: { name: { required: true }, interface: { required: true } } },
      ping: { parameters: { target: { required: true } }, ignoresOthers: true },
    },
  },
  config: { open: true },
}

const found = (text: string, host?: HostNames) =>
  compile(text, host ? { names: host } : {}).diagnostics.map(
    one => `${one.line}:${one.column} ${one.severity}: ${one.message}${one.suggestion ? ` (${one.suggestion})` : ''}`,
  )

test('five mistakes are five errors in one go, each at its place', () => {
  const script = `size = ( 4 + )
whlie ( size < 3 ) do size = 1
foundaton.power_on()
list = [ 1 2 ]
:again
if size then goto agian
`
  expect(found(script, names)).toEqual([
    '1:14 error: `)` does not fit here: expected a value',
    '2:1 error: `whlie` is no word of the language (Did you mean `while`?)',
    '3:1 error: There is no module `foundaton` (Did you mean `foundation.power_on`?)',
    '4:12 error: Expected `,` between the elements of an array',
    '6:14 error: There is no label `agian` (Did you mean `again`?)',
  ])
})

test('the printed form shows the line with a caret under the place', () => {
  const [finding] = compile("\t😀 = 'x'\n").diagnostics
  expect(formatDiagnostic(finding as never, 'a.ts1')).toBe(
    "a.ts1:1:2: error: `😀` has no meaning here\n  \t😀 = 'x'\n  \t^",
  )
  const [second] = compile('size = ( 4 + )\n').diagnostics
  expect(formatDiagnostic(second as never)).toBe(
    '1:14: error: `)` does not fit here: expected a value\n  size = ( 4 + )\n               ^',
  )
})

describe('what the host offers', () => {
  test.each<[string, string[]]>([
    ['foundation.power_on()', []],
    ['foundation.power_on( hard=True )', []],
    ["foundation.power = 'on'\na = foundation.locator", []],
    ['a = config.anything\nconfig.other = config.call( x=1 )', []],
    ['a = exists( foundation.nothing )\nb = exists( nothing.at[ 0 ] )', []],
    [
      'foundation.power_of()',
      ['1:1 error: The module `foundation` has no function `power_of` (Did you mean `foundation.power_on`?)'],
    ],
    ['foundation.fly()', ['1:1 error: The module `foundation` has no function `fly`']],
    [
      'foundation.power_on( had=True )',
      ['1:22 error: `foundation.power_on` has no parameter `had` (Did you mean `hard`?)'],
    ],
    // Where others are passed over, one that is misspelt is missing all the same.
    [
      "foundation.ping( target='a', count=5 )",
      ['1:30 warning: `foundation.ping` has no parameter `count`: it is passed over (Its parameters are target)'],
    ],
    [
      "foundation.ping( traget='a' )",
      [
        '1:1 error: `foundation.ping` needs the parameter `target`',
        '1:18 warning: `foundation.ping` has no parameter `traget`: it is passed over (Did you mean `target`?)',
      ],
    ],
    // What is missing behind a text of two lines is missing on its last line.
    [
      "elif 'x\ny'",
      [
        '1:1 error: There is no `if` for this `elif` (An `if` governs one statement: several need a block, begin() … end)',
        '2:3 error: Expected `then` behind the condition of `elif`',
      ],
    ],
    ['foundation.set_pxe()', ['1:1 error: `foundation.set_pxe` needs the parameters `name` and `interface`']],
    [
      "foundation.set_pxe( name='x', name='y', interface=1 )",
      ['1:31 error: The parameter `name` of `foundation.set_pxe` is given twice'],
    ],
    [
      'a = foundation.locater',
      ['1:5 error: The module `foundation` has no value `locater` (Did you mean `foundation.locator`?)'],
    ],
    ['foundation.locator = 5', ['1:1 error: `foundation.locator` cannot be set']],
    ['pop( array=foundation.locator )', ['1:12 error: `foundation.locator` cannot be set']],
    [
      'a = foundation.power_on',
      ['1:5 error: `foundation.power_on` is a function and not a value (Call it: foundation.power_on( ))'],
    ],
    [
      'foundation.locator()',
      ['1:1 error: `foundation.locator` is a value and not a function (Write it without brackets)'],
    ],
    ['power_on()', ['1:1 error: There is no function `power_on` (Did you mean `foundation.power_on`?)']],
    [
      'nowhere.to_be.found',
      ['1:1 error: There is no module `nowhere`', '1:15 warning: The variable `found` is read here, but nowhere set'],
    ],
  ])('%s', (text, expected) => {
    expect(found(text, names)).toEqual(expected)
  })

  test('is not checked where it is not known', () => {
    expect(found('a = foundation.anything\nnowhere.call( x=1 )\n')).toEqual([])
  })
})

describe('what is legal and suspicious', () => {
  test.each<[string, string[]]>([
    [':spot\n', ['1:1 warning: The label `spot` is never used']],
    [':a\ngoto a\n:a\n', ['3:1 warning: The label `a` is defined twice; `goto a` leads to line 1']],
    [
      'total = 1\nb = totla\n',
      ['2:5 warning: The variable `totla` is read here, but nowhere set (Did you mean `total`?)'],
    ],
    ['a = ( False and missing )\n', ['1:17 warning: The variable `missing` is read here, but nowhere set']],
    ['if exists( a ) then b = a\n', []],
    ['goto out\na = 1\nb = 2\n:out\n', ['2:1 warning: This is never reached: the `goto` before it always leaves']],
    [
      'while True do\nbegin()\n  break\n  a = 1\nend\n',
      ['4:3 warning: This is never reached: the `break` before it always leaves'],
    ],
    [
      'if 1 then goto out else goto out\na = 1\n:out\n',
      ['2:1 warning: This is never reached: the `goto` before it always leaves'],
    ],
    [
      'while True do pass\n',
      [
        '1:1 warning: This loop never ends: its condition is always true and nothing in it leaves (Leave it with `break` or `goto`)',
      ],
    ],
    [
      'while 1 do\nbegin()\n  while True do break\nend\n',
      [
        '1:1 warning: This loop never ends: its condition is always true and nothing in it leaves (Leave it with `break` or `goto`)',
      ],
    ],
    ["while True do if exists( a ) then fatal_error( msg='x' )\n", []],
    ['while True do if exists( a ) then goto out\n:out\n', []],
    [
      'm = 1\na = ( m.x )\n',
      [
        '2:7 warning: `m.x` is a value of a module `m`, but `m` is a variable here (To join, put blanks around the point: m . x)',
      ],
    ],
    ['a = { k=1, k=2 }\n', ['1:12 warning: The key `k` is given twice; the last value counts']],
  ])('%j', (text, expected) => {
    expect(found(text)).toEqual(expected)
  })
})

describe('mistakes that people make', () => {
  test.each<[string, string]>([
    ['if a = 4 then b = 1', '1:6 error: `=` sets a value and cannot stand in a condition (Did you mean `==`?)'],
    ['if a the b = 1', '1:6 error: Expected `then` behind the condition of `if` (Did you mean `then`?)'],
    ['while a then b = 1', '1:9 error: `while` goes with `do`, not with `then`'],
    ['foo( 5 )', '1:6 error: The parameters of `foo` are written with their names (Write foo( name=value ))'],
    ['a = { one: 1 }', "1:10 error: A map is written with `=` (For example { name='x' })"],
    ["a = { 'one'=1 }", '1:7 error: The keys of a map are names, without quotes (For example { one=1 })'],
    ['a += 1', '1:3 error: There is no `+=` (Write a = ( a + … ))'],
    [
      'a-b = 1',
      '1:1 error: Only a variable, a value of a module or an element can be set (A name has letters, digits and underscores: `a_b`?)',
    ],
    [
      'for a in b do c = 1',
      '1:1 error: TScript has no `for` (Loop with `while`, and take from an array with pop( array=name ))',
    ],
    ['a = !b', '1:5 error: `!` has no meaning here (Write `not x`, or `!=` for "is not equal")'],
    ['a = 1;', '1:6 error: `;` has no meaning here (A statement ends with its line)'],
    ['end = 1', '1:1 error: `end` is a word of the language and cannot name a variable'],
    [
      'a = 1 b = 2',
      '1:7 error: A statement ends with its line (Begin a new line here, or write an operator between the values)',
    ],
    ['begin\nend', '1:6 error: Expected `(` behind `begin` (A block without options opens with begin())'],
    ['begin( max_tme=1:00 )\nend', '1:8 error: A block has no option `max_tme` (Did you mean `max_time`?)'],
    ['begin( max_time=5 )\nend', '1:17 error: `max_time` is a time (For example max_time=5:00, five minutes)'],
    [
      'begin()\n:in\nend',
      '2:1 error: A label stands only at the outermost level (Move it out of every block, `if` and `while`)',
    ],
    [
      "a = 'x\nb = 'y'\n",
      '2:7 error: The text that begins here is never closed (The text of line 1 runs over several lines: is its closing quote missing?)',
    ],
    [
      'if a then\nend',
      '2:1 error: A statement is expected behind `then`, but `end` follows (Write `pass` to do nothing)',
    ],
    [
      'a = 1:2:3:4:5',
      '1:5 error: `1:2:3:4:5` is not a time (A time has two to four parts of one or two digits: M:S, H:M:S or D:H:M:S)',
    ],
    [
      'x = pritn( a=1 )',
      '1:5 error: There is no function `pritn` (Functions of the host are called with their module: module.name( ))',
    ],
    ['x = slise( array=[], start=1, end=2 )', '1:5 error: There is no function `slise` (Did you mean `slice`?)'],
  ])('%j', (text, expected) => {
    expect(found(text)[0]).toBe(expected)
  })
})
