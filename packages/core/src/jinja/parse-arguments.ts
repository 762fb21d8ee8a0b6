import type { Parser } from './parser.ts'
import type { Arguments, Expression } from './syntax.ts'

/** `( a, b, *list, name=value, **map )`, each value by `parseOne`. */
export function parseCallArguments(parser: Parser, parseOne: (parser: Parser) => Expression): Arguments {
  const { line } = parser.expect('operator', '(')
  const positional: Expression[] = []
  const named: [string, Expression][] = []
  let rest: Expression | undefined
  let restNamed: Expression | undefined
  const ensure = (isAllowed: boolean) => {
    if (!isAllowed) parser.fail('arguments by place come first, then *, then named ones, then **', line)
  }
  for (let isFirst = true; !parser.isOperator(')'); isFirst = false) {
    if (!isFirst) {
      parser.expect('operator', ',')
      if (parser.isOperator(')')) break
    }
    if (parser.skipOperator('*')) {
      ensure(!rest && !restNamed)
      rest = parseOne(parser)
    } else if (parser.skipOperator('**')) {
      ensure(!restNamed)
      restNamed = parseOne(parser)
    } else if (parser.is('name') && parser.look().kind === 'operator' && parser.look().text === '=') {
      ensure(!restNamed)
      const { text } = parser.next()
      if (named.some(([name]) => name === text)) parser.fail(`argument '${text}' is given twice`)
      parser.next()
      named.push([text, parseOne(parser)])
    } else {
      ensure(!rest && !restNamed && !named.length)
      positional.push(parseOne(parser))
    }
  }
  parser.next()
  return { positional, named, rest, restNamed }
}
