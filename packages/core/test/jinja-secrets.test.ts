import { writeSecret } from '@contractor/contract'
import { describe, expect, it } from 'vitest'
import { createTemplates } from '../src/jinja/templates.ts'

const templates = createTemplates()
const pin = writeSecret({ name: 'lab/pin', sealed: 'c2VhbGVk' })
const context = { pin, word: 'a', list: [pin, 'b'], map: { pin, n: 1 }, inner: { list: [[pin]] } }
const render = (source: string) => templates.render(source, context)

describe('a secret in a template', () => {
  it.each([
    ['{{ pin }}', pin],
    ['<{{ pin ~ "!" }}{{ word + pin }}>', `<${pin}!a${pin}>`],
    ['{{ list|join( "," ) }} {{ [ 1, pin ]|join }} {{ ","|join }}', `${pin},b 1${pin} ,`],
    ["{{ '%s!' % pin }} {{ '%s %s'|format( word, pin ) }} {{ '%(a)s' % { 'a': pin } }}", `${pin}! a ${pin} ${pin}`],
    ["{{ '{}'.format( pin ) }} {{ '{x}'.format( x=pin ) }} {{ '-'.join( list ) }}", `${pin} ${pin} ${pin}-b`],
    ["{{ pin|default( 'x' ) }} {{ gone|default( pin ) }} {{ pin|string }}", `${pin} ${pin} ${pin}`],
    [
      "{{ 'yes' if pin }} {{ pin is defined }} {{ pin and word }} {{ pin or word }} {{ not pin }}",
      `yes True a ${pin} False`,
    ],
    [
      '{{ list.0 }} {{ map.pin }} {{ list|first }} {{ list|length }} {{ map.get( "pin" ) }}',
      `${pin} ${pin} ${pin} 2 ${pin}`,
    ],
    ['{% set a = [ pin ] %}{% set _ = a.append( pin ) %}{{ a|join }} {{ { "k": pin }.k }}', `${pin}${pin} ${pin}`],
    ['{% for x in list %}{{ x }}{% endfor %}{% set t %}{{ pin }}{% endset %}{{ t }}', `${pin}b${pin}`],
    ['{% macro f( x ) %}[{{ x }}]{% endmacro %}{{ f( pin ) }}', `[${pin}]`],
  ])('is carried along whole: %s', (source, expected) => {
    expect(render(source)).toBe(expected)
  })

  const filters = `capitalize center e forceescape indent int float length list lower upper title trim replace('a','b') reverse
    striptags tojson truncate urlencode wordcount wordwrap first last sort unique random pprint count batch(2)|list
    slice(2)|list map('upper')|list select('upper')|list join xmlattr filesizeformat round abs groupby('a') min max sum`
  it.each([
    ...filters.split(/\s+/).map(filter => `{{ pin|${filter} }}`),
    ...['tojson', 'string', 'pprint', "map('upper')|list", 'sort', 'min', 'unique|list', 'urlencode'].map(
      filter => `{{ list|${filter} }}`,
    ),
    ...['{{ list }}', '{{ map }}', '{{ inner|tojson }}', '{{ list ~ "" }}', '{{ map.items() }}', '{{ map|xmlattr }}'],
    ...[
      '{{ pin == "x" }}',
      '{{ "x" != pin }}',
      '{{ pin < "x" }}',
      '{{ "x" in pin }}',
      '{{ pin in "x" }}',
      '{{ pin in list }}',
    ],
    ...['{{ list == list }}', '{{ list == 1 }}', '{{ inner == inner }}', '{{ map == { "pin": 1, "n": 1 } }}'],
    ...['{{ pin[0] }}', '{{ pin[:2] }}', '{{ pin * 2 }}', '{{ pin % 1 }}', '{{ { pin: 1 } }}', '{{ map[pin] }}'],
    ...['{{ pin.upper() }}', '{{ pin.split( "=" ) }}', '{{ "a".replace( "a", pin ) }}', '{{ pin.format() }}'],
    ...[
      "{{ '%5s' % pin }}",
      "{{ '%r' % pin }}",
      "{{ '%.2s' % pin }}",
      "{{ '{:5}'.format( pin ) }}",
      "{{ '{!r}'.format( pin ) }}",
    ],
    ...['{% for x in pin %}{% endfor %}', '{% filter upper %}{{ pin }}{% endfilter %}', '{{ pin is upper }}'],
    ...['{{ pin is eq "x" }}', '{{ pin is in list }}', '{{ list.index( pin ) }}', '{{ word|replace( "a", pin ) }}'],
    ...["{{ '\\uf8f0a=b\\uf8f1' }}", '{{ map|dictsort( by="value" ) }}', '{% set a, b = pin %}', '{{ ("x"|e) + pin }}'],
  ])('is refused where it would be read or changed: %s', source => {
    expect(() => render(source)).toThrow(/secret/)
  })

  it('is refused with what to do instead, and without what stands for it', () => {
    expect(() => render('\n{{ pin|tojson }}')).toThrow(
      expect.objectContaining({
        line: 2,
        message:
          'a secret cannot go through |tojson: a template may print it, join it with other texts and keep it in lists and maps, but neither read nor change it; store the secret in the form in which it is needed',
      }),
    )
  })
})
