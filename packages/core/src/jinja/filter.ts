import type { Limits } from './limits.ts'
import type { Given, Undefined, Value } from './values.ts'

export interface Filter {
  /**
   * Whether a text that is a secret may be its value or its argument: it carries it along whole. Secrets within lists
   * and maps are found by whoever reads them.
   */
  readonly carries?: true
  apply(run: FilterRun, value: Value, given: Given): Value
}

/** What filters have of the renderer. */
export interface FilterRun {
  readonly limits: Limits
  missing(hint: string): Undefined
  /** By its name; throws when there is none. */
  filter(name: string, value: Value, given: Given): Value
  test(name: string, value: Value, given: Given): boolean
}
