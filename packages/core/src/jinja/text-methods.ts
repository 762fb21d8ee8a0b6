import { asNumber, asText, bind } from './arguments.ts'
import { concatenate } from './arithmetic.ts'
import { formatBraces } from './brace-format.ts'
import { findText } from './compare.ts'
import { fail } from './failure.ts'
import type { Limits } from './limits.ts'
import { isSpace, splitLines, strip, titleCase } from './text.ts'
import {
  Dict,
  type Given,
  isText,
  isTrue,
  iterate,
  List,
  pointCount,
  points,
  Tuple,
  textOf,
  typeOf,
  type Value,
} from './values.ts'

type Method = (limits: Limits, text: string, given: Given) => Value

/** Those that carry a secret along in what they are given. */
export const carryingMethods: ReadonlySet<string> = new Set(['format', 'format_map', 'join'])

const plain =
  (make: (text: string) => Value): Method =>
  (limits, text, given) => {
    bind('the method', [], given)
    limits.text(text.length)
    return make(text)
  }

const stripping =
  (name: string, sides: 'both' | 'left' | 'right'): Method =>
  (limits, text, given) => {
    const [characters] = bind(name, ['chars'], given)
    limits.text(text.length)
    return strip(text, sides, characters === undefined || characters === null ? undefined : asText(name, characters))
  }

const padding =
  (name: string, leftOf: (room: number, width: number) => number): Method =>
  (limits, text, given) => {
    const [width, filling] = bind(name, ['width', 'fillchar'], given)
    return padText(limits, text, asNumber(name, width), asText(name, filling, ' '), leftOf)
  }

function padText(
  limits: Limits,
  text: string,
  width: number,
  filling: string,
  leftOf: (room: number, width: number) => number,
): string {
  if (pointCount(filling) !== 1) fail('The fill character must be exactly one character long')
  const room = Math.max(width - pointCount(text), 0)
  limits.text(text.length + room, `a text of width ${width}`)
  const left = leftOf(room, width)
  return filling.repeat(left) + text + filling.repeat(room - left)
}

/** Of an odd rest, the left gets more when the width is odd. */
const centered = (room: number, width: number) => Math.floor(room / 2) + (room & width & 1)
export const center = (limits: Limits, text: string, width: number) => padText(limits, text, width, ' ', centered)

/** Where it is in the part that is asked for, in code points; -1 where it is not. */
function find(limits: Limits, name: string, text: string, given: Given, isLast: boolean): number {
  const [wanted, from, to] = bind(name, ['sub', 'start', 'end'], given)
  const sub = asText(name, wanted)
  const [start, part] = range(text, from, to)
  if (start > pointCount(text)) return -1
  const first = findText(limits, part, sub)
  const at = isLast && first >= 0 ? part.lastIndexOf(sub) : first
  return at < 0 ? -1 : start + pointCount(part.slice(0, at))
}

function range(text: string, from: Value | undefined, to: Value | undefined): [number, string] {
  if ((from ?? null) === null && (to ?? null) === null) return [0, text]
  const characters = [...points(text)]
  const clamp = (at: number) => Math.max(at < 0 ? at + characters.length : at, 0)
  const start = from === null ? 0 : clamp(asNumber('a place', from, 0))
  const end = to === undefined || to === null ? characters.length : clamp(asNumber('a place', to))
  return [start, characters.slice(start, Math.max(end, start)).join('')]
}

const found =
  (name: string, isLast: boolean, isRequired: boolean): Method =>
  (limits, text, given) => {
    const at = find(limits, name, text, given, isLast)
    return at < 0 && isRequired ? fail('substring not found') : BigInt(at)
  }

const matching =
  (name: string, matches: (text: string, part: string) => boolean): Method =>
  (limits, text, given) => {
    const [wanted, from, to] = bind(name, ['parts', 'start', 'end'], given)
    const [, part] = range(text, from, to)
    const wanteds = wanted instanceof Tuple ? wanted.items : [wanted]
    limits.step(wanteds.length)
    return wanteds.some(one => matches(part, asText(name, one)))
  }

