import type { Source } from '../source.ts'
import type { Token } from './token.ts'

/*
 * Cuts the tokens into pieces: what the grammar parses at once. A piece is an `if` or `elif` with its `then`, a `while`
 * with its `do`, an `else`, a `begin( … )`, an `end`, or a statement to the end of its line.
 *
 * A line break inside brackets does not end a line, so one forgotten `)` would swallow the rest of the program. Brackets
 * are therefore matched first, in one pass; one that is never closed, or that reaches a line which begins like a
 * statement, is reported and hides no line breaks.
 */

/** Deeper brackets would overflow the stack of those who walk the tree. */
export const MAX_BRACKETS = 100
/** ohm remembers each rule at each place: a single statement of 1 MB would fill the memory. */
export const MAX_TOKENS = 20_000

export type PieceKind = 'if' | 'elif' | 'else' | 'while' | 'begin' | 'end' | 'plain'

export interface Piece {
  kind: PieceKind
  tokens: Token[]
  /** A line break, or the start of the program, stands between this piece and the one before. */
  ownLine: boolean
  /** False: it holds a token that was reported already. */
  sound: boolean
  /** False: an `if` without its `then`, a `while` without its `do`, a `begin` without its brackets. */
  complete: boolean
}

const CLOSER: { [opener: string]: string } = { '(': ')', '[': ']', '{': '}' }
const OPENING = new Set(['begin', 'end', 'if', 'elif', 'else', 'while', 'goto', 'break', 'continue', 'pass'])
const HEADS = new Set(['if', 'elif', 'else', 'while', 'begin', 'end'])

export function cutPieces(tokens: Token[], source: Source): Piece[] {
  const depth = matchBrackets(tokens, source)
  const pieces: Piece[] = []
  let ownLine = true
  let at = 0
  while (at < tokens.length) {
    const token = tokens[at] as Token
    if (token.kind === 'newline') {
      ownLine = true
      at++
      continue
    }
    const end = pieceEnd(tokens, at, depth)
    pieces.push(makePiece(tokens.slice(at, end), ownLine, source))
    ownLine = false
    at = end
  }
  return pieces
}

/** How many matched brackets are open behind each token. */
function matchBrackets(tokens: Token[], source: Source): Int32Array {
  const closes = new Int32Array(tokens.length).fill(-1)
  let open: number[] = []
  const abandon = () => {
    for (const at of open) reportUnclosed(tokens[at] as Token, source)
    open = []
  }
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    if (token.kind === 'symbol') {
      if (token.text in CLOSER) open.push(at)
      else if (token.text === ')' || token.text === ']' || token.text === '}')
        matchCloser(tokens, at, open, closes, source)
    } else if (open.length > 0 && token.kind === 'newline' && beginsStatement(tokens, at + 1)) abandon()
  }
  abandon()
  const depth = new Int32Array(tokens.length)
  let level = 0
  let reported = -1
  const ends: number[] = []
  for (let at = 0; at < tokens.length; at++) {
    if ((closes[at] as number) >= 0) {
      ends.push(closes[at] as number)
      level++
      if (level > MAX_BRACKETS) {
        const token = tokens[at] as Token
        if (at > reported)
          source.error(
            'depth',
            token,
            `Brackets are nested more than ${MAX_BRACKETS} deep here`,
            'Give parts of the value a name of their own',
          )
        // One report for the whole knot.
        reported = Math.max(reported, ends[0] as number)
        token.kind = 'bad'
      }
    } else if (ends.length > 0 && ends[ends.length - 1] === at) {
      ends.pop()
      level--
    }
    depth[at] = level
  }
  return depth
}

function matchCloser(tokens: Token[], at: number, open: number[], closes: Int32Array, source: Source): void {
  const closer = tokens[at] as Token
  const opener = open.length > 0 ? (tokens[open[open.length - 1] as number] as Token) : undefined
  if (opener && CLOSER[opener.text] === closer.text) {
    closes[open.pop() as number] = at
    return
  }
  closer.kind = 'bad'
  if (!opener) source.error('bracket', closer, `\`${closer.text}\` closes nothing`)
  else {
    source.error(
      'bracket',
      closer,
      `\`${closer.text}\` cannot close the \`${opener.text}\` of line ${opener.line}, column ${opener.column}`,
      `Expected \`${CLOSER[opener.text]}\``,
    )
    opener.kind = 'bad'
    open.pop()
  }
}

function reportUnclosed(opener: Token, source: Source): void {
  opener.kind = 'bad'
  source.error(
    'bracket',
    opener,
    `The \`${opener.text}\` that opens here is never closed`,
    `Expected \`${CLOSER[opener.text]}\``,
  )
}

/** A reserved word that opens a statement, unless it names a parameter or a map key: `end=2`. */
function beginsStatement(tokens: Token[], at: number): boolean {
  const token = tokens[at]
  if (token?.kind !== 'word' || !OPENING.has(token.text)) return false
  return tokens[at + 1]?.text !== '='
}

function pieceEnd(tokens: Token[], start: number, depth: Int32Array): number {
  const first = tokens[start] as Token
  const word = first.kind === 'word' ? first.text : ''
  const misused = tokens[start + 1]?.text === '='
  if ((word === 'else' || word === 'end') && !misused) return start + 1
  const stop = word === 'if' || word === 'elif' ? 'then' : word === 'while' ? 'do' : ''
  for (let at = start + 1; at < tokens.length; at++) {
    const { kind, text } = tokens[at] as Token
    if ((depth[at] as number) > 0) continue
    if (kind === 'newline') return at
    if (kind === 'word') {
      if (text === stop) return at + 1
      const label = at === start + 1 && (word === 'goto' || first.text === ':')
      if (HEADS.has(text) && !label) return at
    }
    if (word === 'begin' && text === ')') return at + 1
  }
  return tokens.length
}

function makePiece(tokens: Token[], ownLine: boolean, source: Source): Piece {
  const first = tokens[0] as Token
  const last = tokens[tokens.length - 1] as Token
  const head = first.kind === 'word' && HEADS.has(first.text) && tokens[1]?.text !== '='
  const kind = head ? (first.text as PieceKind) : 'plain'
  const stop = { if: 'then', elif: 'then', while: 'do', begin: ')' }[kind as string]
  let sound = tokens.every(token => token.kind !== 'bad')
  if (sound && tokens.length > MAX_TOKENS) {
    sound = false
    source.error(
      'length',
      first,
      `This statement is longer than ${MAX_TOKENS} words`,
      'Build the value in several statements',
    )
  }
  return {
    kind,
    tokens: tokens.filter(token => token.kind !== 'newline'),
    ownLine,
    sound,
    complete: !stop || last.text === stop,
  }
}
