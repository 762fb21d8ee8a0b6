import type { Json } from '../json.ts'
import { setKey, writeKey } from '../value/keys.ts'
import type { Expression } from './ast.ts'

/** The value of a literal whose parts are all literals. */
export function constantOf(expression: Expression): Json | undefined {
  if (expression.kind === 'constant') return expression.value
  if (expression.kind === 'array') {
    const items = expression.items.map(constantOf)
    return items.every(item => item !== undefined) ? items : undefined
  }
  if (expression.kind !== 'map') return undefined
  const map: { [key: string]: Json } = {}
  for (const { name, value } of expression.entries) {
    const item = constantOf(value)
    if (item === undefined) return undefined
    setKey(map, writeKey(name), item)
  }
  return map
}
