import { fail } from './failure.ts'
import { type Given, isText, refuseUndefined, textOf, typeOf, Undefined, type Value } from './values.ts'

/** Arguments in the order of the parameters; undefined for one that was not given. */
export function bind(what: string, parameters: readonly string[], given: Given): (Value | undefined)[] {
  if (given.positional.length > parameters.length)
    fail(`${what} takes at most ${parameters.length} arguments, and ${given.positional.length} were given`)
  const bound: (Value | undefined)[] = [...given.positional]
  for (const [name, value] of given.named) {
    const place = parameters.indexOf(name)
    if (place < 0) fail(`${what} got an unexpected keyword argument '${name}'`)
    if (bound[place] !== undefined) fail(`${what} got multiple values for argument '${name}'`)
    bound[place] = value
  }
  return bound
}

export function asNumber(what: string, value: Value | undefined, otherwise?: number): number {
  if (value === undefined && otherwise !== undefined) return otherwise
  if (value instanceof Undefined) return refuseUndefined(value)
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value)
  return value === undefined
    ? fail(`${what} needs an argument`)
    : fail(`${what} needs an integer, not ${typeOf(value)}`)
}

export function asText(what: string, value: Value | undefined, otherwise?: string): string {
  if (value === undefined && otherwise !== undefined) return otherwise
  if (value instanceof Undefined) return refuseUndefined(value)
  if (value !== undefined && isText(value)) return textOf(value)
  return value === undefined ? fail(`${what} needs an argument`) : fail(`${what} needs a text, not ${typeOf(value)}`)
}
