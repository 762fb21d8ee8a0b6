import type { Arithmetic } from './arithmetic.ts'
import type { Comparison } from './compare.ts'
import { parseCallArguments } from './parse-arguments.ts'
import type { Parser } from './parser.ts'
import type { Arguments, Expression } from './syntax.ts'

/** Expressions, by falling precedence from the end of the file to its beginning, as Jinja2 parses them. */

export const parseExpression = (parser: Parser, withCondition = true): Expression =>
  parser.nested(() => (withCondition ? parseCondition(parser) : parseOr(parser)))

function parseCondition(parser: Parser): Expression {
  let then = parseOr(parser)
  const link = parser.chain()
  while (parser.isName('if')) {
    link()
    const { line } = parser.next()
    const test = parseOr(parser)
    const otherwise = parser.skipName('else') ? parser.nested(() => parseCondition(parser)) : undefined
    then = { kind: 'condition', test, then, otherwise, line }
  }
  return then
}

function parseOr(parser: Parser): Expression {
  let left = parseAnd(parser)
  const link = parser.chain()
  while (parser.skipName('or')) {
    link()
    left = { kind: 'or', left, right: parseAnd(parser) }
  }
  return left
}

function parseAnd(parser: Parser): Expression {
  let left = parseNot(parser)
  const link = parser.chain()
  while (parser.skipName('and')) {
    link()
    left = { kind: 'and', left, right: parseNot(parser) }
  }
  return left
}

function parseNot(parser: Parser): Expression {
  if (!parser.skipName('not')) return parseCompare(parser)
  return { kind: 'not', of: parser.nested(() => parseNot(parser)) }
}

const comparisons = new Set(['==', '!=', '<', '<=', '>', '>='])

function parseCompare(parser: Parser): Expression {
  const { line } = parser
  const first = parseSum(parser)
  const rest: { operator: Comparison; value: Expression }[] = []
  for (;;) {
    const isNotIn = parser.isName('not') && parser.look().kind === 'name' && parser.look().text === 'in'
    if (isNotIn) parser.next()
    else if (!parser.isName('in') && !(parser.is('operator') && comparisons.has(parser.current.text))) break
    const { text } = parser.next()
    rest.push({ operator: (isNotIn ? 'not in' : text) as Comparison, value: parseSum(parser) })
  }
  return rest.length ? { kind: 'compare', first, rest, line } : first
}

function parseOperators(parser: Parser, operators: readonly Arithmetic[], inner: () => Expression): Expression {
  let left = inner()
  const link = parser.chain()
  while (parser.is('operator') && (operators as readonly string[]).includes(parser.current.text)) {
    link()
    const { text, line } = parser.next()
    left = { kind: 'arithmetic', operator: text as Arithmetic, left, right: inner(), line }
  }
  return left
}

const parseSum = (parser: Parser) => parseOperators(parser, ['+', '-'], () => parseConcat(parser))

function parseConcat(parser: Parser): Expression {
  const { line } = parser
  const first = parseProduct(parser)
  if (!parser.isOperator('~')) return first
  const parts = [first]
  while (parser.skipOperator('~')) parts.push(parseProduct(parser))
  return { kind: 'concat', parts, line }
}

const parseProduct = (parser: Parser) => parseOperators(parser, ['*', '/', '//', '%'], () => parsePower(parser))
const parsePower = (parser: Parser) => parseOperators(parser, ['**'], () => parseUnary(parser))

function parseUnary(parser: Parser, withFilter = true): Expression {
  const { line } = parser
  const operator = parser.isOperator('-') ? '-' : parser.isOperator('+') ? '+' : undefined
  if (operator) parser.next()
  const primary: Expression = operator
    ? { kind: 'signed', operator, of: parser.nested(() => parseUnary(parser, false)), line }
    : parsePrimary(parser)
  const node = parsePostfix(parser, primary)
  return withFilter ? parseFilters(parser, node) : node
}

const constants: Readonly<Record<string, null | boolean>> = {
  ...{ true: true, True: true, false: false, False: false, none: null, None: null },
}

export function parsePrimary(parser: Parser): Expression {
  const token = parser.current
  switch (token.kind) {
    case 'name':
      parser.next()
      if (Object.hasOwn(constants, token.text)) return { kind: 'constant', value: constants[token.text] ?? null }
      return { kind: 'name', name: token.text, line: token.line }
    case 'string': {
      const parts: string[] = []
      while (parser.is('string')) parts.push(parser.next().text)
      return { kind: 'constant', value: parts.join('') }
    }
    case 'integer':
    case 'float':
      parser.next()
      return { kind: 'constant', value: token.value }
    case 'operator':
      if (token.text === '(') {
        parser.next()
        const inner = parseTuple(parser, { isBracketed: true })
        parser.expect('operator', ')')
        return inner
      }
      if (token.text === '[') return parseList(parser)
      if (token.text === '{') return parseDict(parser)
  }
  return parser.unexpected()
}

