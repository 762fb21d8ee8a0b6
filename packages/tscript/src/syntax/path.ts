import type { Expression, Target } from './ast.ts'

/** The variable, value of a module or element that an expression names; undefined where it only gives a value. */
export function pathOf(expression: Expression): Target | undefined {
  if (expression.kind === 'variable' || expression.kind === 'member')
    return { base: expression, keys: [], at: expression.at }
  if (expression.kind !== 'index') return undefined
  const { base, keys, at } = expression
  return base.kind === 'variable' || base.kind === 'member' ? { base, keys, at } : undefined
}
