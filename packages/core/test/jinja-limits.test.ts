import type { Json } from '@contractor/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTemplates, TemplateError } from '../src/jinja/templates.ts'

const templates = createTemplates()
const nested = (depth: number, open: string, close: string, inner = '1') =>
  open.repeat(depth) + inner + close.repeat(depth)

/** What came of it: a text, or why not; and how much of the processor's time that took, whoever else was busy meanwhile. */
function attempt(source: string, context: Record<string, Json> = {}) {
  const began = process.cpuUsage()
  const spentMs = () => process.cpuUsage(began).user / 1000
  try {
    return { text: templates.render(source, context, 'empty'), ms: spentMs() }
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return { error: error.message, ms: spentMs() }
  }
}

describe('a template that takes too much is refused within a second', () => {
  const long = 'x'.repeat(900_000)
  const hostile = [
    "{{ 'x' * 10000000000 }}",
    '{{ [0] * 10000000000 }}',
    '{{ range(1000000000000)|list }}',
    '{{ range(1000000000000)|join }}',
    '{{ range(1000000000000)|sum }}',
    '{{ 5 in range(10, 1000000000000) }}',
    '{% for x in range(1000000000000) %}{% endfor %}',
    '{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}',
    "{{ 'x'.center(1000000000) }}",
    "{{ 'x'|center(1000000000) }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ 'x'.zfill(1000000000) }}",
    "{{ '%9999999999d' % 1 }}",
    "{{ '%.999999999f' % 1.5 }}",
    "{{ '%*d' % (999999999, 1) }}",
    "{{ '%099999999s' % 1 }}",
    "{{ '{:>9999999}'.format(1) }}",
    "{{ '{:.99999999f}'.format(1.5) }}",
    "{{ '{:09999999,}'.format(1) }}",
    "{{ '{:{}}'.format(1, 9999999) }}",
    '{{ 10 ** (10 ** 10) }}',
    '{{ (2 ** 14000) * (2 ** 14000) }}',
    '{{ 9 ** 99999999 }}',
    "{{ 'a\\n'|indent(1000000000) }}",
    '{{ [1]|batch(1000000000, 0)|list }}',
    '{{ [1]|slice(1000000000)|list }}',
    "{{ '\t'.expandtabs(1000000000) }}",
    "{{ 'a'|tojson(indent=1000000000) }}",
    '{% set ns = namespace(t="x") %}{% for i in range(100) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}',
    '{% set ns = namespace(t="x") %}{% for i in range(100) %}{% set ns.t = ns.t + ns.t %}{% endfor %}',
    '{% set ns = namespace(t=[1]) %}{% for i in range(100) %}{% set ns.t = ns.t + ns.t %}{% endfor %}',
    '{% set ns = namespace(t="x") %}{% for i in range(100) %}{% set ns.t = ns.t.replace("x", "xx") %}{% endfor %}',
    '{% set ns = namespace(t="x") %}{% for i in range(100) %}{% set ns.t = [ns.t, ns.t]|join %}{% endfor %}',
    '{% set ns = namespace(t="x") %}{% for i in range(100) %}{% set ns.t = "%s%s" % (ns.t, ns.t) %}{% endfor %}',
    '{% set ns = namespace(t="x") %}{% for i in range(100) %}{% set ns.t = "{0}{0}".format(ns.t) %}{% endfor %}',
    '{% set ns = namespace(t=[]) %}{% for i in range(100) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.t }}',
    '{% set ns = namespace(t=[]) %}{% for i in range(100) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.t|tojson }}',
    '{% set ns = namespace(t=[], u=[]) %}{% for i in range(90) %}{% set ns.t = [ns.t, ns.t] %}{% set ns.u = [ns.u, ns.u] %}{% endfor %}{{ ns.t == ns.u }}',
    '{% set ns = namespace(t=[]) %}{% for i in range(100000) %}{% set ns.t = [ns.t] %}{% endfor %}{{ ns.t }}',
    '{% set ns = namespace(t=()) %}{% for i in range(100000) %}{% set ns.t = (ns.t,) %}{% endfor %}{{ {ns.t: 1} }}',
    '{% set l = [1] %}{% for x in l %}{% set _ = l.append(x) %}{% endfor %}',
    '{% set l = [1] %}{% set _ = l.extend(l) %}{% for x in range(100) %}{% set _ = l.extend(l) %}{% endfor %}',
    '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}',
    '{% macro f(a) %}{{ f([a]) }}{% endmacro %}{{ f(1) }}',
    '{% macro f() %}{% call f() %}{% endcall %}{% endmacro %}{{ f() }}',
    '{% set l = [[]] %}{% set _ = l[0].append(l) %}{% for x in l recursive %}{{ loop(x) }}{% endfor %}',
    `{{ ${nested(10_000, '(', ')')} }}`,
    `{{ ${nested(10_000, '[', ']')} }}`,
    `{{ ${nested(10_000, '{1:', '}')} }}`,
    `{{ ${'not '.repeat(10_000)}1 }}`,
    `{{ ${'- '.repeat(10_000)}1 }}`,
    `{{ ${'1 + '.repeat(10_000)}1 }}`,
    `{{ a${'.a'.repeat(10_000)} }}`,
    `{{ a${'|e'.repeat(10_000)} }}`,
    `{{ a${'(a'.repeat(10_000)}${')'.repeat(10_000)} }}`,
    `{{ ${'1 if '.repeat(10_000)}1 }}`,
    `{{ ${nested(90, '(', ')', `${'1 + '.repeat(150)}1`)}${' + 1'.repeat(100)} ${'.a'.repeat(190)} }}`,
    `{{ ${nested(90, '(', `${' + 1'.repeat(150)})`)} }}`,
    nested(10_000, '{% if 1 %}', '{% endif %}', 'x'),
    nested(10_000, '{% for x in l %}', '{% endfor %}', 'x'),
  ]

  // Read in time that is proportional to their length, also where all of it is one line.
  const long300kB: [string, string][] = [
    ['blocks', '{% for x in l %}'],
    ['outputs', '{{ 1 }}'],
    ['comments', '{# c #}'],
    ['raw blocks', '{% raw %}{{{% endraw %}'],
    ['texts', "{{ 'a' }}"],
    ['names', '{{ name.of.it }} '],
    ['lines', '{{ 1 -}}   \n'],
    ['half marks', '{% raw %}{%'],
    ['open brackets', '{{ [1, '],
    ['spaces', `{{ 1 }}${' '.repeat(1000)}`],
  ]
  it.each(long300kB)('or read at once: long ones of %s', (_, piece) => {
    const { ms } = attempt(piece.repeat(Math.ceil(300_000 / piece.length)), { l: [] })
    expect(ms).toBeLessThan(1000)
  })

  // Some are too long to be a test's name.
  it.each(hostile.map((source, at) => ({ at, source, name: source.slice(0, 60) })))('$at: $name', ({ source }) => {
    const { error, ms } = attempt(source, { l: [1] })
    expect(error).toBeDefined()
    expect(ms).toBeLessThan(1000)
  })

  it.each([
    "{% for x in range(100000) %}{{ 'b' in long }}{% endfor %}",
    "{% for x in range(100000) %}{{ long.find('xxxxxxxxxxxxxxxxxxxxxxxxxxxxy') }}{% endfor %}",
    "{% for x in range(100000) %}{{ long.count('xy') }}{% endfor %}",
    '{% for x in range(100000) %}{{ long|upper|length }}{% endfor %}',
    '{% for x in range(100000) %}{{ long == long ~ "" }}{% endfor %}',
    '{% for x in range(100000) %}{{ long|wordcount }}{{ long|striptags|length }}{% endfor %}',
    '{% for x in range(100000) %}{{ long[x] }}{% endfor %}',
    '{% for x in range(100000) %}{{ long|int }}{{ long|float }}{% endfor %}',
    '{% for x in range(100000) %}{{ long|e|length }}{{ long|tojson|length }}{% endfor %}',
    '{% for x in range(100000) %}{{ long.isalpha() }}{% endfor %}',
    "{% for x in range(100000) %}{{ long.split('x')|length }}{% endfor %}",
    "{{ long|replace('x', 'xy') }}",
    "{{ long|replace('', 'xy') }}",
    '{{ long ~ long }}',
    '{{ long|urlencode }}',
    "{{ ('<' * 500000)|striptags }}{{ ('<!--' * 100000)|striptags|length }}{{ '{%' * 400000 }}{{ '-' ~ long ~ long }}",
    "{{ ('a-' * 100000)|wordwrap(3) }}{{ (' ' * 100000 ~ 'x')|wordwrap(2) }}{{ long ~ long }}",
  ])('also one that reads a long text again and again: %s', source => {
    const { ms } = attempt(source, { long })
    expect(ms).toBeLessThan(1000)
  })

  it('and takes no memory before', () => {
    const before = process.memoryUsage().rss
    for (const source of [
      "{{ 'x' * 10000000000 }}",
      '{{ range(1000000000000)|list }}',
      '{% set l = [] %}{% for x in range(1000000) %}{% set _ = l.append([x] * 1000) %}{% endfor %}',
      "{% set l = [] %}{% for x in range(1000000) %}{% set _ = l.append('é' * 900000 ~ x) %}{% endfor %}",
    ])
      expect(attempt(source).error).toBeDefined()
    expect(process.memoryUsage().rss - before).toBeLessThan(500_000_000)
  })
})

