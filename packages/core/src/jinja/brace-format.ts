import { itemOf, nativeAttribute } from './access.ts'
import { isNumber, numberOf } from './compare.ts'
import { fail } from './failure.ts'
import type { Limits } from './limits.ts'
import { exponentDigits, fixedDigits, generalDigits } from './number-format.ts'
import { codeEscape, floatText, repr, str } from './print.ts'
import { refuseSecret } from './secrets.ts'
import {
  cut,
  type Given,
  isText,
  pointCount,
  refuseUndefined,
  textOf,
  typeOf,
  Undefined,
  type Value,
} from './values.ts'

/** Python's `text.format( … )`. */
export function formatBraces(limits: Limits, text: string, given: Given): string {
  refuseSecret(text, '.format()')
  const state = { next: 0 }
  return expand(limits, text, given, state, 2)
}

function expand(limits: Limits, text: string, given: Given, state: { next: number }, depth: number): string {
  if (depth < 0) fail('Max string recursion exceeded')
  let made = ''
  for (let at = 0; at < text.length; ) {
    limits.step()
    const character = text[at] as string
    if (character !== '{' && character !== '}') {
      const next = text.slice(at).search(/[{}]/)
      made += text.slice(at, next < 0 ? undefined : at + next)
      limits.read(text.length)
      at = next < 0 ? text.length : at + next
    } else if (text[at + 1] === character) {
      made += character
      at += 2
    } else {
      if (character === '}') fail("Single '}' encountered in format string")
      const end = closingBrace(text, at)
      made += formatField(limits, text.slice(at + 1, end), given, state, depth)
      at = end + 1
    }
    limits.text(made.length)
  }
  return made
}

function closingBrace(text: string, open: number): number {
  let depth = 0
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++
    if (text[at] === '}' && --depth === 0) return at
  }
  return fail("expected '}' before end of string")
}

function formatField(limits: Limits, field: string, given: Given, state: { next: number }, depth: number): string {
  const [, name = '', conversion, spec = ''] =
    /^([^!:{}]*)(?:!([^:]*))?(?::([\s\S]*))?$/.exec(field) ?? fail('a field of .format() is malformed')
  const value = readField(limits, name, given, state)
  const written = spec.includes('{') ? expand(limits, spec, given, state, depth - 1) : spec
  if (conversion === undefined) return formatValue(limits, value, written)
  if (conversion === 's') return formatValue(limits, str(limits, value), written)
  if (conversion === 'r') return formatValue(limits, repr(limits, value), written)
  if (conversion === 'a') return formatValue(limits, repr(limits, value).replace(/\P{ASCII}/gu, codeEscape), written)
  return fail(`Unknown conversion specifier '${conversion}'`)
}

