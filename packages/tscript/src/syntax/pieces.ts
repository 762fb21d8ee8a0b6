import type { Source } from '../source.ts'
import { measureBrackets } from './brackets.ts'
import type { Token } from './token.ts'

/*
 * Cuts the tokens into pieces: what the grammar parses at once. A piece is an `if` or `elif` with its `then`, a `while`
 * with its `do`, an `else`, a `begin( … )`, an `end`, or a statement to the end of its line.
 */

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

/** What ends a piece that does not end with its line. */
const LAST: { [kind in PieceKind]?: string } = { if: 'then', elif: 'then', while: 'do', begin: ')' }
const HEADS = new Set(['if', 'elif', 'else', 'while', 'begin', 'end'])

export function cutPieces(tokens: Token[], source: Source): Piece[] {
  const depth = measureBrackets(tokens, source)
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
    pieces.push(makePiece(tokens, at, end, ownLine, source))
    ownLine = false
    at = end
  }
  return pieces
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

function makePiece(all: readonly Token[], from: number, to: number, ownLine: boolean, source: Source): Piece {
  const tokens: Token[] = []
  let sound = true
  for (let at = from; at < to; at++) {
    const token = all[at] as Token
    if (token.kind === 'newline') continue
    if (token.kind === 'bad') sound = false
    tokens.push(token)
  }
  const first = tokens[0] as Token
  const last = tokens[tokens.length - 1] as Token
  if (sound && tokens.length > MAX_TOKENS) {
    sound = false
    const message = `This statement is longer than ${MAX_TOKENS} words`
    source.error('length', first, message, 'Build the value in several statements')
  }
  const head = first.kind === 'word' && HEADS.has(first.text) && tokens[1]?.text !== '='
  const kind = head ? (first.text as PieceKind) : 'plain'
  const stop = LAST[kind]
  return { kind, tokens, ownLine, sound, complete: stop === undefined || last.text === stop }
}
