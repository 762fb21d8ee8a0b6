import type { Json } from '@contractor/contract'
import { fail } from './failure.ts'
import type { FilterRun } from './filter.ts'
import { filters } from './filters.ts'
import { globals } from './globals.ts'
import { Limits, longestText } from './limits.ts'
import type { Scope } from './scope.ts'
import { refuseSecret } from './secrets.ts'
import { tests } from './tests.ts'
import { Callable, fromJson, type Given, Undefined, type Value } from './values.ts'

/** What a template asks for by name; undefined when there is none. */
export type Lookup = (name: string) => Json | undefined

/** One rendering: what it has read, written and used up. */
export class Run implements FilterRun {
  readonly limits = new Limits()
  /** Where it is. */
  line = 1
  readonly #lookup: Lookup
  readonly #isStrict: boolean
  /** Taken from the context once, so that what the template changes in them stays changed. */
  readonly #taken = new Map<string, Value | undefined>()
  #written = ''

  constructor(lookup: Lookup, isStrict: boolean) {
    this.#lookup = lookup
    this.#isStrict = isStrict
  }

  get written(): string {
    return this.#written
  }

  write(text: string): void {
    this.limits.text(text.length)
    if (this.#written.length + text.length > longestText) fail(`its output is longer than ${longestText} characters`)
    this.#written += text
  }

  /** What is written meanwhile. */
  capture(write: () => void): string {
    const before = this.#written
    this.#written = ''
    write()
    const text = this.#written
    this.#written = before
    return text
  }

  missing(hint: string): Undefined {
    return new Undefined(hint, this.#isStrict)
  }

  find(scope: Scope, name: string): Value {
    const own = scope.find(name)
    const value = own === undefined ? this.#take(name) : own
    return value === undefined ? this.missing(`there is no value '${name}'`) : value
  }

  #take(name: string): Value | undefined {
    if (this.#taken.has(name)) return this.#taken.get(name)
    const given = this.#lookup(name)
    const value = given === undefined ? this.#global(name) : fromJson(given)
    this.#taken.set(name, value)
    return value
  }

  #global(name: string): Value | undefined {
    const call = Object.hasOwn(globals, name) ? globals[name] : undefined
    return call && new Callable(name, given => call(this.limits, given))
  }

  filter(name: string, value: Value, given: Given): Value {
    const filter = (Object.hasOwn(filters, name) ? filters[name] : undefined) ?? fail(`there is no filter '${name}'`)
    if (!filter.carries)
      for (const one of [value, ...given.positional, ...given.named.values()]) refuseSecret(one, `|${name}`)
    this.limits.step()
    return filter.apply(this, value, given)
  }

  test(name: string, value: Value, given: Given): boolean {
    this.limits.step()
    if (name === 'filter') return Object.hasOwn(filters, String(value))
    if (name === 'test') return Object.hasOwn(tests, String(value))
    const test = (Object.hasOwn(tests, name) ? tests[name] : undefined) ?? fail(`there is no test '${name}'`)
    return test(this.limits, value, given)
  }
}
