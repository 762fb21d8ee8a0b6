import { bind } from './arguments.ts'
import { putAll, putItem } from './collection-methods.ts'
import { fail } from './failure.ts'
import type { Limits } from './limits.ts'
import { repr } from './print.ts'
import { Callable, Dict, type Given, Native, Range, refuseUndefined, typeOf, Undefined, type Value } from './values.ts'

/** The functions that every template has. A value of the context with such a name goes before. */
export const globals: Readonly<Record<string, (limits: Limits, given: Given) => Value>> = {
  range(_, given) {
    if (given.named.size) fail('range() takes no keyword arguments')
    const numbers = bind('range', ['start', 'stop', 'step'], given).map(value => {
      if (value instanceof Undefined) return refuseUndefined(value)
      if (typeof value === 'boolean') return BigInt(value)
      return typeof value === 'bigint'
        ? value
        : fail(`'${typeOf(value as Value)}' object cannot be interpreted as an integer`)
    })
    const [first = fail('range needs an argument'), second, stride = 1n] = numbers
    if (stride === 0n) fail('range() arg 3 must not be zero')
    return second === undefined ? new Range(0n, first, 1n) : new Range(first, second, stride)
  },
  dict: (limits, given) => makeDict(limits, 'dict', given),
  namespace: (limits, given) => new Namespace(limits, makeDict(limits, 'namespace', given)),
  cycler: (limits, { positional }) => new Cycler(limits, positional),
  joiner(_, given) {
    const [separator = ', '] = bind('joiner', ['sep'], given)
    let isUsed = false
    return new Callable('joiner', () => {
      const text = isUsed ? separator : ''
      isUsed = true
      return text
    })
  },
  lipsum: () => fail('lipsum() is not available here: a template gives the same for the same values'),
}

function makeDict(limits: Limits, name: string, { positional, named }: Given): Dict {
  const made = new Dict(new Map())
  const [from] = bind(name, ['mapping'], { positional, named: new Map() })
  if (from !== undefined) putAll(limits, made, from)
  for (const [key, value] of named) putItem(limits, made, key, value)
  return made
}

/** Keeps what a loop sets. */
export class Namespace extends Native {
  readonly type = 'Namespace'
  readonly #limits: Limits
  readonly #values: Dict

  constructor(limits: Limits, values: Dict) {
    super()
    this.#limits = limits
    this.#values = values
  }

  override attribute(name: string): Value | undefined {
    return this.#values.entries.get(name)?.[1]
  }

  override shown(): string {
    return `<Namespace ${repr(this.#limits, this.#values)}>`
  }

  set(name: string, value: Value): void {
    putItem(this.#limits, this.#values, name, value)
  }
}

class Cycler extends Native {
  readonly type = 'Cycler'
  readonly #items: readonly Value[]
  #at = 0

  constructor(limits: Limits, items: readonly Value[]) {
    super()
    if (!items.length) fail('at least one item has to be provided')
    limits.items(items.length)
    this.#items = items
  }

  override attribute(name: string): Value | undefined {
    if (name === 'current') return this.#items[this.#at] as Value
    if (name === 'pos') return BigInt(this.#at)
    if (name === 'next')
      return new Callable('next', () => {
        const current = this.#items[this.#at] as Value
        this.#at = (this.#at + 1) % this.#items.length
        return current
      })
    if (name !== 'reset') return undefined
    return new Callable('reset', () => {
      this.#at = 0
      return null
    })
  }
}
