import { sliceOf } from './access.ts'
import { asText } from './arguments.ts'
import { calculate, concatenate, signed } from './arithmetic.ts'
import { putItem } from './collection-methods.ts'
import { compareWith } from './compare.ts'
import { fail } from './failure.ts'
import { attributeOf, itemOrAttribute } from './methods.ts'
import type { Run } from './run.ts'
import type { Scope } from './scope.ts'
import type { Arguments, Expression } from './syntax.ts'
import {
  Dict,
  type Given,
  isTrue,
  iterate,
  List,
  Native,
  refuseUndefined,
  Tuple,
  toArray,
  typeOf,
  Undefined,
  type Value,
} from './values.ts'

/** The value of an expression: names and operands are asked for only where they are needed. */
export function evaluate(run: Run, scope: Scope, expression: Expression): Value {
  const { limits } = run
  limits.step()
  limits.enter()
  const value = evaluateOne(run, scope, expression)
  limits.leave()
  return value
}

function evaluateOne(run: Run, scope: Scope, expression: Expression): Value {
  const { limits } = run
  if ('line' in expression) run.line = expression.line
  switch (expression.kind) {
    case 'constant':
      return expression.value
    case 'name':
      return run.find(scope, expression.name)
    case 'list':
    case 'tuple': {
      limits.items(expression.items.length)
      const items = expression.items.map(one => evaluate(run, scope, one))
      return expression.kind === 'list' ? new List(items) : new Tuple(items)
    }
    case 'dict': {
      const made = new Dict(new Map())
      for (const [key, value] of expression.pairs)
        putItem(limits, made, evaluate(run, scope, key), evaluate(run, scope, value))
      return made
    }
    case 'attribute': {
      const found = attributeOf(limits, evaluate(run, scope, expression.of), expression.name)
      return found === undefined ? run.missing(missingIn(expression.of, expression.name)) : found
    }
    case 'item': {
      const of = evaluate(run, scope, expression.of)
      const found = itemOrAttribute(limits, of, evaluate(run, scope, expression.key))
      const { key } = expression
      return found === undefined
        ? run.missing(missingIn(expression.of, key.kind === 'constant' ? key.value : undefined))
        : found
    }
    case 'slice': {
      const of = evaluate(run, scope, expression.of)
      const parts = expression.parts.map(part => (part ? evaluate(run, scope, part) : null))
      return sliceOf(limits, of, parts) ?? run.missing(missingIn(expression.of, undefined))
    }
    case 'call':
      return call(run, scope, expression)
    case 'filter':
      return applyFilter(run, scope, expression)
    case 'test': {
      const of = evaluate(run, scope, expression.of)
      return run.test(expression.name, of, readArguments(run, scope, expression.given))
    }
    case 'not':
      return !isTrue(evaluate(run, scope, expression.of))
    case 'signed':
      return signed(expression.operator, evaluate(run, scope, expression.of))
    case 'and': {
      const left = evaluate(run, scope, expression.left)
      return isTrue(left) ? evaluate(run, scope, expression.right) : left
    }
    case 'or': {
      const left = evaluate(run, scope, expression.left)
      return isTrue(left) ? left : evaluate(run, scope, expression.right)
    }
    case 'compare': {
      let left = evaluate(run, scope, expression.first)
      for (const { operator, value } of expression.rest) {
        const right = evaluate(run, scope, value)
        if (!compareWith(limits, operator, left, right)) return false
        left = right
      }
      return true
    }
    case 'arithmetic': {
      const left = evaluate(run, scope, expression.left)
      return calculate(limits, expression.operator, left, evaluate(run, scope, expression.right))
    }
    case 'concat':
      return concatenate(
        limits,
        expression.parts.map(one => evaluate(run, scope, one)),
      )
    case 'condition': {
      if (isTrue(evaluate(run, scope, expression.test))) return evaluate(run, scope, expression.then)
      // Printed as nothing, whatever is done with other names that have no value.
      return expression.otherwise
        ? evaluate(run, scope, expression.otherwise)
        : new Undefined('the condition is false, and there is no else', false)
    }
  }
}

/** Says what was looked for, where the template has a name for it. */
function missingIn(of: Expression, key: unknown): string {
  const path = pathOf(of)
  if (path === undefined || key === undefined) return ''
  return `'${path}' has no ${typeof key === 'string' ? `'${key}'` : `item ${String(key)}`}`
}

function pathOf(expression: Expression): string | undefined {
  if (expression.kind === 'name') return expression.name
  if (expression.kind !== 'attribute') return undefined
  const path = pathOf(expression.of)
  return path && `${path}.${expression.name}`
}

function readArguments(run: Run, scope: Scope, given: Arguments): Given {
  const positional = given.positional.map(one => evaluate(run, scope, one))
  if (given.rest) positional.push(...toArray(run.limits, evaluate(run, scope, given.rest)))
  const named = new Map(given.named.map(([name, value]) => [name, evaluate(run, scope, value)]))
  if (!given.restNamed) return { positional, named }
  const more = evaluate(run, scope, given.restNamed)
  if (!(more instanceof Dict)) return fail(`what is given with ** is no map, but ${typeOf(more)}`)
  for (const key of iterate(run.limits, more)) {
    const name = asText('**', key)
    if (named.has(name)) fail(`argument '${name}' is given twice`)
    named.set(name, more.entries.get(name)?.[1] ?? null)
  }
  return { positional, named }
}

/** With `caller` for a call block. */
export function call(
  run: Run,
  scope: Scope,
  { of, given, line }: Expression & { kind: 'call' },
  caller?: Value,
): Value {
  const callee = evaluate(run, scope, of)
  const { positional, named } = readArguments(run, scope, given)
  const all = caller === undefined ? named : new Map([...named, ['caller', caller]])
  run.line = line
  if (callee instanceof Undefined) return refuseUndefined(callee, 'called')
  const function_ = callee instanceof Native && 'call' in callee ? callee.call : undefined
  if (typeof function_ !== 'function') return fail(`'${typeOf(callee)}' object is not callable`)
  run.limits.step()
  return (function_ as (given: Given) => Value).call(callee, { positional, named: all })
}

/** To the value that it is written after; or to a block's text. */
export function applyFilter(run: Run, scope: Scope, filter: Expression & { kind: 'filter' }, block = ''): Value {
  const { of } = filter
  const value =
    of === undefined ? block : of.kind === 'filter' ? applyFilter(run, scope, of, block) : evaluate(run, scope, of)
  const given = readArguments(run, scope, filter.given)
  run.line = filter.line
  return run.filter(filter.name, value, given)
}
