import type { Position } from '../diagnostic.ts'
import { BUILTINS, type Builtin, type BuiltinName } from '../language/builtins.ts'
import type { OpName } from '../program/instruction-set.ts'
import type { Call, Chain, Expression, Indexed, Target } from '../syntax/ast.ts'
import { constantOf } from '../syntax/constant.ts'
import { pathOf } from '../syntax/path.ts'
import type { Operator } from '../syntax/precedence.ts'
import type { Emitter } from './emitter.ts'

/*
 * An expression leaves its value on the stack. Operands, elements and parameters are evaluated from left to right; the
 * variable of `x[ i ]`, `len( array=x )`, `append( array=x, … )` is read after everything else, when it is used.
 */

const BINARY: { [operator in Exclude<Operator, 'and' | 'or'>]: OpName } = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '%': 'modulo',
  '^': 'power',
  '&': 'bitAnd',
  '|': 'bitOr',
  '.': 'join',
  '==': 'equal',
  '!=': 'notEqual',
  '<': 'less',
  '<=': 'lessOrEqual',
  '>': 'greater',
  '>=': 'greaterOrEqual',
}

export function compileExpression(expression: Expression, out: Emitter): void {
  const { at } = expression
  const constant = constantOf(expression)
  if (constant !== undefined) {
    out.emit('constant', at, out.constant(constant))
    return
  }
  switch (expression.kind) {
    case 'variable':
      out.emit('load', at, out.variable(expression.name))
      return
    case 'member':
      out.emit('loadModule', at, out.member(expression.module, expression.name))
      return
    case 'array':
      for (const item of expression.items) compileExpression(item, out)
      out.emit('array', at, expression.items.length)
      return
    case 'map':
      for (const entry of expression.entries) compileExpression(entry.value, out)
      out.emit('map', at, out.constant(expression.entries.map(entry => entry.name)))
      return
    case 'not':
      compileTested(expression.operand, out)
      out.emit('not', at)
      return
    case 'index':
      compileIndexed(expression, out)
      return
    case 'exists':
      compileExists(expression.target, at, out)
      return
    case 'call':
      compileCall(expression, out)
      return
    case 'chain':
      compileChain(expression, out)
  }
}

/** For a consumer that keeps nothing of the value: a variable's array is not taken out of it then. */
export function compileTested(expression: Expression, out: Emitter): void {
  if (expression.kind === 'variable') out.emit('borrow', expression.at, out.variable(expression.name))
  else compileExpression(expression, out)
}

function compileChain({ first, rest }: Chain, out: Emitter): void {
  compileExpression(first, out)
  const { operator } = rest[0] as Chain['rest'][number]
  if (operator === 'and' || operator === 'or') {
    const jumps = rest.map(({ operand, at }) => {
      const jump = out.emit(operator === 'and' ? 'and' : 'or', at)
      compileExpression(operand, out)
      return jump
    })
    for (const jump of jumps) out.land(jump)
  } else if (operator === '^') {
    for (const { operand } of rest) compileExpression(operand, out)
    for (const { at } of [...rest].reverse()) out.emit('power', at)
  } else {
    for (const { operand, operator: each, at } of rest) {
      compileExpression(operand, out)
      out.emit(BINARY[each as keyof typeof BINARY], at)
    }
  }
}

function compileIndexed({ base, keys, at }: Indexed, out: Emitter): void {
  if (base.kind === 'variable') {
    for (const key of keys) compileExpression(key, out)
    out.emit('loadPath', at, out.variable(base.name), keys.length)
    return
  }
  compileExpression(base, out)
  for (const key of keys) {
    compileExpression(key, out)
    out.emit('index', key.at)
  }
}

/** Reads what the target names; whether that works is the answer. */
function compileExists(target: Target, at: Position, out: Emitter): void {
  const attempt = out.emit('try', at)
  const { base, keys } = target
  if (keys.length > 0) compileIndexed({ kind: 'index', ...target }, out)
  else if (base.kind === 'variable') out.emit('borrow', at, out.variable(base.name))
  else compileExpression(base, out)
  out.emit('endTry', at)
  out.land(attempt)
}

function compileCall(call: Call, out: Emitter): void {
  const { module, name, parameters, at } = call
  if (module !== undefined) {
    for (const { value } of parameters) compileExpression(value, out)
    out.emit('call', at, out.call({ module, function: name, parameters: parameters.map(parameter => parameter.name) }))
    return
  }
  const builtin: Builtin = BUILTINS[name as BuiltinName]
  const array = parameters.find(parameter => parameter.name === 'array')?.value
  if (builtin.changes && array) {
    compileChange(call, array, out)
    return
  }
  const path = name === 'len' && array ? pathOf(array) : undefined
  if (path?.base.kind === 'variable') {
    for (const key of path.keys) compileExpression(key, out)
    out.emit('lengthPath', at, out.variable(path.base.name), path.keys.length)
    return
  }
  for (const { value } of parameters) compileExpression(value, out)
  out.emit('builtin', at, out.call({ function: name, parameters: parameters.map(parameter => parameter.name) }))
}

/** `append` and `pop` change what their array names, or a value of no name, which nobody sees again. */
function compileChange({ name, parameters, at }: Call, array: Expression, out: Emitter): void {
  const append = name === 'append'
  const operand = parameters.find(parameter => parameter.name !== 'array')?.value ?? { kind: 'constant', value: -1, at }
  const path = pathOf(array)
  if (!path) {
    compileExpression(array, out)
    compileExpression(operand, out)
    out.emit(append ? 'appendValue' : 'popValue', at)
    return
  }
  const { base, keys } = path
  for (const key of keys) compileExpression(key, out)
  compileExpression(operand, out)
  if (base.kind === 'variable') out.emit(append ? 'appendPath' : 'popPath', at, out.variable(base.name), keys.length)
  else out.emit(append ? 'appendModule' : 'popModule', at, out.member(base.module, base.name), keys.length)
}