describe('a template sees nothing but its values', () => {
  it.each([
    '{{ a.__proto__ }}',
    "{{ a['__proto__'] }}",
    '{{ a.constructor }}',
    "{{ a['constructor'] }}",
    '{{ a.hasOwnProperty }}',
    '{{ l.map }}',
    "{{ l['length'] }}",
    '{{ l.__class__ }}',
    '{{ s.__class__.__mro__ }}',
    '{{ s.at }}',
    "{{ ''.__class__ }}",
    '{{ constructor }}',
    '{{ __proto__ }}',
    '{{ toString }}',
    '{{ globalThis }}',
    "{{ '{0.__class__}'.format(s) }}",
    "{{ '{0.constructor}'.format(l) }}",
    "{{ a|attr('constructor') }}",
    "{{ [a]|map(attribute='__proto__')|list|first }}",
    '{{ a|constructor }}',
    '{{ a is toString }}',
    '{{ namespace().constructor }}',
    '{{ range.constructor }}',
    '{% for x in l %}{{ loop.constructor }}{% endfor %}',
    '{% macro f() %}{% endmacro %}{{ f.constructor }}',
  ])('%s', source => {
    const { text = '' } = attempt(source, { a: { x: 1 }, l: [1], s: 'text' })
    expect(text).toBe('')
  })

  it('and may have such names for its own', () => {
    const context: Record<string, Json> = JSON.parse('{"a":{"__proto__":1,"constructor":2,"toString":3}}')
    expect(attempt('{{ a.__proto__ }}{{ a.constructor }}{{ a.toString }}', context).text).toBe('123')
    expect(attempt("{% set d = {'__proto__': 1} %}{{ d }}{{ d.__proto__ }}{{ {}.__proto__ }}").text).toBe(
      "{'__proto__': 1}1",
    )
  })
})

