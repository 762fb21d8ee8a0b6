import { compare } from './compare.ts'
import type { Limits } from './limits.ts'
import type { Value } from './values.ts'

/** As Python's `sorted()`: equal ones keep their order, also when it is reversed. */
export function sortValues(
  limits: Limits,
  items: readonly Value[],
  key: (item: Value) => Value,
  isReversed: boolean,
): Value[] {
  limits.items(items.length)
  const keyed = items.map(item => ({ item, key: key(item) }))
  const sign = isReversed ? -1 : 1
  return keyed.sort((a, b) => sign * compare(limits, a.key, b.key)).map(({ item }) => item)
}
