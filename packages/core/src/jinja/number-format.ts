import { fail } from './failure.ts'
import { exponentText, floatText } from './print.ts'

/** Digits of floats as Python writes them, of their magnitude: ties go to the even digit, from the exact value. */

const mostDigits = 500

export function checkDigits(digits: number): number {
  return digits > mostDigits ? fail(`a precision of ${digits} is too large`) : digits
}

/** `%f` */
export function fixedDigits(value: number, digits: number): string {
  if (!Number.isFinite(value)) return floatText(value)
  checkDigits(digits)
  let whole = value
  let bits = 0n
  while (!Number.isInteger(whole)) {
    whole *= 2
    bits++
  }
  const divisor = 1n << bits
  const scaled = BigInt(whole) * 10n ** BigInt(digits)
  let quotient = scaled / divisor
  const rest = (scaled % divisor) * 2n
  if (rest > divisor || (rest === divisor && quotient % 2n)) quotient++
  const text = quotient.toString().padStart(digits + 1, '0')
  return digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text
}

/** `%e` */
export function exponentDigits(value: number, digits: number): string {
  if (!Number.isFinite(value)) return floatText(value)
  const most = Math.min(checkDigits(digits), 100)
  const [mantissa = '', power] = value.toExponential(most).split('e')
  const filled = digits > most ? mantissa + '0'.repeat(digits - most) : mantissa
  return `${filled}e${exponentText(Number(power))}`
}

/** `%g`, with all its digits where `isFull`; some are written without an exponent only with `spare` digits to spare. */
export function generalDigits(value: number, precision: number, isFull: boolean, spare = 0): string {
  if (!Number.isFinite(value)) return floatText(value)
  const digits = Math.max(checkDigits(precision), 1)
  const [, power] = value.toExponential(Math.min(digits - 1, 100)).split('e')
  const exponent = Number(power)
  const isFixed = exponent >= -4 && exponent < digits - spare
  const text = isFixed ? fixedDigits(value, digits - 1 - exponent) : exponentDigits(value, digits - 1)
  if (isFull) return text
  const [mantissa = '', tail] = text.split('e')
  const short = mantissa.includes('.') ? mantissa.replace(/0{1,500}$/, '').replace(/\.$/, '') : mantissa
  return tail === undefined ? short : `${short}e${tail}`
}

/** `int()` of a float. */
export function truncated(value: number): bigint {
  return Number.isFinite(value)
    ? BigInt(Math.trunc(value))
    : fail(`cannot convert float ${floatText(value)} to integer`)
}
