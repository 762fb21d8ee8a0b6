import { bind } from './arguments.ts'
import { fail } from './failure.ts'
import type { Filter } from './filter.ts'
import { escapeHtml, escapeText, stripTags } from './html.ts'
import { writeJson } from './json-text.ts'
import type { Limits } from './limits.ts'
import { str } from './print.ts'
import { refuseSecret } from './secrets.ts'
import {
  Dict,
  isText,
  isTrue,
  iterate,
  List,
  Markup,
  Range,
  Stream,
  Tuple,
  textOf,
  toArray,
  Undefined,
  type Value,
  View,
} from './values.ts'

const escaped: Filter = { apply: ({ limits }, value) => new Markup(escapeHtml(limits, value)) }

export const htmlFilters: Readonly<Record<string, Filter>> = {
  escape: escaped,
  e: escaped,
  forceescape: { apply: ({ limits }, value) => new Markup(escapeText(limits, str(limits, value))) },
  safe: { carries: true, apply: ({ limits }, value) => new Markup(str(limits, value)) },
  striptags: { apply: ({ limits }, value) => stripTags(limits, str(limits, value)) },
  urlize: { apply: () => fail('urlize is not available here: config values are no web pages') },
  urlencode: { apply: ({ limits }, value) => urlEncode(limits, value) },
  xmlattr: {
    apply({ limits }, value, given) {
      const [autospace = true] = bind('xmlattr', ['autospace'], given)
      if (!(value instanceof Dict)) return fail('xmlattr needs a map')
      const parts: string[] = []
      for (const [key, item] of value.entries.values()) {
        if (item === null || item instanceof Undefined) continue
        if (!isText(key) || /[\s/>=]/.test(textOf(key))) fail('an attribute has a name that is none')
        parts.push(`${escapeHtml(limits, key)}="${escapeHtml(limits, item)}"`)
      }
      const text = parts.join(' ')
      limits.text(text.length)
      return text && isTrue(autospace) ? ` ${text}` : text
    },
  },
  tojson: {
    apply({ limits }, value, given) {
      const [indent = null] = bind('tojson', ['indent'], given)
      const text = writeJson(limits, value, indent)
      return new Markup(text.replace(/[<>&']/g, character => `\\u00${character.charCodeAt(0).toString(16)}`))
    },
  },
}

/** Of a text: quoted but for `/`; of a map or of pairs: a query. */
function urlEncode(limits: Limits, value: Value): string {
  const isMany = [Dict, List, Tuple, View, Stream, Range].some(type => value instanceof type)
  if (!isMany) return quote(limits, value).replaceAll('%2F', '/')
  const pairs: string[] = []
  for (const pair of iterate(limits, value instanceof Dict ? new View(value, 'items') : value)) {
    const [key, item, ...rest] = toArray(limits, pair)
    if (key === undefined || item === undefined || rest.length) fail('urlencode needs a text, a map, or pairs')
    pairs.push(`${quote(limits, key as Value, true)}=${quote(limits, item as Value, true)}`)
  }
  limits.text(pairs.reduce((sum, pair) => sum + pair.length + 1, 0))
  return pairs.join('&')
}

function quote(limits: Limits, value: Value, isQuery = false): string {
  const text = str(limits, value)
  refuseSecret(text, '|urlencode')
  limits.text(text.length * 3)
  const quoted = encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd')).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return isQuery ? quoted.replaceAll('%20', '+') : quoted
}