/** One expression, or a tuple of many with commas between. */
export function parseTuple(
  parser: Parser,
  options: { withCondition?: boolean; isBracketed?: boolean; endsAt?: string } = {},
): Expression {
  const { withCondition = true, isBracketed = false, endsAt } = options
  const items: Expression[] = []
  let isTuple = false
  for (;;) {
    if (items.length) parser.expect('operator', ',')
    if (parser.is('end') || parser.isOperator(')') || (endsAt !== undefined && parser.isName(endsAt))) break
    items.push(parseExpression(parser, withCondition))
    if (!parser.isOperator(',')) break
    isTuple = true
  }
  const [first] = items
  if (!isTuple && first) return first
  if (!isTuple && !isBracketed) return parser.unexpected('an expression')
  return { kind: 'tuple', items }
}

function parseList(parser: Parser): Expression {
  parser.expect('operator', '[')
  const items: Expression[] = []
  while (!parser.isOperator(']')) {
    if (items.length) parser.expect('operator', ',')
    if (parser.isOperator(']')) break
    items.push(parseExpression(parser))
  }
  parser.next()
  return { kind: 'list', items }
}

function parseDict(parser: Parser): Expression {
  const { line } = parser.expect('operator', '{')
  const pairs: [Expression, Expression][] = []
  while (!parser.isOperator('}')) {
    if (pairs.length) parser.expect('operator', ',')
    if (parser.isOperator('}')) break
    const key = parseExpression(parser)
    parser.expect('operator', ':')
    pairs.push([key, parseExpression(parser)])
  }
  parser.next()
  return { kind: 'dict', pairs, line }
}

export function parsePostfix(parser: Parser, of: Expression): Expression {
  let node = of
  const link = parser.chain()
  for (;;) {
    link()
    if (parser.isOperator('.')) node = parseMember(parser, node)
    else if (parser.isOperator('[')) node = parseSubscript(parser, node)
    else if (parser.isOperator('(')) node = parseCall(parser, node)
    else return node
  }
}

function parseFilters(parser: Parser, of: Expression): Expression {
  let node = of
  const link = parser.chain()
  for (;;) {
    link()
    if (parser.skipOperator('|')) node = parseFilter(parser, node)
    else if (parser.isName('is')) node = parseTest(parser, node)
    // After a filter or a test only: a value was called before.
    else if (parser.isOperator('(')) node = parseCall(parser, node)
    else return node
  }
}

function parseCall(parser: Parser, of: Expression): Expression {
  const { line } = parser
  return { kind: 'call', of, given: parseCallArguments(parser, parseExpression), line }
}

function parseMember(parser: Parser, of: Expression): Expression {
  const { line } = parser.next()
  const token = parser.next()
  if (token.kind === 'name') return { kind: 'attribute', of, name: token.text, line }
  if (token.kind !== 'integer') return parser.fail('expected a name or a number after .', token.line)
  return { kind: 'item', of, key: { kind: 'constant', value: token.value }, line }
}

function parseSubscript(parser: Parser, of: Expression): Expression {
  const { line } = parser.expect('operator', '[')
  const part = () => (parser.isOperator(']') || parser.isOperator(':') ? undefined : parseExpression(parser))
  const keys: Expression[] = []
  while (!parser.isOperator(']')) {
    if (keys.length) parser.expect('operator', ',')
    const first = part()
    if (parser.skipOperator(':')) {
      const second = part()
      const third = parser.skipOperator(':') ? part() : undefined
      parser.expect('operator', ']')
      return { kind: 'slice', of, parts: [first, second, third], line }
    }
    keys.push(first ?? parser.unexpected('a key'))
  }
  parser.next()
  const [key] = keys
  return { kind: 'item', of, key: key && keys.length === 1 ? key : { kind: 'tuple', items: keys }, line }
}

const none: Arguments = { positional: [], named: [], rest: undefined, restNamed: undefined }

function dottedName(parser: Parser): string {
  let name = parser.expect('name').text
  while (parser.skipOperator('.')) name += `.${parser.expect('name').text}`
  return name
}

/** After its `|`. */
export function parseFilter(parser: Parser, of: Expression | undefined): Expression {
  const { line } = parser
  const name = dottedName(parser)
  const given = parser.isOperator('(') ? parseCallArguments(parser, parseExpression) : none
  return { kind: 'filter', of, name, given, line }
}

const beginsArgument = new Set(['name', 'string', 'integer', 'float'])
const endsTest = new Set(['else', 'or', 'and'])

function parseTest(parser: Parser, of: Expression): Expression {
  const { line } = parser.next()
  const isNegated = parser.skipName('not')
  const name = dottedName(parser)
  let given = none
  const { kind, text } = parser.current
  if (parser.isOperator('(')) given = parseCallArguments(parser, parseExpression)
  else if (
    (beginsArgument.has(kind) && !(kind === 'name' && endsTest.has(text))) ||
    (kind === 'operator' && '[{'.includes(text))
  ) {
    if (parser.isName('is')) parser.fail('tests cannot be chained with is')
    given = { ...none, positional: [parsePostfix(parser, parsePrimary(parser))] }
  }
  const test: Expression = { kind: 'test', of, name, given, line }
  return isNegated ? { kind: 'not', of: test } : test
}