function readField(limits: Limits, name: string, given: Given, state: { next: number }): Value {
  const [first = ''] = /^[^.[]*/.exec(name) ?? []
  let value: Value | undefined
  if (first === '' || /^\d+$/.test(first)) {
    if (first === '' ? state.next < 0 : state.next > 0)
      fail('cannot switch between manual and automatic field numbering')
    if (first !== '') state.next = -1
    const place = first === '' ? state.next++ : Number(first)
    if (given.positional.length <= place) fail(`Replacement index ${place} out of range for positional args`)
    value = given.positional[place]
  } else value = given.named.get(first)
  if (value === undefined) fail(`.format() was not given '${first}'`)
  let found = value as Value
  const step = /\.([^.[]+)|\[([^\]]+)\]/y
  for (step.lastIndex = first.length; step.lastIndex < name.length; ) {
    const [, attribute, key] = step.exec(name) ?? fail('a field of .format() is malformed')
    if (attribute !== undefined)
      found = nativeAttribute(found, attribute) ?? fail(`'${typeOf(found)}' object has no attribute '${attribute}'`)
    else {
      found =
        itemOf(limits, found, /^\d+$/.test(key ?? '') ? BigInt(key ?? '') : (key ?? '')) ?? fail(`there is no '${key}'`)
    }
  }
  return found
}

const specification =
  /^(?:(?<fill>[\s\S])?(?<align>[<>=^]))?(?<sign>[-+ ])?(?<mark>#)?(?<zero>0)?(?<width>\d*)(?<group>[,_])?(?:\.(?<precision>\d+))?(?<kind>[a-zA-Z%])?$/u

function formatValue(limits: Limits, value: Value, spec: string): string {
  if (spec === '') return str(limits, value)
  refuseSecret(value, '.format() with a width or a kind')
  if (value instanceof Undefined) refuseUndefined(value, 'printed')
  const groups = specification.exec(spec)?.groups ?? fail(`Invalid format specifier '${spec}'`)
  const { fill, align, sign = '-', mark, zero, group, kind } = groups as Record<string, string | undefined>
  const width = Number(groups.width || 0)
  const precision = groups.precision === undefined ? undefined : Number(groups.precision)
  limits.text(width)
  if (isText(value)) {
    if (kind && kind !== 's') fail(`Unknown format code '${kind}' for object of type 'str'`)
    if (align === '=' || group || groups.sign) fail('such a format is not allowed for a text')
    return padTo(cut(textOf(value), 0, precision), '', width, align ?? '<', fill ?? (zero ? '0' : ' '))
  }
  if (!isNumber(value)) return fail(`unsupported format string passed to ${typeOf(value)}.__format__`)
  if (typeof value === 'boolean' && !kind)
    return padTo(str(limits, BigInt(value)), '', width, align ?? '>', fill ?? ' ')
  const number = numberOf(value)
  const isWhole = typeof number === 'bigint' && (!kind || 'bcdnoxX'.includes(kind))
  if (isWhole && precision !== undefined) fail('Precision not allowed in integer format specifier')
  const [isNegative, digits, tail] = isWhole
    ? wholeDigits(number, kind ?? 'd')
    : floatParts(Number(number), kind, precision, mark !== undefined)
  const prefix = (isNegative ? '-' : sign === '-' ? '' : sign) + (mark && isWhole ? radixPrefix(kind) : '')
  const padding = align ?? (zero ? '=' : '>')
  const filler = fill ?? (zero ? '0' : ' ')
  const room = padding === '=' && filler === '0' ? width - prefix.length - tail.length : 0
  const grouped = group ? groupDigits(digits, group, isWhole && 'boxX'.includes(kind ?? 'd') ? 4 : 3, room) : digits
  return padTo(grouped + tail, prefix, width, padding, filler)
}

const radixPrefix = (kind = 'd') => ({ b: '0b', o: '0o', x: '0x', X: '0X' })[kind] ?? ''

function wholeDigits(number: bigint, kind: string): [boolean, string, string] {
  if (kind === 'c')
    return [false, String.fromCodePoint(Number(number > 0x10ffffn ? fail('%c arg not in range') : number)), '']
  const radix = { b: 2, o: 8, x: 16, X: 16 }[kind] ?? 10
  const digits = (number < 0n ? -number : number).toString(radix)
  return [number < 0n, kind === 'X' ? digits.toUpperCase() : digits, '']
}

/** The sign, the digits before the point, and the rest. */
function floatParts(
  number: number,
  kind: string | undefined,
  precision: number | undefined,
  isFull: boolean,
): [boolean, string, string] {
  const magnitude = Math.abs(number)
  const isUpper = kind !== undefined && kind !== kind.toLowerCase()
  let text: string
  switch (kind?.toLowerCase()) {
    case 'f':
      text = fixedDigits(magnitude, precision ?? 6)
      break
    case 'e':
      text = exponentDigits(magnitude, precision ?? 6)
      break
    case 'g':
    case 'n':
      text = generalDigits(magnitude, precision ?? 6, isFull)
      break
    case '%':
      text = `${fixedDigits(magnitude * 100, precision ?? 6)}%`
      break
    case undefined: {
      if (precision === undefined) text = floatText(magnitude)
      else {
        const general = generalDigits(magnitude, precision, false, 1)
        text = /^\d+$/.test(general) ? `${general}.0` : general
      }
      break
    }
    default:
      return fail(`Unknown format code '${kind}' for object of type 'float'`)
  }
  const [whole = ''] = /^\d*/.exec(text) ?? []
  const tail = text.slice(whole.length)
  return [number < 0 || Object.is(number, -0), whole, isUpper ? tail.toUpperCase() : tail]
}

function groupDigits(digits: string, mark: string, size: number, room: number): string {
  let padded = digits
  const grouped = () =>
    padded.replace(/./g, (digit, at: number) => (at && (padded.length - at) % size === 0 ? mark + digit : digit))
  const lengthOf = (count: number) => count + Math.ceil(count / size) - 1
  if (lengthOf(padded.length) < room) {
    let count = padded.length
    while (lengthOf(count) < room) count++
    padded = padded.padStart(count, '0')
  }
  return grouped()
}

function padTo(text: string, prefix: string, width: number, align: string, fill: string): string {
  const room = width - pointCount(text) - prefix.length
  if (room <= 0) return prefix + text
  const left = align === '<' || align === '=' ? 0 : align === '>' ? room : Math.floor(room / 2)
  if (align === '=') return prefix + fill.repeat(room) + text
  return fill.repeat(left) + prefix + text + fill.repeat(room - left)
}
