import { type Part, parseJinja, type Token } from './jinja-source.ts'
import { findPlain, type Piece } from './plain-template.ts'

/**
 * Templates are written for Jinja2 and rendered by minijinja, which is the same language but for a few things that
 * templates in use rely on. Each is rewritten into what minijinja has, line by line, so that its errors keep their lines:
 *
 * - `list.0` is `list[0]`.
 * - Output of `True`, `None`, lists and maps looks as Python prints it. Texts and numbers stay in minijinja.
 * - A list or map that the template changes in place (`counter.append( … )`) lives in a cell outside of minijinja,
 *   whose values never change: the name then holds the cell, and each use of it reads the cell.
 * - `'…%s…' % value` is the filter `format`; `'-' * 80` is bounded.
 */
export interface Translated {
  source: string
  /** Every name that the template may take from its context. */
  names: readonly string[]
  /** What it is made of, when that is text and values alone. */
  plain: readonly Piece[] | undefined
}

const mutators = new Set([
  'append',
  'extend',
  'insert',
  'pop',
  'remove',
  'clear',
  'reverse',
  'sort',
  'update',
  'setdefault',
])
/** Names of our own in the rewritten source: no template may have them. */
export const cellFilters = { make: '__cell', read: '__read', change: '__change' } as const
export const textFilter = '__text'
export const repeatFilter = '__repeat'
const output = '__value'

export function translateJinja(source: string): Translated {
  const parts = parseJinja(source)
  const cells = findCells(parts)
  const names = new Set<string>()
  const written = parts.map(part => {
    if (part.kind === 'text') return part.text
    const tokens = part.tokens
    for (const [position, token] of tokens.entries()) {
      if (token.kind === 'name' && before(tokens, position)?.text !== '.') names.add(token.text)
    }
    return part.kind === 'output' ? writeOutput(part, cells) : writeStatement(part, cells)
  })
  return { source: written.join(''), names: [...names], plain: findPlain(parts) }
}

/** Names that the template sets, and changes in place. */
function findCells(parts: readonly Part[]): ReadonlySet<string> {
  const set = new Set<string>()
  const changed = new Set<string>()
  for (const part of parts) {
    if (part.kind === 'text') continue
    const code = part.tokens.filter(token => token.kind !== 'space')
    if (isAssignment(code)) set.add(code[1]?.text ?? '')
    for (const [position, { kind, text }] of code.entries()) {
      const [dot, method, call] = code.slice(position + 1, position + 4)
      const isOwn = kind === 'name' && code[position - 1]?.text !== '.'
      if (isOwn && dot?.text === '.' && mutators.has(method?.text ?? '') && call?.text === '(') changed.add(text)
    }
  }
  return new Set([...changed].filter(name => set.has(name)))
}

const isAssignment = (code: readonly Token[]) =>
  code[0]?.text === 'set' && code[1]?.kind === 'name' && code[2]?.text === '='

function writeOutput({ open, tokens, close }: Exclude<Part, { kind: 'text' }>, cells: ReadonlySet<string>): string {
  const expression = writeTokens(tokens, cells)
  if (!expression.trim()) return open + expression + close
  // Undefined goes to minijinja too: it decides whether that is an error.
  const own = `${output} is string or ${output} is number or ${output} is undefined`
  const statement = open.replace('{{', '{%')
  return `${statement} set ${output} =${pad(expression)}%}{{ ${output} if (${own}) else ${output}|${textFilter} ${close}`
}

const pad = (text: string) => ` ${text} `

function writeStatement({ open, tokens, close }: Exclude<Part, { kind: 'text' }>, cells: ReadonlySet<string>): string {
  const code = tokens.filter(token => token.kind !== 'space')
  const name = code[1]?.text ?? ''
  if (isAssignment(code) && cells.has(name)) {
    const after = tokens.findIndex(token => token.text === '=') + 1
    return `${open} set ${name} = (${writeTokens(tokens.slice(after), cells)})|${cellFilters.make} ${close}`
  }
  return open + writeTokens(tokens, cells) + close
}

function writeTokens(tokens: readonly Token[], cells: ReadonlySet<string>): string {
  let written = ''
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    const previous = before(tokens, at)
    const rewritten =
      writeIndex(tokens, at) ?? writeCell(tokens, at, cells) ?? writeTextOperator(tokens, at, previous, cells)
    if (!rewritten) written += token.text
    else {
      written += rewritten.text
      at = rewritten.last
    }
  }
  return written
}

interface Rewritten {
  text: string
  /** The position of the last token that it stands for. */
  last: number
}

function writeIndex(tokens: readonly Token[], at: number): Rewritten | undefined {
  const next = tokens[at + 1]
  return tokens[at]?.text === '.' && next?.kind === 'number' ? { text: `[${next.text}]`, last: at + 1 } : undefined
}

function writeCell(tokens: readonly Token[], at: number, cells: ReadonlySet<string>): Rewritten | undefined {
  const { kind, text } = tokens[at] as Token
  // The name of an argument or of what is set stays one.
  if (kind !== 'name' || !cells.has(text) || before(tokens, at)?.text === '.' || after(tokens, at)?.text === '=')
    return undefined
  const [dot, method, call] = [tokens[at + 1], tokens[at + 2], tokens[at + 3]]
  if (dot?.text !== '.' || !mutators.has(method?.text ?? '') || call?.text !== '(')
    return { text: `(${text}|${cellFilters.read})`, last: at }
  const end = closingBracket(tokens, at + 3)
  const given = writeTokens(tokens.slice(at + 4, end), cells)
  const more = given.trim() ? `, ${given}` : ''
  return { text: `(${text}|${cellFilters.change}('${method?.text}'${more}))`, last: end }
}

/** `'text' % value` and `'text' * count`: the operand goes into a filter. */
function writeTextOperator(
  tokens: readonly Token[],
  at: number,
  previous: Token | undefined,
  cells: ReadonlySet<string>,
): Rewritten | undefined {
  const filter = { '%': 'format', '*': repeatFilter }[tokens[at]?.text ?? '']
  if (!filter || previous?.kind !== 'string') return undefined
  const last = operandEnd(tokens, at + 1)
  return { text: `|${filter}(${writeTokens(tokens.slice(at + 1, last + 1), cells)})`, last }
}

/** The position of the last token of an operand: a value with what is attached to it. */
function operandEnd(tokens: readonly Token[], from: number): number {
  let at = from
  while (tokens[at]?.kind === 'space' || tokens[at]?.text === '-') at++
  if (tokens[at] && '([{'.includes(tokens[at]?.text ?? '')) at = closingBracket(tokens, at)
  for (;;) {
    const next = tokens[at + 1]?.text ?? ''
    if (next === '.') at += 2
    else if (next === '(' || next === '[') at = closingBracket(tokens, at + 1)
    else return Math.min(at, tokens.length - 1)
  }
}

function closingBracket(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let at = open; at < tokens.length; at++) {
    const { text, kind } = tokens[at] as Token
    if (kind !== 'operator') continue
    if ('([{'.includes(text)) depth++
    if (')]}'.includes(text) && --depth === 0) return at
  }
  return tokens.length - 1
}

function before(tokens: readonly Token[], at: number): Token | undefined {
  const direct = tokens[at - 1]
  return direct?.kind === 'space' ? tokens[at - 2] : direct
}

function after(tokens: readonly Token[], at: number): Token | undefined {
  const direct = tokens[at + 1]
  return direct?.kind === 'space' ? tokens[at + 2] : direct
}
