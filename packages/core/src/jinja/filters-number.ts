import { asNumber, asText, bind } from './arguments.ts'
import { signed } from './arithmetic.ts'
import { isNumber, numberOf } from './compare.ts'
import { fail } from './failure.ts'
import type { Filter } from './filter.ts'
import { fixedDigits, truncated } from './number-format.ts'
import { strip } from './text.ts'
import { isText, isTrue, refuseUndefined, textOf, typeOf, Undefined, type Value } from './values.ts'

export const numberFilters: Readonly<Record<string, Filter>> = {
  abs: {
    apply(_, value, given) {
      bind('abs', [], given)
      if (!isNumber(value)) return fail(`bad operand type for abs(): '${typeOf(value)}'`)
      const number = numberOf(value)
      return number < 0 ? signed('-', number) : typeof number === 'number' ? Math.abs(number) : number
    },
  },
  int: {
    apply({ limits }, value, given) {
      const [otherwise = 0n, base] = bind('int', ['default', 'base'], given)
      limits.read(isText(value) ? textOf(value).length : 1)
      const whole = isText(value) ? readInteger(textOf(value), asNumber('int', base, 10)) : wholeOf(value)
      if (whole !== undefined) return whole
      const number = toFloat(value)
      return number !== undefined && Number.isFinite(number) ? truncated(number) : otherwise
    },
  },
  float: {
    apply({ limits }, value, given) {
      const [otherwise = 0] = bind('float', ['default'], given)
      limits.read(isText(value) ? textOf(value).length : 1)
      return toFloat(value) ?? otherwise
    },
  },
  round: {
    apply(_, value, given) {
      const [digits, how] = bind('round', ['precision', 'method'], given)
      const method = asText('round', how, 'common')
      const precision = asNumber('round', digits, 0)
      if (!['common', 'ceil', 'floor'].includes(method)) fail('method must be common, ceil or floor')
      if (value instanceof Undefined) refuseUndefined(value)
      if (!isNumber(value)) return fail(`round needs a number, not ${typeOf(value)}`)
      if (Math.abs(precision) > 300) fail(`a precision of ${precision} is too large`)
      const number = numberOf(value)
      if (method === 'common')
        return typeof number === 'bigint' ? roundWhole(number, precision) : roundFloat(number, precision)
      const scaled = Number(number) * 10 ** precision
      if (!Number.isFinite(scaled)) return fail('a number is too large')
      return (method === 'ceil' ? Math.ceil(scaled) : Math.floor(scaled)) / 10 ** precision
    },
  },
  filesizeformat: {
    apply(_, value, given) {
      const [binary = false] = bind('filesizeformat', ['binary'], given)
      return fileSize(toFloat(value) ?? fail('filesizeformat needs a number'), isTrue(binary))
    },
  },
}

function wholeOf(value: Value): bigint | undefined {
  if (value instanceof Undefined) refuseUndefined(value)
  if (typeof value === 'number') return Number.isFinite(value) ? truncated(value) : undefined
  return isNumber(value) ? (numberOf(value) as bigint) : undefined
}

/** Of a text that may be a number. */
const longest = 10_000

const radixes: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16 }

/** Python's `int( text, base )`; undefined where that is none. */
function readInteger(text: string, base: number): bigint | undefined {
  if (text.length > longest) return undefined
  const [, sign = '', prefix = '', digits = ''] =
    /^([+-]?)(0[bBoOxX]_?)?([0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)$/.exec(strip(text)) ?? []
  if (base !== 0 && (base < 2 || base > 36)) return undefined
  const marked = prefix ? radixes[(prefix[1] as string).toLowerCase()] : undefined
  const isMarked = marked !== undefined && (base === 0 || base === marked)
  const radix = base === 0 ? (marked ?? 10) : base
  const written = ((isMarked ? '' : prefix) + digits).replaceAll('_', '').toLowerCase()
  if (base === 0 && !isMarked && /^0+[1-9]/.test(written)) return undefined
  if (!written || written.length > 4300) return undefined
  const decimal = [...written].map(digit => Number.parseInt(digit, 36))
  if (decimal.some(digit => digit >= radix)) return undefined
  const whole =
    radix === 10 ? BigInt(written) : decimal.reduce((made, digit) => made * BigInt(radix) + BigInt(digit), 0n)
  return sign === '-' ? -whole : whole
}

const decimal = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/

function toFloat(value: Value): number | undefined {
  if (value instanceof Undefined) refuseUndefined(value)
  if (isNumber(value)) return Number(value)
  if (!isText(value)) return undefined
  if (textOf(value).length > longest) return undefined
  const text = strip(textOf(value))
  if (decimal.test(text)) return Number(text.replaceAll('_', ''))
  const [, sign, word = ''] = /^([+-]?)(inf|infinity|nan)$/i.exec(text) ?? []
  if (!word) return undefined
  return word.toLowerCase() === 'nan' ? Number.NaN : sign === '-' ? -Infinity : Infinity
}

/** Ties go to the even digit. */
function roundWhole(value: bigint, digits: number): bigint {
  if (digits >= 0) return value
  const unit = 10n ** BigInt(-digits)
  const rest = ((value % unit) + unit) % unit
  const low = value - rest
  return rest * 2n > unit || (rest * 2n === unit && (low / unit) % 2n) ? low + unit : low
}

function roundFloat(value: number, digits: number): number {
  if (!Number.isFinite(value)) return value
  const magnitude = Math.abs(value)
  const rounded =
    digits >= 0
      ? Number(fixedDigits(magnitude, digits))
      : Number(fixedDigits(magnitude / 10 ** -digits, 0)) * 10 ** -digits
  return value < 0 || Object.is(value, -0) ? -rounded : rounded
}

function fileSize(bytes: number, isBinary: boolean): string {
  const base = isBinary ? 1024 : 1000
  if (bytes === 1) return '1 Byte'
  if (bytes < base) return `${Number.isFinite(bytes) ? truncated(bytes) : fail('no such size')} Bytes`
  const letters = isBinary ? 'KMGTPEZY' : 'kMGTPEZY'
  let unit = base
  for (const [at, letter] of [...letters].entries()) {
    unit = base ** (at + 2)
    if (bytes < unit || at === letters.length - 1)
      return `${fixedDigits((base * bytes) / unit, 1)} ${letter}${isBinary ? 'iB' : 'B'}`
  }
  return fail('no such size')
}