describe('any template', () => {
  const words =
    `{{ }} {% %} {# #} {%- -%} {{- -}} if else elif endif for in endfor set endset macro endmacro call endcall filter endfilter
    with endwith raw endraw not and or is a b l m s 1 2 0 -1 1.5 'x' "%s" 'a,b' ( ) [ ] { } , : . | ~ + - * / // % ** == != < > =
    upper join default sort map select tojson replace format length loop namespace range ( ) first last groupby unique int
    items keys get append pop split strip true none defined odd recursive caller varargs`.split(/\s+/)
  const context: Record<string, Json> = { a: 'text', b: 5, l: [1, 'x', null, [2]], m: { k: 'v', l: [1] }, s: '' }

  it('gives a text or a TemplateError, whatever it is made of', () => {
    const before = JSON.stringify(context)
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 25 }), fc.constantFrom('', ' '), (parts, joint) => {
        attempt(parts.join(joint), context)
        attempt(`{{ ${parts.join(' ')} }}`, context)
        templates.namesOf(parts.join(joint))
      }),
      { numRuns: 3000 },
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), text => {
        attempt(text, context)
        attempt(`{{ ${text} }}`, context)
      }),
      { numRuns: 1000 },
    )
    expect(JSON.stringify(context)).toBe(before)
  })

  it('gives the values of its context to each filter, method and test, or says why not', () => {
    const filters =
      `abs attr batch capitalize center count d default dictsort e escape filesizeformat first float forceescape
      format groupby indent int items join last length list lower map max min pprint random reject rejectattr replace reverse
      round safe select selectattr slice sort string striptags sum title tojson trim truncate unique upper urlencode urlize
      wordcount wordwrap xmlattr`.split(/\s+/)
    const methods =
      `format zfill split rsplit splitlines strip lstrip rstrip startswith endswith upper lower title capitalize
      swapcase replace find rfind index rindex count join center ljust rjust partition rpartition isdigit isalpha isalnum isupper
      islower isspace removeprefix removesuffix expandtabs encode append extend insert pop remove clear reverse sort copy get
      items keys values update setdefault popitem format_map translate isidentifier istitle`.split(/\s+/)
    const values = [
      'a',
      'b',
      'l',
      'm',
      's',
      'none',
      '1.5',
      'gone',
      'range(3)',
      'm.items()',
      "('<'|e)",
      "'{}%s'",
      '-3',
      'true',
    ]
    const given = ['', ...values, 'a, b', 'l, 2', '2, l', "'x', 'y', 3", 'b, a, true']
    for (const value of values)
      for (const one of given) {
        for (const name of filters)
          attempt(`{{ (${value})|${name}(${one})|list }}{{ (${value})|${name}(${one}) }}`, context)
        for (const name of methods) attempt(`{{ (${value}).${name}(${one}) }}`, context)
        attempt(`{{ (${value}) + (${one || 1}) }}`, context)
        for (const operator of ['-', '*', '/', '//', '%', '**', '<', 'in', '==', '~'])
          attempt(`{{ (${value}) ${operator} (${one || 1}) }}`, context)
      }
  })
})