/** From the left; `most` below 0 is all. */
export function splitText(limits: Limits, text: string, separator: string | undefined, most: number): string[] {
  const parts: string[] = []
  const add = (part: string) => {
    limits.items(1)
    parts.push(part)
  }
  limits.read(text.length, separator === undefined ? 1 : separator.length + 1)
  let at = 0
  const skip = () => {
    while (separator === undefined && at < text.length && isSpace(text[at] as string)) at++
  }
  if (separator === '') fail('empty separator')
  for (skip(); separator !== undefined || at < text.length; skip()) {
    let end = at
    const isLast = most >= 0 && parts.length === most
    if (isLast) end = text.length
    else if (separator === undefined) while (end < text.length && !isSpace(text[end] as string)) end++
    else end = text.indexOf(separator, at)
    if (isLast || end < 0) {
      add(text.slice(at))
      break
    }
    add(text.slice(at, end))
    at = end + (separator?.length ?? 0)
  }
  return parts
}

const reversed = (text: string) => [...text].reverse().join('')

function splitting(name: string, isRight: boolean): Method {
  return (limits, text, given) => {
    const [separator, most] = bind(name, ['sep', 'maxsplit'], given)
    const written = separator === undefined || separator === null ? undefined : asText(name, separator)
    limits.text(text.length)
    const count = asNumber(name, most, -1)
    if (!isRight) return new List(splitText(limits, text, written, count))
    const parts = splitText(limits, reversed(text), written === undefined ? undefined : reversed(written), count)
    return new List(parts.reverse().map(reversed))
  }
}

const partitioning =
  (name: string, isRight: boolean): Method =>
  (limits, text, given) => {
    const [separator] = bind(name, ['sep'], given)
    const sep = asText(name, separator)
    if (!sep) fail('empty separator')
    limits.text(text.length)
    const first = findText(limits, text, sep)
    const at = isRight && first >= 0 ? text.lastIndexOf(sep) : first
    if (at < 0) return new Tuple(isRight ? ['', '', text] : [text, '', ''])
    return new Tuple([text.slice(0, at), sep, text.slice(at + sep.length)])
  }

export function replaceText(limits: Limits, text: string, old: string, fresh: string, most: number): string {
  if (most === 0) return text
  if (old === '') limits.items(text.length)
  else if (findText(limits, text, old) < 0) return text
  const pieces = old === '' ? ['', ...points(text), ''] : text.split(old)
  limits.items(pieces.length)
  const count = most < 0 ? pieces.length - 1 : Math.min(most, pieces.length - 1)
  limits.text(text.length + count * Math.max(fresh.length - old.length, 0))
  return [pieces.slice(0, count + 1).join(fresh), ...pieces.slice(count + 1)].join(old)
}

const is = (pattern: RegExp): Method => plain(text => pattern.test(text))
const refused =
  (name: string): Method =>
  () =>
    fail(`.${name}() is not available here`)

