import { parseExpression, parseFilter, parseTuple } from './parse-expression.ts'
import { Parser } from './parser.ts'
import type { Body, Expression, MacroStatement, Parameter, Statement, Target } from './syntax.ts'

/** A template's statements. Throws TemplateError. */
export function parseTemplate(source: string): Body {
  return parseBody(new Parser(source), [])
}

/** Up to a block with one of these names, of which the name is the current token then; or up to the end of the source. */
function parseBody(parser: Parser, ends: readonly string[]): Body {
  return parser.nested(() => {
    const body: Statement[] = []
    for (;;) {
      const { kind, text, line } = parser.current
      if (kind === 'eof') {
        if (ends.length)
          parser.fail(`unexpected end of template: a block is not closed, ${ends.join(' or ')} is missing`)
        return body
      }
      parser.next()
      if (kind === 'text') body.push({ kind: 'text', text })
      else if (text === 'output') {
        body.push({ kind: 'output', values: [parseTuple(parser)], line })
        parser.expect('end')
      } else {
        if (parser.is('name') && ends.includes(parser.current.text)) return body
        body.push(parseStatement(parser))
        parser.expect('end')
      }
    }
  })
}

const statements: Readonly<Record<string, (parser: Parser, line: number) => Statement>> = {
  if: parseIf,
  for: parseFor,
  set: parseSet,
  with: parseWith,
  macro: parseMacro,
  call: parseCallBlock,
  filter: parseFilterBlock,
  print: parsePrint,
}

const needsOthers = 'a config value is a template by itself'
const ofExtension = 'it is of an extension of Jinja2'

/** What Jinja2 has besides, itself or by an extension, and why it is not here. */
const unavailable: Readonly<Record<string, string>> = {
  ...{ include: needsOthers, import: needsOthers, from: needsOthers, extends: needsOthers, block: needsOthers },
  autoescape: 'nothing is escaped but by |escape',
  do: `${ofExtension}; {% set _ = … %} does the same`,
  break: `${ofExtension}; {% for … in … if … %} takes fewer items`,
  continue: `${ofExtension}; {% for … in … if … %} leaves items out`,
  ...{ trans: ofExtension, debug: ofExtension },
}

function parseStatement(parser: Parser): Statement {
  const { text, line } = parser.expect('name')
  if (Object.hasOwn(statements, text)) return (statements[text] as (typeof statements)['if'])(parser, line)
  if (Object.hasOwn(unavailable, text)) parser.fail(`{% ${text} %} is not available here: ${unavailable[text]}`, line)
  return parser.fail(`unknown statement '${text}'`, line)
}

/** The body of a block, and its end. */
function parseBlock(parser: Parser, end: string): Body {
  parser.expect('end')
  const body = parseBody(parser, [end])
  parser.next()
  return body
}

function parseIf(parser: Parser): Statement {
  const branches: { test: Expression; body: Body }[] = []
  let otherwise: Body = []
  for (;;) {
    const test = parseTuple(parser, { withCondition: false })
    parser.expect('end')
    branches.push({ test, body: parseBody(parser, ['elif', 'else', 'endif']) })
    const { text } = parser.next()
    if (text === 'elif') continue
    if (text === 'else') otherwise = parseBlock(parser, 'endif')
    break
  }
  return { kind: 'if', branches, otherwise }
}

function parseFor(parser: Parser, line: number): Statement {
  const target = parseTarget(parser)
  parser.expect('name', 'in')
  const over = parseTuple(parser, { withCondition: false, endsAt: 'recursive' })
  const test = parser.skipName('if') ? parseExpression(parser) : undefined
  const isRecursive = parser.skipName('recursive')
  parser.expect('end')
  const body = parseBody(parser, ['endfor', 'else'])
  const otherwise = parser.next().text === 'else' ? parseBlock(parser, 'endfor') : []
  return { kind: 'for', target, over, test, isRecursive, body, otherwise, line }
}

