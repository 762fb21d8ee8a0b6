import type { Json } from '@contractor/contract'

/** From where to where a part of a filter's text goes: code units, the end excluded. */
export interface Place {
  readonly from: number
  readonly to: number
}

export type Literal = string | number | boolean | null

export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'contains' | 'like'

/** One question about one field. */
export type Condition = { readonly field: string; readonly at: Place } & (
  | { readonly kind: 'compare'; readonly operator: Operator; readonly value: Literal; readonly valueAt: Place }
  | { readonly kind: 'oneOf'; readonly values: readonly Literal[]; readonly valueAt: Place }
  /** Within a tree: of Sites or of Plots. */
  | { readonly kind: 'within'; readonly root: string; readonly valueAt: Place }
  /** Of a BluePrint, or of one that inherits from it. */
  | { readonly kind: 'isa'; readonly root: string; readonly valueAt: Place }
  | { readonly kind: 'exists' }
)

/** A filter that has been parsed. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | Condition

export const isCondition = (filter: Filter): filter is Condition =>
  filter.kind !== 'and' && filter.kind !== 'or' && filter.kind !== 'not'

export function conditionsOf(filter: Filter): Condition[] {
  if (isCondition(filter)) return [filter]
  return filter.kind === 'not' ? conditionsOf(filter.part) : filter.parts.flatMap(conditionsOf)
}

/** What conditions about trees lead to: the names in each, by the condition's kind and root. */
export type NamedSets = ReadonlyMap<string, ReadonlySet<string>>

export const setKey = ({ kind, field, root }: Extract<Condition, { root: string }>): string =>
  `${kind} ${field} ${root}`

/** What a condition is asked of, where it is not a column: a path into the config or the fields, or a value. */
export type ReadValue = (field: string) => Json | undefined