/** As of Python's str. */
export const textMethods: Readonly<Record<string, Method>> = {
  upper: plain(text => text.toUpperCase()),
  lower: plain(text => text.toLowerCase()),
  casefold: plain(text => text.toLowerCase().replaceAll('ß', 'ss')),
  title: plain(titleCase),
  capitalize: plain(text => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase()),
  swapcase: plain(text =>
    text.replace(/\p{L}/gu, letter => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase())),
  ),
  strip: stripping('strip', 'both'),
  lstrip: stripping('lstrip', 'left'),
  rstrip: stripping('rstrip', 'right'),
  center: padding('center', centered),
  ljust: padding('ljust', () => 0),
  rjust: padding('rjust', room => room),
  zfill(limits, text, given) {
    const width = asNumber('zfill', bind('zfill', ['width'], given)[0])
    const sign = /^[+-]/.exec(text)?.[0] ?? ''
    const room = Math.max(width - pointCount(text), 0)
    limits.text(text.length + room, `a text of width ${width}`)
    return sign + '0'.repeat(room) + text.slice(sign.length)
  },
  find: found('find', false, false),
  rfind: found('rfind', true, false),
  index: found('index', false, true),
  rindex: found('rindex', true, true),
  count(limits, text, given) {
    const [wanted, from, to] = bind('count', ['sub', 'start', 'end'], given)
    const [, part] = range(text, from, to)
    const sub = asText('count', wanted)
    if (!sub) return BigInt(pointCount(part) + 1)
    let count = 0n
    for (let at = findText(limits, part, sub); at >= 0; at = part.indexOf(sub, at + sub.length)) count++
    return count
  },
  startswith: matching('startswith', (text, part) => text.startsWith(part)),
  endswith: matching('endswith', (text, part) => text.endsWith(part)),
  removeprefix(_, text, given) {
    const prefix = asText('removeprefix', bind('removeprefix', ['prefix'], given)[0])
    return text.startsWith(prefix) ? text.slice(prefix.length) : text
  },
  removesuffix(_, text, given) {
    const suffix = asText('removesuffix', bind('removesuffix', ['suffix'], given)[0])
    return suffix && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text
  },
  replace(limits, text, given) {
    const [old, fresh, most] = bind('replace', ['old', 'new', 'count'], given)
    return replaceText(limits, text, asText('replace', old), asText('replace', fresh), asNumber('replace', most, -1))
  },
  split: splitting('split', false),
  rsplit: splitting('rsplit', true),
  splitlines(limits, text, given) {
    const [keeps = false] = bind('splitlines', ['keepends'], given)
    const lines = splitLines(text, isTrue(keeps))
    limits.items(lines.length)
    return new List(lines)
  },
  partition: partitioning('partition', false),
  rpartition: partitioning('rpartition', true),
  join(limits, text, given) {
    const [items = fail('join needs an argument')] = bind('join', ['iterable'], given)
    const parts: Value[] = []
    for (const item of iterate(limits, items)) {
      if (!isText(item)) fail(`join: a text is needed, and there is ${typeOf(item)}`)
      if (parts.length) parts.push(text)
      parts.push(textOf(item as string))
    }
    return concatenate(limits, parts)
  },
  expandtabs(limits, text, given) {
    const size = asNumber('expandtabs', bind('expandtabs', ['tabsize'], given)[0], 8)
    let made = ''
    let column = 0
    for (const character of text) {
      const room = character === '\t' ? (size > 0 ? size - (column % size) : 0) : 0
      limits.text(made.length + room)
      made += character === '\t' ? ' '.repeat(room) : character
      column = character === '\n' || character === '\r' ? 0 : column + (character === '\t' ? room : 1)
      limits.step()
    }
    return made
  },
  format: formatBraces,
  format_map(limits, text, given) {
    const [map] = bind('format_map', ['mapping'], given)
    if (!(map instanceof Dict)) return fail('format_map needs a map')
    const named = [...map.entries.values()].map(([key, value]): [string, Value] => [asText('format_map', key), value])
    return formatBraces(limits, text, { positional: [], named: new Map(named) })
  },
  isdigit: is(/^[\p{Nd}\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089]+$/u),
  isdecimal: is(/^\p{Nd}+$/u),
  isnumeric: is(/^\p{N}+$/u),
  isalpha: is(/^\p{L}+$/u),
  isalnum: is(/^[\p{L}\p{N}]+$/u),
  isascii: is(/^\p{ASCII}*$/u),
  isidentifier: is(/^[\p{XID_Start}_]\p{XID_Continue}*$/u),
  isprintable: is(/^[^\p{C}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]*$/u),
  isspace: plain(text => text !== '' && strip(text, 'both') === ''),
  isupper: plain(text => /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text)),
  islower: plain(text => /\p{Lowercase}/u.test(text) && !/[\p{Uppercase}\p{Lt}]/u.test(text)),
  istitle: plain(text => /\p{L}/u.test(text) && titleCase(text) === text),
  encode: refused('encode'),
  translate: refused('translate'),
  maketrans: refused('maketrans'),
}