describe('the names that a template may take', () => {
  it.each([
    ['{{ a.b[c] }} {{ d|default( e ) }} {{ "f" }} {{ g( h=i ) }}', 'a c d e g i'],
    ['{% set a = b %}{{ a }}', 'b'],
    ['{{ a }}{% set a = 1 %}', 'a'],
    ['{% if a %}{% set b = 1 %}{% endif %}{{ b }}', 'a b'],
    ['{% if a %}{% set b = 1 %}{% else %}{% set b = 2 %}{% endif %}{{ b }}', 'a'],
    ['{% for x in l if x != y %}{{ x }}{{ loop.index }}{% endfor %}{{ x }}{{ loop }}', 'l loop x y'],
    ['{% macro f( a, b=c ) %}{{ a }}{{ b }}{{ d }}{{ caller() }}{% endmacro %}{{ f() }}', 'c d'],
    ['{% call( x ) f() %}{{ x }}{{ y }}{% endcall %}', 'f y'],
    ['{% with a = b %}{{ a }}{% endwith %}{% raw %}{{ z }}{% endraw %}{# {{ z }} #}', 'b'],
    ['{% set ns.a = 1 %}{{ x is divisibleby y }}{{ x[ a:b:c ] }}', 'a b c ns x y'],
    ['{% if', ''],
  ])('%s', (source, expected) => {
    expect([...templates.namesOf(source)].sort().join(' ')).toBe(expected)
  })

  it('are asked for only where it gets to them', () => {
    const asked: string[] = []
    const lookup = (name: string) => {
      asked.push(name)
      return { yes: true, a: 'A' }[name as 'a']
    }
    expect(templates.render('{{ a if yes else b }}{% if not yes %}{{ c }}{% endif %}{{ a or d }}', lookup)).toBe('AA')
    expect(asked).toEqual(['yes', 'a'])
  })
})
