import type { IterationNode, Node } from 'ohm-js'
import type { Position } from '../diagnostic.ts'
import type { Json } from '../json.ts'
import type { Assignment, Chain, Entry, Expression, Indexed, Name, Statement, Target } from './ast.ts'
import { LEVELS, type Operator } from './precedence.ts'
import type { Token } from './token.ts'

/*
 * What ohm found in a shape becomes a builder: a function from the tokens of any piece of that shape to its tree. The
 * semantic actions run once for each shape; the builders run for each piece.
 */

export type Build<T> = (tokens: readonly Token[]) => T

/** What a piece other than a plain statement holds; which kind it is the piece knows. */
export interface Head {
  kind: 'head'
  condition?: Expression
  options?: Entry[]
  at: Position
}

/** From an offset in the shape's text to the number of the token there. */
export type Ordinals = ReadonlyMap<number, number>

type Any = Node & { build(ordinals: Ordinals): Build<never> }

function sub<T>(node: Node, ordinals: Ordinals): Build<T> {
  return (node as Any).build(ordinals) as Build<T>
}
function all<T>(node: Node, ordinals: Ordinals): Build<T[]> {
  const parts = node.children.map(child => sub<T>(child, ordinals))
  return tokens => parts.map(part => part(tokens))
}
function items<T>(node: Node, ordinals: Ordinals): Build<T[]> {
  const list = node.children[0]
  return list ? all<T>((list as IterationNode).asIteration(), ordinals) : () => []
}
function ordinal(node: Node, ordinals: Ordinals): number {
  return ordinals.get(node.source.startIdx) as number
}
function token(tokens: readonly Token[], at: number): Token {
  return tokens[at] as Token
}

const CONSTANTS: { [word: string]: Json } = {
  True: true,
  true: true,
  False: false,
  false: false,
  None: null,
  none: null,
}
const PARTS = [1, 60, 3600, 86_400]

/** `M:S`, `H:M:S` or `D:H:M:S` in seconds. */
function seconds(time: string): number {
  return time
    .split(':')
    .reverse()
    .reduce((sum, part, place) => sum + Number(part) * (PARTS[place] as number), 0)
}

/** Folds a flat list of operands and operators by the table of precedence, one level at a time from the loosest. */
function fold(operands: Expression[], operators: { operator: Operator; at: Position }[], level: number): Expression {
  if (operands.length === 1) return operands[0] as Expression
  const found = operators.some(({ operator }) => LEVELS.get(operator) === level)
  if (!found) return fold(operands, operators, level + 1)
  const rest: Chain['rest'] = []
  let first: Expression | undefined
  let from = 0
  let pending: { operator: Operator; at: Position } | undefined
  for (let at = 0; at <= operators.length; at++) {
    const operator = operators[at]
    if (operator && LEVELS.get(operator.operator) !== level) continue
    const part = fold(operands.slice(from, at + 1), operators.slice(from, at), level + 1)
    if (pending) rest.push({ ...pending, operand: part })
    else first = part
    pending = operator
    from = at + 1
  }
  return { kind: 'chain', first: first as Expression, rest, at: (first as Expression).at }
}

/** What ohm gives a semantic action as `this`: the node, with the operation's parameters. */
type Context = Node & { args: { ordinals: Ordinals } }

type Actions = { [rule: string]: (this: Context, ...nodes: never[]) => Build<unknown> }

function condition(this: Context, word: Node, value: Node, _end: Node): Build<Head> {
  const at = ordinal(word, this.args.ordinals)
  const of = sub<Expression>(value, this.args.ordinals)
  return tokens => ({ kind: 'head', condition: of(tokens), at: token(tokens, at) })
}
function bare(this: Context, word: Node): Build<Head> {
  const at = ordinal(word, this.args.ordinals)
  return tokens => ({ kind: 'head', at: token(tokens, at) })
}

