import { equals } from './compare.ts'
import { fail } from './failure.ts'
import type { FilterRun } from './filter.ts'
import { Callable, type Given, iterate, lengthOf, Native, Stream, Tuple, toArray, type Value } from './values.ts'

/** `loop`: where a `for` is. It looks ahead only when it is asked to. */
export class Loop extends Native {
  readonly type = 'LoopContext'
  /** Goes through the items again, one level deeper; absent unless the loop is recursive. */
  readonly call: ((given: Given) => Value) | undefined
  readonly #run: FilterRun
  readonly #over: Value
  readonly #depth: number
  #items: Iterator<Value>
  #length: number | undefined
  #ahead: IteratorResult<Value> | undefined
  #index = -1
  #before: Value | undefined
  #current: Value | undefined
  #changed: Tuple | undefined

  constructor(run: FilterRun, over: Value, depth: number, call: ((given: Given) => Value) | undefined) {
    super()
    this.#run = run
    this.#over = over
    this.#depth = depth
    this.call = call
    this.#items = iterate(run.limits, over)
  }

  /** The next item; undefined after the last. */
  next(): Value | undefined {
    const result = this.#ahead ?? this.#items.next()
    this.#ahead = undefined
    if (result.done) return undefined
    this.#index++
    this.#before = this.#current
    this.#current = result.value
    return result.value
  }

  override attribute(name: string): Value | undefined {
    const index = BigInt(this.#index)
    switch (name) {
      case 'index0':
        return index
      case 'index':
        return index + 1n
      case 'length':
        return this.#count()
      case 'revindex':
        return this.#count() - index
      case 'revindex0':
        return this.#count() - index - 1n
      case 'first':
        return this.#index === 0
      case 'last':
        return this.#peek().done === true
      case 'previtem':
        return this.#before ?? (this.#index ? null : this.#run.missing('there is no previous item'))
      case 'nextitem': {
        const ahead = this.#peek()
        return ahead.done ? this.#run.missing('there is no next item') : ahead.value
      }
      case 'depth':
        return BigInt(this.#depth + 1)
      case 'depth0':
        return BigInt(this.#depth)
      case 'cycle':
        return new Callable('cycle', ({ positional }) =>
          positional.length
            ? (positional[this.#index % positional.length] as Value)
            : fail('no items for cycling given'),
        )
      case 'changed':
        return new Callable('changed', ({ positional }) => this.#isChanged(new Tuple(positional)))
      default:
        return undefined
    }
  }

  override shown(): string {
    return `<LoopContext ${this.#index + 1}/${this.#count()}>`
  }

  #peek(): IteratorResult<Value> {
    this.#ahead ??= this.#items.next()
    return this.#ahead
  }

  #count(): bigint {
    this.#length ??= lengthOf(this.#over) ?? this.#countRest()
    return BigInt(this.#length)
  }

  #countRest(): number {
    const rest = toArray(this.#run.limits, new Stream(this.#items))
    this.#items = rest[Symbol.iterator]()
    return rest.length + this.#index + 1 + Number(this.#ahead !== undefined && !this.#ahead.done)
  }

  #isChanged(value: Tuple): boolean {
    const isSame = this.#changed !== undefined && equals(this.#run.limits, this.#changed, value)
    this.#changed = value
    return !isSame
  }
}
