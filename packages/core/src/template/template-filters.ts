import { repeatFilter, textFilter } from './jinja-dialect.ts'
import { pythonJson, pythonRepr, pythonText, type TemplateValue } from './python-text.ts'

/**
 * Filters of Jinja2 that minijinja does not have, or has with fewer arguments; by the behaviour of Jinja2's own
 * documentation. Named arguments come as a map in the last place.
 */
export type Filter = (value: TemplateValue, ...given: TemplateValue[]) => TemplateValue

/** The longest text that a template may make by repeating or padding, in characters. */
const longestText = 1_000_000

export const filters: Readonly<Record<string, Filter>> = {
  [textFilter]: value => pythonText(value),
  [repeatFilter]: (value, count) => repeat(pythonText(value), Number(count)),
  format: (value, ...given) => format(pythonText(value), given),
  wordcount: value => (pythonText(value).match(/[\p{L}\p{N}_]+/gu) ?? []).length,
  urlencode: value => urlencode(value),
  truncate: (value, ...given) => truncate(pythonText(value), read(given, ['length', 'killwords', 'end', 'leeway'])),
  center: (value, ...given) => center(pythonText(value), Number(read(given, ['width']).width ?? 80)),
  wordwrap: (value, ...given) =>
    wordwrap(pythonText(value), read(given, ['width', 'break_long_words', 'wrapstring', 'break_on_hyphens'])),
  xmlattr: value => xmlattr(value),
  tojson: (value, ...given) => escapeJson(pythonJson(value, read(given, ['indent']).indent)),
  forceescape: value => escapeHtml(pythonText(value)),
}

/** Arguments by name, from those by place and the map of named ones. */
function read(given: readonly TemplateValue[], names: readonly string[]): Record<string, TemplateValue> {
  const last = given.at(-1)
  const named = last instanceof Map ? Object.fromEntries(last) : {}
  const placed = last instanceof Map ? given.slice(0, -1) : given
  const found = Object.fromEntries(placed.map((value, position) => [names[position] ?? '', value]))
  return { ...found, ...named }
}

export function repeat(text: string, count: number): string {
  if (text.length * Math.max(count, 0) > longestText)
    throw new Error(`a text repeated ${count} times is longer than ${longestText} characters`)
  return text.repeat(Math.max(Math.trunc(count), 0))
}

