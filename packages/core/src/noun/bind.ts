import type { Noun } from '@contractor/contract'

/** The functions of a collection that are about one object, as that object has them: without its key. */
export type Bound<Part, Names extends keyof Part> = {
  [Name in Names]: Part[Name] extends (key: infer _Key, ...rest: infer Rest) => infer Result
    ? (...rest: Rest) => Result
    : never
}

/**
 * What is known of an object, with what can be done with it: what its noun declares of one, each bound to its key, and
 * `refresh`, which reads it again.
 */
export function bindMethods<View extends object>(noun: Noun, part: object, key: string | number, view: View): View {
  const functions = part as Record<string, (...given: unknown[]) => unknown>
  const bound: Record<string, unknown> = { ...view, refresh: (...rest: unknown[]) => functions.get?.(key, ...rest) }
  for (const [name, { on }] of Object.entries(noun.methods))
    if (on === 'one' && name !== 'get') bound[name] = (...rest: unknown[]) => functions[name]?.(key, ...rest)
  return bound as View
}
