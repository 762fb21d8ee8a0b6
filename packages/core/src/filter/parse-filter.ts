import { ContractorError } from '@contractor/contract'
import { type Diagnostic, formatDiagnostic } from '@contractor/tscript'
import { type FailedMatchResult, grammar, type MatchResult, type Node } from 'ohm-js'
import type { Condition, Filter, Literal, Place } from './filter.ts'
import { grammarText } from './grammar.ts'

/** Longer ones are no questions of people. */
export const mostCharacters = 4000
/** Brackets and `not` within one another: more would overflow the parser's stack. */
const mostDepth = 60

const rules = grammar(grammarText)

/** A mistake in a filter, at its place. */
export interface FilterMistake {
  readonly at: Place
  readonly message: string
  readonly suggestion?: string | undefined
}

/** What is thrown for mistakes: all of them, with their lines, as of a script. */
export function refuseFilter(text: string, mistakes: readonly FilterMistake[]): ContractorError<'FILTER_INVALID'> {
  const found = mistakes.map(({ at, message, suggestion }): Diagnostic => {
    const before = text.slice(0, at.from).split('\n')
    const line = before.length
    return {
      ...{ severity: 'error', code: 'filter', message, line, column: Array.from(before.at(-1) ?? '').length + 1 },
      text: text.split('\n')[line - 1] ?? '',
      ...(suggestion !== undefined && { suggestion }),
    }
  })
  return new ContractorError(
    'FILTER_INVALID',
    `The filter is not valid:\n${found.map(one => formatDiagnostic(one)).join('\n')}`,
    { diagnostics: found.map(({ line, column, message }) => ({ line, column, message })) },
  )
}

/** Reads a filter's text. Throws FILTER_INVALID. */
export function parseFilter(text: string): Filter {
  if (text.length > mostCharacters)
    throw refuseFilter(text.slice(0, 80), [
      { at: { from: 0, to: 1 }, message: `It has ${text.length} characters; ${mostCharacters} are allowed` },
    ])
  refuseDepth(text)
  const match = rules.match(text)
  if (match.failed()) throw refuseFilter(text, [mistakeOf(text, match)])
  return toFilter(match).read() as Filter
}

/** Within texts, brackets are letters. */
function refuseDepth(text: string): void {
  let depth = 0
  for (const [piece] of text.matchAll(/'[^']*'|"[^"]*"|[()]|\bnot\b/gi)) {
    if (piece === '(' || /^not$/i.test(piece)) depth++
    else if (piece === ')') depth = Math.max(0, depth - 1)
    else if (/^['"]/.test(piece)) continue
    if (depth > mostDepth)
      throw refuseFilter(text, [{ at: { from: 0, to: 1 }, message: `It is nested more than ${mostDepth} deep` }])
  }
}

/** What people write who know other languages. */
const habits: readonly { written: RegExp; says: string }[] = [
  { written: /^=(?!=)/, says: 'Two values are compared with `==`' },
  { written: /^(&&|&)/, says: 'Write `and`' },
  { written: /^\|/, says: 'Write `or`' },
  { written: /^!(?!=)/, says: 'Write `not`' },
  { written: /^<>/, says: 'Write `!=`' },
]

function mistakeOf(text: string, match: MatchResult): FilterMistake {
  // What comes behind the beginning of a text that never ends is within it.
  const open = text.replace(/'[^']*'|"[^"]*"/g, closed => ' '.repeat(closed.length)).search(/['"]/)
  if (open >= 0) return { at: { from: open, to: open + 1 }, message: 'The text that begins here never ends' }
  const from = (match as FailedMatchResult).getRightmostFailurePosition()
  const at = { from, to: from + 1 }
  const rest = text.slice(from)
  const habit = habits.find(one => one.written.test(rest))
  const here = rest.trim() ? `\`${/^\s*(\S{1,20})/.exec(rest)?.[1]}\` does not fit here` : 'It ends too early'
  const wanted = "A filter is made of conditions, as `state == 'built'`, with `and`, `or`, `not` and brackets"
  return { at, message: here, suggestion: habit?.says ?? wanted }
}

const placeOf = (node: Node): Place => ({ from: node.source.startIdx, to: node.source.endIdx })
const read = (node: Node) => node.read()
const items = (list: Node): unknown[] => list.asIteration().children.map(read)

const semantics = rules.createSemantics()
const operation: Record<string, (this: Node, ...nodes: Node[]) => unknown> = {
  Filter: (either: Node, _end: Node) => read(either),
  Either: (list: Node) => joined('or', items(list) as Filter[]),
  Both: (list: Node) => joined('and', items(list) as Filter[]),
  Part_not: (_not: Node, part: Node) => ({ kind: 'not', part: read(part) }),
  Part_brackets: (_open: Node, either: Node, _close: Node) => read(either),
  Condition_within: (field: Node, _in: Node, _subtree: Node, _open: Node, root: Node, _close: Node) =>
    rooted('within', field, root),
  Condition_outside(field: Node, _not: Node, _in: Node, _subtree: Node, _open: Node, root: Node, _close: Node) {
    return { kind: 'not', part: rooted('within', field, root) }
  },
  Condition_isa: (field: Node, _isa: Node, root: Node) => rooted('isa', field, root),
  Condition_oneOf: (field: Node, _in: Node, list: Node) => oneOf(field, list),
  Condition_noneOf: (field: Node, _not: Node, _in: Node, list: Node) => ({ kind: 'not', part: oneOf(field, list) }),
  Condition_compare: (field: Node, operator: Node, value: Node) => ({
    ...{ kind: 'compare', field: field.sourceString, at: placeOf(field) },
    ...{ operator: operator.sourceString.toLowerCase(), value: read(value), valueAt: placeOf(value) },
  }),
  Condition_exists: (_exists: Node, _open: Node, field: Node, _close: Node) => ({
    ...{ kind: 'exists', field: field.sourceString, at: placeOf(field) },
  }),
  List_square: (_open: Node, list: Node, _comma: Node, _close: Node) => items(list),
  List_round: (_open: Node, list: Node, _comma: Node, _close: Node) => items(list),
  text: (marked: Node) => marked.sourceString.slice(1, -1),
  number(_sign: Node, _whole: Node, _point: Node, _part: Node) {
    return Number(this.sourceString)
  },
  constant: (word: Node) => ({ true: true, false: false, none: null, null: null })[word.sourceString.toLowerCase()],
}
semantics.addOperation('read', operation as never)

const toFilter = (match: MatchResult) => semantics(match) as unknown as { read(): unknown }

const joined = (kind: 'and' | 'or', parts: readonly Filter[]): Filter =>
  parts.length === 1 ? (parts[0] as Filter) : { kind, parts }

const rooted = (kind: 'within' | 'isa', field: Node, root: Node): Condition => ({
  ...{ kind, field: field.sourceString, at: placeOf(field), root: read(root) as string, valueAt: placeOf(root) },
})

const oneOf = (field: Node, list: Node): Condition => ({
  ...{ kind: 'oneOf', field: field.sourceString, at: placeOf(field), values: read(list) as Literal[] },
  valueAt: placeOf(list),
})
