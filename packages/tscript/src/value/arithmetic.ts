import type { Json } from '../json.ts'
import { Fault } from './fault.ts'
import { describeKind, isTime } from './kinds.ts'
import { BIG_NUMBER, type Meter } from './meter.ts'

/*
 * Numbers are IEEE doubles. The result of two integers is checked with big integers where a double could be wrong: what a
 * double cannot hold exactly is a fault, never a wrong number. There is no minus zero: it would not survive a saved state.
 */

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^'

const EXACT: { [operator: string]: (a: bigint, b: bigint) => bigint } = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '^': (a, b) => a ** b,
  '%': (a, b) => {
    const rest = a % b
    return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest
  },
}

export function calculate(operator: ArithmeticOperator, left: Json, right: Json, meter: Meter): Json {
  if (isTime(left) || isTime(right)) return calculateTime(operator, left, right)
  const a = numberOf(left)
  const b = numberOf(right)
  if (a === undefined || b === undefined) throw operandFault(operator, left, right)
  return calculateNumbers(operator, a, b, meter)
}

function calculateNumbers(operator: ArithmeticOperator, a: number, b: number, meter: Meter): number {
  const result = approximate(operator, a, b)
  if (Number.isSafeInteger(result) && operator !== '^') return result + 0
  if (operator !== '/' && Number.isInteger(a) && Number.isInteger(b) && !(operator === '^' && b < 0)) {
    meter.touched += BIG_NUMBER
    return exactly(operator, a, b, result)
  }
  if (Number.isNaN(result)) throw new Fault('A negative number has no such power')
  if (!Number.isFinite(result)) throw tooLarge()
  return result + 0
}

function approximate(operator: ArithmeticOperator, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      if (b === 0) throw new Fault('Division by zero')
      return a / b
    case '%': {
      if (b === 0) throw new Fault('Division by zero')
      const rest = a % b
      return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest
    }
    default:
      if (a === 0 && b < 0) throw new Fault('Division by zero')
      return a ** b
  }
}

function exactly(operator: ArithmeticOperator, a: number, b: number, result: number): number {
  if (!Number.isFinite(result)) throw tooLarge()
  const exact = (EXACT[operator] as (a: bigint, b: bigint) => bigint)(BigInt(a), BigInt(b))
  return narrow(exact)
}

function narrow(exact: bigint): number {
  const value = Number(exact)
  if (Number.isFinite(value) && BigInt(value) === exact) return value
  throw tooLarge()
}

function tooLarge(): Fault {
  return new Fault('The result is too large to be held exactly')
}

/** A boolean counts as 1 or 0. */
function numberOf(value: Json): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'boolean' ? Number(value) : undefined
}

function operandFault(operator: string, left: Json, right: Json): Fault {
  const hint =
    operator === '+' && (typeof left === 'string' || typeof right === 'string') ? '; texts are joined with `.`' : ''
  return new Fault(
    `\`${operator}\` is between numbers, not between ${describeKind(left)} and ${describeKind(right)}${hint}`,
  )
}

function calculateTime(operator: ArithmeticOperator, left: Json, right: Json): Json {
  const seconds = timeResult(operator, left, right)
  if (seconds === undefined) {
    const rule = 'times are added and subtracted among themselves, multiplied and divided by a number'
    throw new Fault(`\`${operator}\` is not between ${describeKind(left)} and ${describeKind(right)}: ${rule}`)
  }
  if (!Number.isFinite(seconds)) throw tooLarge()
  return { $time: seconds + 0 }
}

function timeResult(operator: ArithmeticOperator, left: Json, right: Json): number | undefined {
  if (isTime(left) && isTime(right)) {
    if (operator === '+') return left.$time + right.$time
    return operator === '-' ? left.$time - right.$time : undefined
  }
  const factor = numberOf(isTime(left) ? right : left)
  if (factor === undefined) return undefined
  if (operator === '*') return (isTime(left) ? left.$time : isTime(right) ? right.$time : 0) * factor
  if (operator !== '/' || !isTime(left)) return undefined
  if (factor === 0) throw new Fault('Division by zero')
  return left.$time / factor
}

/** `&` and `|` on integers as two's complement of any width. */
export function combineBits(operator: '&' | '|', left: Json, right: Json): number {
  const a = numberOf(left)
  const b = numberOf(right)
  if (a === undefined || b === undefined)
    throw new Fault(`\`${operator}\` is between integers, not between ${describeKind(left)} and ${describeKind(right)}`)
  if (!Number.isInteger(a) || !Number.isInteger(b))
    throw new Fault(`\`${operator}\` is between integers; ${Number.isInteger(a) ? b : a} is not one`)
  if ((a | 0) === a && (b | 0) === b) return operator === '&' ? a & b : a | b
  return narrow(operator === '&' ? BigInt(a) & BigInt(b) : BigInt(a) | BigInt(b))
}
