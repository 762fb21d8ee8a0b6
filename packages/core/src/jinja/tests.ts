import { bind } from './arguments.ts'
import { calculate } from './arithmetic.ts'
import { type Comparison, compareWith, isNumber } from './compare.ts'
import { fail } from './failure.ts'
import type { Limits } from './limits.ts'
import { str } from './print.ts'
import { refuseSecret } from './secrets.ts'
import { textMethods } from './text-methods.ts'
import {
  Callable,
  Dict,
  type Given,
  isText,
  List,
  Markup,
  Native,
  Range,
  refuseUndefined,
  Stream,
  Tuple,
  Undefined,
  type Value,
  View,
} from './values.ts'

export type Test = (limits: Limits, value: Value, given: Given) => boolean

/** Of the value alone. */
const kind =
  (is: (value: Value) => boolean): Test =>
  (_, value, given) => {
    bind('the test', [], given)
    return is(value)
  }

const comparison =
  (operator: Comparison): Test =>
  (limits, value, given) => {
    const [other = fail('the test needs an argument')] = bind('the test', ['other'], given)
    return compareWith(limits, operator, value, other)
  }

const remainder = (limits: Limits, value: Value, by: bigint | Value) => calculate(limits, '%', value, by)

const parity =
  (odd: bigint): Test =>
  (limits, value) => {
    const rest = remainder(limits, value, 2n)
    return compareWith(limits, '==', rest, odd)
  }

const ofText =
  (method: 'isupper' | 'islower'): Test =>
  (limits, value) => {
    refuseSecret(value, 'a test')
    return Boolean(textMethods[method]?.(limits, str(limits, value), { positional: [], named: new Map() }))
  }

const isIterable = (value: Value) =>
  isText(value) ||
  [List, Tuple, Dict, View, Range, Stream].some(type => value instanceof type) ||
  (value instanceof Undefined && !value.isStrict)

const isSequence = (value: Value) =>
  isText(value) ||
  [List, Tuple, Dict, Range].some(type => value instanceof type) ||
  (value instanceof Undefined && !value.isStrict)

const equalTo = comparison('==')
const notEqual = comparison('!=')
const above = comparison('>')
const notBelow = comparison('>=')
const below = comparison('<')
const notAbove = comparison('<=')

/** Those of Jinja2. `filter` and `test` are the renderer's, which knows the names. */
export const tests: Readonly<Record<string, Test>> = {
  odd: parity(1n),
  even: parity(0n),
  divisibleby(limits, value, given) {
    const [by = fail('divisibleby needs an argument')] = bind('divisibleby', ['num'], given)
    return compareWith(limits, '==', remainder(limits, value, by), 0n)
  },
  defined: kind(value => !(value instanceof Undefined)),
  undefined: kind(value => value instanceof Undefined),
  none: kind(value => value === null),
  boolean: kind(value => typeof value === 'boolean'),
  true: kind(value => value === true),
  false: kind(value => value === false),
  integer: kind(value => typeof value === 'bigint'),
  float: kind(value => typeof value === 'number'),
  number: kind(isNumber),
  string: kind(isText),
  lower: ofText('islower'),
  upper: ofText('isupper'),
  mapping: kind(value => value instanceof Dict),
  sequence: kind(isSequence),
  iterable: kind(isIterable),
  callable: kind(
    value => value instanceof Undefined || (value instanceof Native && (value instanceof Callable || 'call' in value)),
  ),
  escaped: kind(value => value instanceof Markup),
  sameas(_, value, given) {
    const [other = fail('sameas needs an argument')] = bind('sameas', ['other'], given)
    refuseSecret(value, 'a comparison')
    return value === other
  },
  in(limits, value, given) {
    const [container = fail('in needs an argument')] = bind('in', ['seq'], given)
    if (container instanceof Undefined && container.isStrict) refuseUndefined(container)
    return compareWith(limits, 'in', value, container)
  },
  '==': equalTo,
  eq: equalTo,
  equalto: equalTo,
  '!=': notEqual,
  ne: notEqual,
  '>': above,
  gt: above,
  greaterthan: above,
  ge: notBelow,
  '>=': notBelow,
  '<': below,
  lt: below,
  lessthan: below,
  '<=': notAbove,
  le: notAbove,
}

export const isTestName = (name: string) => name === 'filter' || name === 'test' || Object.hasOwn(tests, name)
