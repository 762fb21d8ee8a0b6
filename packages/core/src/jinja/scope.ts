import type { Value } from './values.ts'

/** Names that a template sets, within those of what is around it. */
export class Scope {
  readonly #names = new Map<string, Value>()
  readonly #outer: Scope | undefined

  constructor(outer?: Scope) {
    this.#outer = outer
  }

  find(name: string): Value | undefined {
    for (let scope: Scope | undefined = this; scope; scope = scope.#outer) {
      const value = scope.#names.get(name)
      if (value !== undefined) return value
    }
    return undefined
  }

  /** Not what is around it. */
  owns(name: string): boolean {
    return this.#names.has(name)
  }

  set(name: string, value: Value): void {
    this.#names.set(name, value)
  }
}
