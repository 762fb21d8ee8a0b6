import { fail } from './failure.ts'
import { type Limits, stepsOfCollection } from './limits.ts'
import { refuseSecret } from './secrets.ts'
import {
  Dict,
  iterate,
  Markup,
  Native,
  Range,
  refuseUndefined,
  Stream,
  type Thing,
  Tuple,
  Undefined,
  type Value,
  View,
} from './values.ts'

/** `str()` of a value. A text is carried along as it is. */
export function str(limits: Limits, value: Value): string {
  if (typeof value === 'string') return value
  if (value instanceof Markup) return value.text
  if (value instanceof Undefined) return value.isStrict ? refuseUndefined(value, 'printed') : ''
  const text = repr(limits, value)
  limits.text(text.length)
  return text
}

/** `repr()` of a value. */
export function repr(limits: Limits, value: Value, within: readonly Thing[] = []): string {
  limits.step()
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return floatText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string') return quote(limits, value)
  if (value instanceof Markup) return `Markup(${quote(limits, value.text)})`
  if (value instanceof Undefined) return value.isStrict ? refuseUndefined(value, 'printed') : 'Undefined'
  if (value instanceof Range)
    return `range(${value.start}, ${value.stop}${value.stride === 1n ? '' : `, ${value.stride}`})`
  if (value instanceof Native) return value.shown() ?? fail(`a ${value.type} would be printed: call it`)
  if (value instanceof Stream) return fail('what a filter gives one by one would be printed: add |list')
  return reprOfMany(limits, value, within)
}

function reprOfMany(limits: Limits, value: Thing, within: readonly Thing[]): string {
  const isDict = value instanceof Dict
  if (within.includes(value)) return isDict ? '{...}' : '[...]'
  if (within.length > 100) fail('a value is nested more than 100 levels deep')
  limits.step(stepsOfCollection)
  const inside = [...within, value]
  const parts: string[] = []
  let length = 0
  const add = (part: string) => {
    length += part.length + 2
    limits.text(length)
    parts.push(part)
  }
  if (isDict)
    for (const [key, item] of value.entries.values()) add(`${repr(limits, key, inside)}: ${repr(limits, item, inside)}`)
  else for (const item of iterate(limits, value)) add(repr(limits, item, inside))
  const joined = parts.join(', ')
  if (isDict) return `{${joined}}`
  if (value instanceof Tuple) return parts.length === 1 ? `(${joined},)` : `(${joined})`
  return value instanceof View ? `${value.type}([${joined}])` : `[${joined}]`
}

const unprintable = /[\\\p{C}\p{Zl}\p{Zp}\p{Zs}]/gu
const named: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', ' ': ' ' }

/** Python prefers single quotes unless the text has them and no double ones. */
function quote(limits: Limits, text: string): string {
  refuseSecret(text, 'a printed list or map')
  limits.text(text.length)
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(unprintable, character => named[character] ?? codeEscape(character))
  return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark
}

/** `\xNN`, `\uNNNN` or `\UNNNNNNNN`. */
export function codeEscape(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const [letter, digits] = code < 0x100 ? ['x', 2] : code < 0x10000 ? ['u', 4] : ['U', 8]
  return `\\${letter}${code.toString(16).padStart(digits, '0')}`
}

export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0.0'
  const [digits, power] = value.toExponential().split('e') as [string, string]
  const exponent = Number(power)
  if (value !== 0 && (exponent < -4 || exponent >= 16)) return `${digits}e${exponentText(exponent)}`
  return Number.isInteger(value) ? `${value}.0` : String(value)
}

/** With a sign and two digits at least. */
export const exponentText = (exponent: number) =>
  `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