export const ACTIONS: Actions = {
  If: condition,
  Elif: condition,
  While: condition,
  Else: bare,
  End: bare,
  Begin(word: Node, _open: Node, options: Node, _close: Node) {
    const at = ordinal(word, this.args.ordinals)
    const list = all<Entry>((options as IterationNode).asIteration(), this.args.ordinals)
    return tokens => ({ kind: 'head', options: list(tokens), at: token(tokens, at) }) satisfies Head
  },
  Option(label: Node, _assign: Node, value: Node) {
    return entry(label, value, this.args.ordinals)
  },
  Entry(label: Node, _assign: Node, value: Node) {
    return entry(label, value, this.args.ordinals)
  },
  Label(colon: Node, _label: Node) {
    const at = ordinal(colon, this.args.ordinals)
    return tokens => ({ kind: 'label', name: token(tokens, at + 1).text, at: token(tokens, at) }) satisfies Statement
  },
  Goto(word: Node, _label: Node) {
    const at = ordinal(word, this.args.ordinals)
    return tokens => ({ kind: 'goto', name: token(tokens, at + 1).text, at: token(tokens, at) }) satisfies Statement
  },
  Word(word: Node) {
    const at = ordinal(word, this.args.ordinals)
    const kind = word.sourceString as 'break' | 'continue' | 'pass'
    return tokens => ({ kind, at: token(tokens, at) }) satisfies Statement
  },
  Assignment(targets: Node, _assign: Node, value: Node) {
    const list = all<Target>(targets, this.args.ordinals)
    const of = sub<Expression>(value, this.args.ordinals)
    return tokens => {
      const left = list(tokens)
      return { kind: 'assign', targets: left, value: of(tokens), at: (left[0] as Target).at } satisfies Assignment
    }
  },
  Target(base: Node, indexes: Node) {
    const of = sub<Target['base']>(base, this.args.ordinals)
    const keys = all<Expression>(indexes, this.args.ordinals)
    return tokens => {
      const found = of(tokens)
      return { base: found, keys: keys(tokens), at: found.at } satisfies Target
    }
  },
  Index(_open: Node, value: Node, _close: Node) {
    return sub<Expression>(value, this.args.ordinals)
  },
  Value(first: Node, operators: Node, rest: Node) {
    const { ordinals } = this.args
    const operands = [sub<Expression>(first, ordinals), ...rest.children.map(child => sub<Expression>(child, ordinals))]
    if (operands.length === 1) return operands[0] as Build<Expression>
    const places = operators.children.map(child => ordinal(child, ordinals))
    return tokens => {
      const used = places.map(at => ({ operator: token(tokens, at).text as Operator, at: token(tokens, at) }))
      return fold(
        operands.map(operand => operand(tokens)),
        used,
        0,
      )
    }
  },
  Operand(nots: Node, primary: Node, indexes: Node) {
    const { ordinals } = this.args
    const of = sub<Expression>(primary, ordinals)
    const count = nots.children.length
    const keyed = indexes.children.length > 0
    if (count === 0 && !keyed) return of
    const keys = all<Expression>(indexes, ordinals)
    const at = ordinal(count > 0 ? (nots.children[0] as Node) : primary, ordinals)
    return tokens => {
      const base = of(tokens)
      const value: Expression = keyed
        ? ({ kind: 'index', base, keys: keys(tokens), at: base.at } satisfies Indexed)
        : base
      if (count === 0) return value
      // Any number of `not` comes to one or two: what matters beside the truth is that the result is a boolean.
      const negated: Expression = { kind: 'not', operand: value, at: token(tokens, at) }
      return count % 2 === 1 ? negated : { kind: 'not', operand: negated, at: negated.at }
    }
  },
  Primary_parenthesised(_open: Node, value: Node, _close: Node) {
    return sub<Expression>(value, this.args.ordinals)
  },
  Array(open: Node, list: Node, _comma: Node, _close: Node) {
    const at = ordinal(open, this.args.ordinals)
    const of = items<Expression>(list, this.args.ordinals)
    return tokens => ({ kind: 'array', items: of(tokens), at: token(tokens, at) }) satisfies Expression
  },
  Map(open: Node, list: Node, _comma: Node, _close: Node) {
    const at = ordinal(open, this.args.ordinals)
    const of = items<Entry>(list, this.args.ordinals)
    return tokens => ({ kind: 'map', entries: of(tokens), at: token(tokens, at) }) satisfies Expression
  },
  Exists(word: Node, _open: Node, target: Node, _close: Node) {
    const at = ordinal(word, this.args.ordinals)
    const of = sub<Target>(target, this.args.ordinals)
    return tokens => ({ kind: 'exists', target: of(tokens), at: token(tokens, at) }) satisfies Expression
  },
  Call(callee: Node, _open: Node, list: Node, _close: Node) {
    const of = sub<Target['base']>(callee, this.args.ordinals)
    const parameters = all<Entry>((list as IterationNode).asIteration(), this.args.ordinals)
    return tokens => {
      const { name, at, ...rest } = of(tokens)
      const module = rest.kind === 'member' ? { module: rest.module } : {}
      return { kind: 'call', name, at, ...module, parameters: parameters(tokens) } satisfies Expression
    }
  },
  time(_first: Node, _colons: Node, _rest: Node) {
    const at = ordinal(this, this.args.ordinals)
    return tokens =>
      ({
        kind: 'constant',
        value: { $time: seconds(token(tokens, at).text) },
        at: token(tokens, at),
      }) satisfies Expression
  },
  number(sign: Node, _digits: Node, _point: Node, _fraction: Node) {
    const at = ordinal(this, this.args.ordinals)
    const signed = sign.children.length
    return tokens => {
      const size = Number(token(tokens, at + signed).text)
      const value = signed > 0 && size !== 0 && token(tokens, at).text === '-' ? -size : size
      return { kind: 'constant', value, at: token(tokens, at) } satisfies Expression
    }
  },
  text(_open: Node, _inside: Node, _close: Node) {
    const at = ordinal(this, this.args.ordinals)
    return tokens => ({ kind: 'constant', value: token(tokens, at).text, at: token(tokens, at) }) satisfies Expression
  },
  literal(_word: Node) {
    const at = ordinal(this, this.args.ordinals)
    return tokens =>
      ({
        kind: 'constant',
        value: CONSTANTS[token(tokens, at).text] ?? null,
        at: token(tokens, at),
      }) satisfies Expression
  },
  member(_module: Node, _dot: Node, _name: Node) {
    const at = ordinal(this, this.args.ordinals)
    return tokens => {
      const [module = '', name = ''] = token(tokens, at).text.split('.')
      return { kind: 'member', module, name, at: token(tokens, at) } satisfies Expression
    }
  },
  variable(_name: Node) {
    const at = ordinal(this, this.args.ordinals)
    return tokens => ({ kind: 'variable', name: token(tokens, at).text, at: token(tokens, at) }) satisfies Expression
  },
}

function entry(label: Node, value: Node, ordinals: Ordinals): Build<Entry> {
  const at = ordinal(label, ordinals)
  const of = sub<Expression>(value, ordinals)
  return tokens => ({ name: token(tokens, at).text, value: of(tokens), at: token(tokens, at) }) satisfies Name & Entry
}
