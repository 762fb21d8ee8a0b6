export type Operator =
  | '^'
  | '*'
  | '/'
  | '%'
  | '+'
  | '-'
  | '.'
  | '&'
  | '|'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'and'
  | 'or'

/** The operators from the loosest to the tightest; each level goes left to right, the last one, `^`, right to left. */
export const PRECEDENCE: readonly (readonly Operator[])[] = [
  ['or'],
  ['and'],
  ['==', '!=', '<', '<=', '>', '>='],
  ['|'],
  ['&'],
  ['.'],
  ['+', '-'],
  ['*', '/', '%'],
  ['^'],
]

export const LEVELS: ReadonlyMap<string, number> = new Map(
  PRECEDENCE.flatMap((operators, level) => operators.map(operator => [operator, level] as const)),
)
