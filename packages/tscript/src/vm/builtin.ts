import type { Json } from '../json.ts'
import type { BuiltinName } from '../language/builtins.ts'
import { checkIndex } from '../value/container.ts'
import { areEqual } from '../value/equality.ts'
import { Fault } from '../value/fault.ts'
import { describeKind, kindOf } from '../value/kinds.ts'
import { ELEMENT, keysCost } from '../value/meter.ts'
import type { Scratch } from '../value/scratch.ts'
import { toDisplay } from '../value/text.ts'
import { type Machine, stopWith, wait } from './machine.ts'

/** Runs a built-in function with its arguments in the order of its parameters. It may set a stop; its value counts all the same. */
export function runBuiltin(
  machine: Machine,
  name: BuiltinName,
  [one = null, two = null, three = null]: readonly Json[],
): Json {
  switch (name) {
    case 'len':
      return lengthOf(one, machine)
    case 'slice':
      return slice(one, two, three, machine)
    case 'index':
      return indexOf(one, two, machine)
    case 'pause':
      stopWith(machine, 'paused', one)
      return null
    case 'error':
      stopWith(machine, 'error', one)
      return null
    case 'fatal_error':
      stopWith(machine, 'aborted', one)
      return null
    case 'message':
      wait(machine, machine.host.now(), toDisplay(one, machine))
      return null
    case 'delay':
      startDelay(machine, one, two, three)
      return null
    default:
      throw new Fault(`There is no function \`${name}\``)
  }
}

export function lengthOf(value: Json, scratch: Scratch): number {
  if (Array.isArray(value)) return value.length
  if (typeof value === 'string') return scratch.places.count(value, scratch)
  if (kindOf(value) === 'map') {
    const { length } = Object.keys(value as object)
    scratch.touched += keysCost(length)
    return length
  }
  throw new Fault(`\`len\` counts the elements of an array, a text or a map, not of ${describeKind(value)}`)
}

function slice(array: Json, start: Json, end: Json, scratch: Scratch): Json {
  if (!Array.isArray(array) && typeof array !== 'string')
    throw new Fault(`\`slice\` takes a part of an array or a text, not of ${describeKind(array)}`)
  const length = lengthOf(array, scratch)
  const from = bound(start, length, 0, 'start')
  const to = Math.max(from, bound(end, length, length, 'end'))
  if (typeof array === 'string') return scratch.places.slice(array, from, to, scratch)
  scratch.touched += (to - from) * ELEMENT
  return array.slice(from, to)
}

/** A bound of `slice`: from the end if negative, moved inside if outside, None for open. */
function bound(value: Json, length: number, open: number, name: string): number {
  if (value === null) return open
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw new Fault(
      `The \`${name}\` of \`slice\` is an integer, not ${typeof value === 'number' ? value : describeKind(value)}`,
    )
  return Math.min(length, Math.max(0, value < 0 ? value + length : value))
}

function indexOf(array: Json, value: Json, scratch: Scratch): number {
  if (!Array.isArray(array)) throw new Fault(`\`index\` looks into an array, not into ${describeKind(array)}`)
  const counts = new Map<object, number>()
  let at = 0
  while (at < array.length && !areEqual(array[at] as Json, value, scratch, counts)) at++
  scratch.touched += at * ELEMENT
  if (at === array.length) throw new Fault('`index` did not find the value in the array')
  return at
}

export function append(array: Json, value: Json): Json[] {
  checkAppendable(array)
  array.push(value)
  return array
}

export function checkAppendable(array: Json): asserts array is Json[] {
  if (!Array.isArray(array)) throw new Fault(`\`append\` adds to an array, not to ${describeKind(array)}`)
}

/** The place of the element that `pop` takes. */
export function popPlace(array: Json, index: Json): number {
  if (!Array.isArray(array)) throw new Fault(`\`pop\` takes from an array, not from ${describeKind(array)}`)
  if (array.length === 0) throw new Fault('`pop` takes from an array that is empty')
  return checkIndex(index, array.length, 'array')
}

const UNITS = ['seconds', 'minutes', 'hours'] as const
/** What waits for longer is a mistake, and beyond the year 275760 no timestamp can say until when. */
const MAX_DELAY_YEARS = 100
const YEAR_SECONDS = 365.25 * 86_400

function startDelay(machine: Machine, ...parts: [Json, Json, Json]): void {
  parts.forEach((part, at) => {
    if (typeof part !== 'number')
      throw new Fault(`The \`${UNITS[at]}\` of \`delay\` are a number, not ${describeKind(part)}`)
    if (Number.isNaN(part)) throw new Fault(`The \`${UNITS[at]}\` of \`delay\` are not a number`)
    if (part < 0) throw new Fault(`The \`${UNITS[at]}\` of \`delay\` cannot be negative`)
  })
  const [seconds, minutes, hours] = parts as [number, number, number]
  const total = seconds + minutes * 60 + hours * 3600
  if (total === 0) throw new Fault('`delay` needs `seconds`, `minutes` or `hours`, and not all of them zero')
  // Also where the sum is no finite number.
  if (!(total <= MAX_DELAY_YEARS * YEAR_SECONDS))
    throw new Fault(`\`delay\` waits ${MAX_DELAY_YEARS} years at the most`)
  machine.delayedUntil = machine.host.now() + total
  wait(machine, machine.delayedUntil)
}