/** Python's `%` formatting: `%s`, `%r`, `%d`, `%i`, `%f`, `%x`, `%o`, `%%`, with flags, width and precision, and `%(name)s`. */
function format(text: string, given: readonly TemplateValue[]): string {
  const values = given.length === 1 && Array.isArray(given[0]) ? given[0] : given
  const named = values.find(value => value instanceof Map)
  let next = 0
  return text.replace(
    /%(?:\((?<name>[^)]*)\))?(?<flags>[-+ 0#]*)(?<width>\d*)(?:\.(?<precision>\d+))?(?<kind>[a-zA-Z%])/g,
    (...match) => {
      const { name, flags, width, precision, kind } = match.at(-1) as Record<string, string | undefined>
      if (kind === '%') return '%'
      if (name === undefined && next >= values.length)
        throw new Error(`format needs more values than the ${values.length} given`)
      const value = name === undefined ? values[next++] : named instanceof Map ? named.get(name) : undefined
      return padded(formatted(value, kind ?? '', precision), flags ?? '', Number(width || 0), typeof value !== 'string')
    },
  )
}

function formatted(value: TemplateValue, kind: string, precision: string | undefined): string {
  const digits = precision === undefined ? undefined : Number(precision)
  const number = () => {
    const found = Number(value)
    if (value === null || value === undefined || value === '' || Number.isNaN(found))
      throw new Error(`format: %${kind} needs a number, not ${pythonRepr(value)}`)
    return found
  }
  switch (kind) {
    case 's':
      return pythonText(value).slice(0, digits)
    case 'r':
      return pythonRepr(value)
    case 'd':
    case 'i':
      return String(Math.trunc(number())).padStart(digits ?? 0, '0')
    case 'f':
    case 'F':
      return number().toFixed(digits ?? 6)
    case 'e':
      return number().toExponential(digits ?? 6)
    case 'g':
      return String(Number(number().toPrecision(digits || 6)))
    case 'x':
      return Math.trunc(number()).toString(16)
    case 'X':
      return Math.trunc(number()).toString(16).toUpperCase()
    case 'o':
      return Math.trunc(number()).toString(8)
    default:
      throw new Error(`format does not know %${kind}`)
  }
}

function padded(text: string, flags: string, width: number, isNumber: boolean): string {
  if (width > longestText) throw new Error(`a width of ${width} is too large`)
  const signed = isNumber && flags.includes('+') && !text.startsWith('-') ? `+${text}` : text
  if (flags.includes('-')) return signed.padEnd(width)
  if (!isNumber || !flags.includes('0')) return signed.padStart(width)
  const sign = /^[+-]/.exec(signed)?.[0] ?? ''
  return sign + signed.slice(sign.length).padStart(width - sign.length, '0')
}

/** Of a text: quoted but for `/`; of a map or a list of pairs: a query. */
function urlencode(value: TemplateValue): string {
  const quote = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  const pair = (key: TemplateValue, item: TemplateValue) => `${quote(pythonText(key))}=${quote(pythonText(item))}`
  if (value instanceof Map) return [...value].map(([key, item]) => pair(key, item)).join('&')
  if (Array.isArray(value))
    return value.map(item => (Array.isArray(item) ? pair(item[0], item[1]) : pair(item, ''))).join('&')
  return quote(pythonText(value)).replaceAll('%2F', '/')
}

function truncate(text: string, given: Record<string, TemplateValue>): string {
  const { length = 255, killwords = false, end = '...', leeway = 5 } = given
  const limit = Number(length)
  const ending = pythonText(end)
  if (text.length <= limit + Number(leeway)) return text
  const cut = text.slice(0, Math.max(limit - ending.length, 0))
  if (killwords === true) return cut + ending
  const space = cut.lastIndexOf(' ')
  return (space < 0 ? cut : cut.slice(0, space)) + ending
}

function center(text: string, width: number): string {
  const room = Math.max(width - text.length, 0)
  if (room > longestText) throw new Error(`a width of ${width} is too large`)
  // As Python's str.center: of an odd rest, the left gets more when the width is odd.
  const left = Math.floor(room / 2) + (room & width & 1)
  return ' '.repeat(left) + text + ' '.repeat(room - left)
}

function wordwrap(text: string, given: Record<string, TemplateValue>): string {
  const { width = 79, break_long_words: breaks = true, wrapstring = '\n' } = given
  const limit = Math.max(Number(width), 1)
  const joint = pythonText(wrapstring)
  return text
    .split('\n')
    .map(line => wrapLine(line, limit, breaks === true).join(joint))
    .join(joint)
}

function wrapLine(line: string, limit: number, breaks: boolean): string[] {
  const lines: string[] = []
  let current = ''
  for (const word of line.split(' ')) {
    let rest = word
    if (current && current.length + 1 + rest.length > limit) {
      lines.push(current)
      current = ''
    }
    while (breaks && rest.length > limit) {
      lines.push(rest.slice(0, limit))
      rest = rest.slice(limit)
    }
    current = current ? `${current} ${rest}` : rest
  }
  return [...lines, current]
}

/** Safe within HTML as well, as Jinja2 does it. */
function escapeJson(text: string): string {
  return text.replace(/[<>&']/g, character => `\\u00${character.charCodeAt(0).toString(16)}`)
}

function xmlattr(value: TemplateValue): string {
  if (!(value instanceof Map)) throw new Error('xmlattr needs a map')
  const present = [...value].filter(([, item]) => item !== null && item !== undefined)
  return present.map(([key, item]) => ` ${escapeHtml(key)}="${escapeHtml(pythonText(item))}"`).join('')
}

function escapeHtml(text: string): string {
  const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, character => escapes[character] ?? character)
}
