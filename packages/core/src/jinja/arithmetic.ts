import { isNumber, numberOf } from './compare.ts'
import { fail } from './failure.ts'
import { escapeHtml } from './html.ts'
import type { Limits } from './limits.ts'
import { formatPercent } from './percent-format.ts'
import { str } from './print.ts'
import { refuseSecret } from './secrets.ts'
import { isText, List, Markup, refuseUndefined, Tuple, textOf, typeOf, Undefined, type Value } from './values.ts'

export type Arithmetic = '+' | '-' | '*' | '/' | '//' | '%' | '**'

export function calculate(limits: Limits, operator: Arithmetic, left: Value, right: Value): Value {
  if (operator === '%' && isText(left)) return formatPercent(limits, left, right)
  for (const side of [left, right]) if (side instanceof Undefined) refuseUndefined(side)
  if (isNumber(left) && isNumber(right)) {
    const [a, b] = [numberOf(left), numberOf(right)]
    return typeof a === 'bigint' && typeof b === 'bigint'
      ? withIntegers(limits, operator, a, b)
      : withFloats(operator, Number(a), Number(b))
  }
  const made = withSequences(limits, operator, left, right)
  if (made !== undefined) return made
  return fail(`unsupported operand type(s) for ${operator}: '${typeOf(left)}' and '${typeOf(right)}'`)
}

const bitsOf = (value: bigint) => value.toString(16).length * 4
const noZero = <T extends bigint | number>(value: T): T => (value ? value : fail('division by zero'))

function withIntegers(limits: Limits, operator: Arithmetic, a: bigint, b: bigint): Value {
  switch (operator) {
    case '+':
      limits.integer(Math.max(bitsOf(a), bitsOf(b)))
      return a + b
    case '-':
      limits.integer(Math.max(bitsOf(a), bitsOf(b)))
      return a - b
    case '*':
      limits.integer(bitsOf(a) + bitsOf(b) - 8)
      return a * b
    case '/':
      return finite(Number(a) / Number(noZero(b)))
    case '//':
      return floorDivide(a, noZero(b))
    case '%':
      return a - floorDivide(a, noZero(b)) * b
    case '**':
      if (b < 0n) return finite(Number(noZero(a)) ** Number(b))
      // The least that it can have: a power of two of `a`'s length.
      if (a > 1n || a < -1n) limits.integer(((a < 0n ? -a : a).toString(2).length - 1) * Number(b))
      return a === 1n || a === 0n ? (b ? a : 1n) : a === -1n ? (b % 2n ? -1n : 1n) : a ** b
  }
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
}

function withFloats(operator: Arithmetic, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / noZero(b)
    case '//':
      return Math.floor((a - floatModulo(a, noZero(b))) / b + 0.5)
    case '%':
      return floatModulo(a, noZero(b))
    case '**':
      if (a === 0 && b < 0) return fail('0.0 cannot be raised to a negative power')
      if (a < 0 && !Number.isInteger(b)) return fail('a negative number has no such power here')
      return finite(a ** b)
  }
}

/** Of the divisor's sign. */
function floatModulo(a: number, b: number): number {
  const rest = a % b
  return rest && rest < 0 !== b < 0 ? rest + b : rest
}

const finite = (value: number) => (Number.isFinite(value) ? value : fail('a number is too large'))

function withSequences(limits: Limits, operator: Arithmetic, left: Value, right: Value): Value | undefined {
  if (operator === '*') {
    if (typeof right === 'bigint' || typeof right === 'boolean') return repeat(limits, left, Number(right))
    return typeof left === 'bigint' || typeof left === 'boolean' ? repeat(limits, right, Number(left)) : undefined
  }
  if (operator !== '+') return undefined
  if (isText(left) && isText(right)) return joinTexts(limits, left, right)
  const isBoth = (left instanceof List && right instanceof List) || (left instanceof Tuple && right instanceof Tuple)
  if (!isBoth) return undefined
  limits.items(left.items.length + right.items.length)
  const items = [...left.items, ...right.items]
  return left instanceof List ? new List(items) : new Tuple(items)
}

/** A text that is joined with Markup is escaped, unless it is Markup, too. */
function joinTexts(limits: Limits, left: string | Markup, right: string | Markup): Value {
  const isMarkup = left instanceof Markup || right instanceof Markup
  const [a, b] = isMarkup ? [escapeHtml(limits, left), escapeHtml(limits, right)] : [textOf(left), textOf(right)]
  limits.text(a.length + b.length)
  return isMarkup ? new Markup(a + b) : a + b
}

function repeat(limits: Limits, value: Value, count: number): Value | undefined {
  const times = Math.max(count, 0)
  if (isText(value)) {
    refuseSecret(value, 'a repetition')
    const text = textOf(value)
    limits.text(text.length * times, `a text repeated ${times} times`)
    return value instanceof Markup ? new Markup(text.repeat(times)) : text.repeat(times)
  }
  if (!(value instanceof List || value instanceof Tuple)) return undefined
  limits.items(value.items.length * times)
  const items = value.items.length ? Array.from({ length: times }, () => value.items).flat() : []
  return value instanceof List ? new List(items) : new Tuple(items)
}

export function signed(operator: '-' | '+', value: Value): Value {
  if (value instanceof Undefined) refuseUndefined(value)
  if (!isNumber(value)) return fail(`bad operand type for unary ${operator}: '${typeOf(value)}'`)
  const number = numberOf(value)
  return operator === '-' ? -number : number
}

/** `~`, and what the output does: texts as they are, everything else as Python prints it. */
export function concatenate(limits: Limits, values: readonly Value[]): string {
  let text = ''
  for (const value of values) {
    text += str(limits, value)
    limits.text(text.length)
  }
  return text
}