function parseSet(parser: Parser, line: number): Statement {
  const target = parseTarget(parser, true)
  if (parser.skipOperator('=')) return { kind: 'set', target, value: parseTuple(parser), line }
  let filter: Expression | undefined
  while (parser.skipOperator('|')) filter = parseFilter(parser, filter)
  return { kind: 'setBlock', target, filter, body: parseBlock(parser, 'endset'), line }
}

function parseWith(parser: Parser, line: number): Statement {
  const targets: Target[] = []
  const values: Expression[] = []
  while (!parser.is('end')) {
    if (targets.length) parser.expect('operator', ',')
    targets.push(parseTarget(parser))
    parser.expect('operator', '=')
    values.push(parseExpression(parser))
  }
  return { kind: 'with', targets, values, body: parseBlock(parser, 'endwith'), line }
}

const reserved = new Set(['true', 'True', 'false', 'False', 'none', 'None'])

function parseName(parser: Parser): string {
  const { text, line } = parser.expect('name')
  if (reserved.has(text)) parser.fail(`'${text}' cannot be set`, line)
  return text
}

/** Names, in brackets or with commas between; `name.member` where a namespace may be set. */
function parseTarget(parser: Parser, withMember = false): Target {
  const targets: Target[] = []
  let isTuple = false
  for (;;) {
    if (parser.is('end') || parser.isOperator('=') || parser.isOperator(')') || parser.isName('in')) break
    targets.push(parseOneTarget(parser, withMember))
    if (!parser.skipOperator(',')) break
    isTuple = true
  }
  const [first] = targets
  if (!isTuple && first) return first
  return isTuple ? { kind: 'targets', targets } : parser.unexpected('a name')
}

function parseOneTarget(parser: Parser, withMember: boolean): Target {
  if (parser.skipOperator('(')) {
    const target = parser.nested(() => parseTarget(parser))
    parser.expect('operator', ')')
    return target
  }
  const { line } = parser
  const name = parseName(parser)
  if (!withMember || !parser.skipOperator('.')) return { kind: 'name', name }
  return { kind: 'member', of: name, name: parser.expect('name').text, line }
}

function parseSignature(parser: Parser): Parameter[] {
  const parameters: Parameter[] = []
  parser.expect('operator', '(')
  while (!parser.isOperator(')')) {
    if (parameters.length) parser.expect('operator', ',')
    const name = parseName(parser)
    const otherwise = parser.skipOperator('=') ? parseExpression(parser) : undefined
    if (!otherwise && parameters.at(-1)?.otherwise) parser.fail(`'${name}' needs a default, as the one before has one`)
    parameters.push({ name, otherwise })
  }
  parser.next()
  return parameters
}

function parseMacro(parser: Parser, line: number): MacroStatement {
  const name = parseName(parser)
  const parameters = parseSignature(parser)
  return { kind: 'macro', name, parameters, body: parseBlock(parser, 'endmacro'), line }
}

function parseCallBlock(parser: Parser, line: number): Statement {
  const parameters = parser.isOperator('(') ? parseSignature(parser) : []
  const call = parseExpression(parser)
  if (call.kind !== 'call') return parser.fail('expected a call of a macro', line)
  const body = parseBlock(parser, 'endcall')
  return { kind: 'callBlock', call, macro: { kind: 'macro', name: undefined, parameters, body, line }, line }
}

function parseFilterBlock(parser: Parser, line: number): Statement {
  let filter = parseFilter(parser, undefined)
  while (parser.skipOperator('|')) filter = parseFilter(parser, filter)
  return { kind: 'filterBlock', filter, body: parseBlock(parser, 'endfilter'), line }
}

function parsePrint(parser: Parser, line: number): Statement {
  const values: Expression[] = []
  while (!parser.is('end')) {
    if (values.length) parser.expect('operator', ',')
    values.push(parseExpression(parser))
  }
  return { kind: 'output', values, line }
}
