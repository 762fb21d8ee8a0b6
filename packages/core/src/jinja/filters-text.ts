import { asNumber, asText, bind } from './arguments.ts'
import { fail } from './failure.ts'
import type { Filter } from './filter.ts'
import type { Limits } from './limits.ts'
import { formatPercent } from './percent-format.ts'
import { repr, str } from './print.ts'
import { splitLines, strip } from './text.ts'
import { center, replaceText, textMethods } from './text-methods.ts'
import {
  cut,
  Dict,
  isText,
  isTrue,
  Markup,
  pointCount,
  points,
  Stream,
  Tuple,
  toArray,
  typeOf,
  Undefined,
  type Value,
} from './values.ts'
import { wrapLine } from './wrap.ts'

const nothing = { positional: [], named: new Map<string, Value>() }

/** Of a text it makes another; what is marked as safe stays so. */
function textFilter(make: (limits: Limits, text: string) => string): Filter {
  return {
    apply({ limits }, value, given) {
      bind('the filter', [], given)
      const text = str(limits, value)
      limits.text(text.length)
      const made = make(limits, text)
      return value instanceof Markup ? new Markup(made) : made
    },
  }
}

const method = (name: string) => textFilter((limits, text) => String(textMethods[name]?.(limits, text, nothing)))
const wordStart = /([-\s({[<]+)/

export const textFilters: Readonly<Record<string, Filter>> = {
  upper: method('upper'),
  lower: method('lower'),
  capitalize: method('capitalize'),
  title: textFilter((_, text) =>
    text
      .split(wordStart)
      .map(word => {
        const [first = ''] = word
        return first.toUpperCase() + word.slice(first.length).toLowerCase()
      })
      .join(''),
  ),
  string: {
    carries: true,
    apply: ({ limits }, value) => (value instanceof Markup ? value : str(limits, value)),
  },
  trim: {
    apply({ limits }, value, given) {
      const [characters] = bind('trim', ['chars'], given)
      const text = str(limits, value)
      limits.text(text.length)
      const set = characters === undefined || characters === null ? undefined : asText('trim', characters)
      return strip(text, 'both', set)
    },
  },
  center: {
    apply({ limits }, value, given) {
      const [width] = bind('center', ['width'], given)
      return center(limits, str(limits, value), asNumber('center', width, 80))
    },
  },
  replace: {
    apply({ limits }, value, given) {
      const [old = fail('replace needs two arguments'), fresh = fail('replace needs two arguments'), count] = bind(
        'replace',
        ['old', 'new', 'count'],
        given,
      )
      const most = count === null ? -1 : asNumber('replace', count, -1)
      return replaceText(limits, str(limits, value), str(limits, old), str(limits, fresh), most)
    },
  },
  format: {
    carries: true,
    apply({ limits }, value, { positional, named }) {
      if (positional.length && named.size) fail('format takes arguments by place or by name, not both')
      const format = value instanceof Markup ? value : str(limits, value)
      return formatPercent(limits, format, named.size ? Dict.of(named) : new Tuple(positional))
    },
  },
  indent: {
    apply({ limits }, value, given) {
      const [width = 4n, first = false, blank = false] = bind('indent', ['width', 'first', 'blank'], given)
      if (value instanceof Undefined || !isText(value)) fail(`indent needs a text, not ${typeOf(value)}`)
      const room = isText(width) ? '' : asNumber('indent', width)
      if (room !== '') limits.text(room)
      const indention = room === '' ? str(limits, width) : ' '.repeat(Math.max(room, 0))
      const lines = splitLines(`${str(limits, value)}\n`)
      limits.items(lines.length)
      limits.text(str(limits, value).length + lines.length * indention.length)
      const [head = '', ...rest] = lines.map((line, at) => (at && (line || isTrue(blank)) ? indention + line : line))
      return (isTrue(first) ? indention : '') + [head, ...rest].join('\n')
    },
  },
  truncate: {
    apply({ limits }, value, given) {
      const bound = bind('truncate', ['length', 'killwords', 'end', 'leeway'], given)
      const [limit, killwords = false, ending, leeway] = bound
      if (value instanceof Undefined && !value.isStrict) return value
      if (!isText(value)) fail(`truncate needs a text, not ${typeOf(value)}`)
      const text = str(limits, value)
      const end = asText('truncate', ending, '...')
      const length = asNumber('truncate', limit, 255)
      const over = leeway === null ? 5 : asNumber('truncate', leeway, 5)
      if (length < pointCount(end)) fail(`expected length >= ${pointCount(end)}, got ${length}`)
      if (over < 0) fail(`expected leeway >= 0, got ${over}`)
      limits.text(text.length)
      if (pointCount(text) <= length + over) return text
      const kept = cut(text, 0, length - pointCount(end))
      if (isTrue(killwords)) return kept + end
      const space = kept.lastIndexOf(' ')
      return (space < 0 ? kept : kept.slice(0, space)) + end
    },
  },
  wordcount: {
    apply({ limits }, value) {
      const text = str(limits, value)
      limits.text(text.length)
      return BigInt((text.match(/[\p{L}\p{N}_]+/gu) ?? []).length)
    },
  },
  wordwrap: {
    apply({ limits }, value, given) {
      const names = ['width', 'break_long_words', 'wrapstring', 'break_on_hyphens']
      const [width, breaks = true, wrapping, hyphens = true] = bind('wordwrap', names, given)
      const joint = wrapping === null ? '\n' : asText('wordwrap', wrapping, '\n')
      const limit = asNumber('wordwrap', width, 79)
      if (limit <= 0) fail(`invalid width ${limit} (must be > 0)`)
      if (!isText(value)) fail(`wordwrap needs a text, not ${typeOf(value)}`)
      const options = { width: limit, breaksWords: isTrue(breaks), breaksHyphens: isTrue(hyphens) }
      const lines = splitLines(str(limits, value)).map(line => {
        const wrapped = wrapLine(limits, line, options)
        limits.text(line.length + wrapped.length * joint.length)
        return wrapped.join(joint)
      })
      limits.text(lines.length * joint.length)
      return lines.join(joint)
    },
  },
  reverse: {
    apply({ limits }, value) {
      if (!isText(value)) return new Stream(toArray(limits, value).reverse()[Symbol.iterator]())
      const text = str(limits, value)
      limits.items(text.length)
      return [...points(text)].reverse().join('')
    },
  },
  pprint: { apply: ({ limits }, value) => prettyPrint(limits, value) },
}

/** What fits one line; Python breaks longer values, which templates have no use for. */
function prettyPrint(limits: Limits, value: Value): string {
  const text = repr(limits, value)
  limits.text(text.length)
  return text
}
