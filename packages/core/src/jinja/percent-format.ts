import { hash, isNumber, numberOf } from './compare.ts'
import { fail } from './failure.ts'
import { escapeHtml } from './html.ts'
import type { Limits } from './limits.ts'
import { exponentDigits, fixedDigits, generalDigits, truncated } from './number-format.ts'
import { codeEscape, repr, str } from './print.ts'
import { isSecret, refuseSecret } from './secrets.ts'
import { cut, Dict, isText, List, Markup, pointCount, Tuple, textOf, typeOf, type Value } from './values.ts'

const directive =
  /%(?:\((?<name>[^)]*)\))?(?<flags>[-+ 0#]*)(?<width>\*|\d*)(?:\.(?<precision>\*|\d*))?[hlL]?(?<kind>[a-zA-Z%])/y

/** Python's `text % value`. */
export function formatPercent(limits: Limits, format: string | Markup, given: Value): Value {
  refuseSecret(format, '%')
  const text = textOf(format)
  const values = given instanceof Tuple ? given.items : [given]
  const isMapping = given instanceof Dict || given instanceof List
  let next = 0
  const take = (): Value => {
    if (next >= values.length) fail('not enough arguments for format string')
    return values[next++] as Value
  }
  let made = ''
  for (let at = 0; at < text.length; ) {
    const found = text.indexOf('%', at)
    made += text.slice(at, found < 0 ? undefined : found)
    if (found < 0) break
    limits.step()
    directive.lastIndex = found
    const groups = directive.exec(text)?.groups ?? fail('incomplete or unsupported format')
    at = directive.lastIndex
    const { name, flags = '', kind = '' } = groups as Record<string, string | undefined>
    if (kind === '%') {
      made += '%'
      continue
    }
    const named = name === undefined ? undefined : valueNamed(limits, given, name)
    const size = (written: string | undefined) => (written === '*' ? Number(take()) : Number(written || 0))
    const width = size(groups.width)
    const precision = groups.precision === undefined ? undefined : size(groups.precision)
    const value = named ?? take()
    limits.text(made.length + Math.abs(width))
    made += formatOne(limits, format instanceof Markup, value, { flags, width, precision, kind })
    limits.text(made.length)
  }
  const isNamed = isMapping || next >= values.length
  if (!isNamed) fail('not all arguments converted during string formatting')
  return format instanceof Markup ? new Markup(made) : made
}

function valueNamed(limits: Limits, given: Value, name: string): Value {
  if (!(given instanceof Dict)) return fail('format requires a mapping')
  return (given.entries.get(hash(limits, name)) ?? fail(`the map has no '${name}'`))[1]
}

interface Directive {
  flags: string
  width: number
  precision: number | undefined
  kind: string
}

function formatOne(
  limits: Limits,
  isMarkup: boolean,
  value: Value,
  { flags, width, precision, kind }: Directive,
): string {
  if ('sra'.includes(kind)) {
    const text = kind === 's' ? (isMarkup ? escapeHtml(limits, value) : str(limits, value)) : repr(limits, value)
    if (!width && precision === undefined && kind === 's') return text
    if (isSecret(text)) refuseSecret(text, `%${kind} with a width or a precision`)
    const escaped = kind === 'a' ? text.replace(/\P{ASCII}/gu, codeEscape) : text
    return pad(cut(escaped, 0, precision), flags.replaceAll('0', ''), width)
  }
  if (kind === 'c') return pad(character(value), flags.replaceAll('0', ''), width)
  if (!isNumber(value)) {
    refuseSecret(value, `%${kind}`)
    return fail(`format: %${kind} needs a number, not ${typeOf(value)}`)
  }
  const number = numberOf(value)
  const [isNegative, digits] = 'diuoxX'.includes(kind)
    ? wholeNumber(limits, number, kind, precision ?? 0, flags.includes('#'))
    : floatNumber(Number(number), kind, precision ?? 6, flags.includes('#'))
  const sign = isNegative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  return pad(digits, flags, width, sign)
}

function character(value: Value): string {
  if (isText(value)) {
    refuseSecret(value, '%c')
    return pointCount(textOf(value)) === 1 ? textOf(value) : fail('%c requires int or char')
  }
  if (typeof value !== 'bigint' || value < 0n || value > 0x10ffffn) return fail('%c requires int or char')
  return String.fromCodePoint(Number(value))
}

function wholeNumber(
  limits: Limits,
  number: bigint | number,
  kind: string,
  precision: number,
  isMarked: boolean,
): [boolean, string] {
  if (typeof number === 'number' && !'diu'.includes(kind)) fail(`%${kind} format: an integer is required, not float`)
  const whole = typeof number === 'bigint' ? number : truncated(number)
  const radix = kind === 'o' ? 8 : kind === 'x' || kind === 'X' ? 16 : 10
  limits.text(precision)
  const digits = (whole < 0n ? -whole : whole).toString(radix).padStart(precision, '0')
  const written = (isMarked ? { 8: '0o', 16: '0x', 10: '' }[radix] : '') + digits
  return [whole < 0n, kind === 'X' ? written.toUpperCase() : written]
}

function floatNumber(number: number, kind: string, precision: number, isFull: boolean): [boolean, string] {
  const isNegative = number < 0 || Object.is(number, -0)
  const magnitude = Math.abs(number)
  const lower = kind.toLowerCase()
  const digits =
    lower === 'f'
      ? fixedDigits(magnitude, precision)
      : lower === 'e'
        ? exponentDigits(magnitude, precision)
        : lower === 'g'
          ? generalDigits(magnitude, precision, isFull)
          : fail(`format does not know %${kind}`)
  return [isNegative, kind === lower ? digits : digits.toUpperCase()]
}

/** Zeros stand between the sign, with the prefix of the radix, and the digits. */
function pad(text: string, flags: string, width: number, sign = ''): string {
  const room = Math.abs(width) - pointCount(text) - sign.length
  if (room <= 0) return sign + text
  if (flags.includes('-') || width < 0) return sign + text + ' '.repeat(room)
  if (!flags.includes('0')) return ' '.repeat(room) + sign + text
  const prefix = /^0[xXo]/.exec(text)?.[0] ?? ''
  return sign + prefix + '0'.repeat(room) + text.slice(prefix.length)
}
