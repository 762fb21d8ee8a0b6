import type { Token } from '../syntax/token.ts'

const VALUE_WORDS = /^(true|false|none)$/i

/** Whether an operand ends with the token, so that `-` behind it is an operator and `[` an index. */
function endsValue(token: Token): boolean {
  if (token.kind === 'word') return VALUE_WORDS.test(token.text)
  return token.kind !== 'symbol' || token.text === ')' || token.text === ']' || token.text === '}'
}

/** What stands between two tokens of a piece. `before` is the token before the left one, `open` the innermost bracket. */
export function separator(
  left: Token | undefined,
  right: Token,
  open: Token | undefined,
  before: Token | undefined,
): string {
  if (!left) return ' '
  if (left.kind === 'symbol') {
    if (
      (left.text === '(' && right.text === ')') ||
      (left.text === '[' && right.text === ']') ||
      (left.text === '{' && right.text === '}')
    )
      return ''
    if (left.text === ':') return ''
    if ((left.text === '-' || left.text === '+') && right.kind === 'number' && (!before || !endsValue(before)))
      return ''
    if (left.text === '=' && open && open.text !== '[') return ''
  }
  if (right.kind !== 'symbol') return ' '
  if (right.text === ',') return ''
  if (right.text === '=' && open && open.text !== '[') return ''
  if (right.text === '(')
    return left.kind === 'name' || left.kind === 'member' || left.text === 'exists' || left.text === 'begin' ? '' : ' '
  if (right.text === '[') return endsValue(left) ? '' : ' '
  return ' '
}
