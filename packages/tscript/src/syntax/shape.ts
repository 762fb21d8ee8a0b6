import { grammar, type MatchResult } from 'ohm-js'
import { GRAMMAR } from '../grammar/grammar.ts'
import type { Expression, Statement } from './ast.ts'
import { ACTIONS, type Build, type Head, type Ordinals } from './builders.ts'
import type { Token } from './token.ts'

/*
 * Two pieces that differ only in their names, numbers and texts have the same tree. So ohm parses the shape of a piece,
 * in which every name is `x`, every number `0` and every text `''`, and what it finds is kept for the next piece of that
 * shape. Measured: ohm parses about 2,000 lines a second, a remembered shape is about a hundred times as fast, and
 * scripts of one house use a few dozen shapes.
 */

/** What is remembered stays below some 50 MB, whatever texts come: so many shapes, each of so many tokens at most. */
const MAX_SHAPES = 2048
const MAX_SHAPE_TOKENS = 128

export type Parsed = Head | Statement | Expression

export type ShapeResult = { build: Build<Parsed> } | { build: undefined; failed: number; expected: string[] }

const TSCRIPT = grammar(GRAMMAR)
const semantics = TSCRIPT.createSemantics()
semantics.addOperation<Build<unknown>>('build(ordinals)', ACTIONS as never)

const memo = new Map<string, ShapeResult>()

/** Parses the tokens of one piece. `failed` is the number of the first token that does not fit. */
export function parseShape(tokens: readonly Token[]): ShapeResult {
  const shape = shapeOf(tokens)
  const known = memo.get(shape)
  if (known) return known
  const result = matchShape(shape, tokens)
  if (tokens.length > MAX_SHAPE_TOKENS) return result
  if (memo.size >= MAX_SHAPES) memo.clear()
  memo.set(shape, result)
  return result
}

const STANDS_FOR: { [kind: string]: string } = { name: 'x', member: 'x.x', number: '0', time: '0:00', text: "''" }

function shapeOf(tokens: readonly Token[]): string {
  let shape = ''
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    if (at > 0 && !isSign(tokens, at - 1)) shape += ' '
    shape += STANDS_FOR[token.kind] ?? token.text
  }
  return shape
}

/** `-7` is a number where a value is expected; `- 7` is not. */
function isSign(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at] as Token
  const next = tokens[at + 1]
  return (
    (token.text === '-' || token.text === '+') &&
    token.kind === 'symbol' &&
    next?.kind === 'number' &&
    next.offset === token.end
  )
}

function ordinalsOf(tokens: readonly Token[]): Ordinals {
  const ordinals = new Map<number, number>()
  let offset = 0
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    if (at > 0 && !isSign(tokens, at - 1)) offset++
    ordinals.set(offset, at)
    offset += (STANDS_FOR[token.kind] ?? token.text).length
  }
  return ordinals
}

function matchShape(shape: string, tokens: readonly Token[]): ShapeResult {
  const ordinals = ordinalsOf(tokens)
  const match = matchBounded(shape)
  if (!match) return { build: undefined, failed: 0, expected: [] }
  if (match.succeeded()) return { build: (semantics(match) as unknown as Built).build(ordinals) }
  const { offset, expected } = failureOf(match as unknown as Failed)
  let failed = tokens.length
  for (const [start, at] of ordinals) {
    const token = tokens[at] as Token
    if (offset < start + (STANDS_FOR[token.kind] ?? token.text).length) {
      failed = at
      break
    }
  }
  return { build: undefined, failed, expected }
}

/** Depth and length are bounded long before; should a stack be smaller than most, the piece is refused all the same. */
function matchBounded(shape: string): MatchResult | undefined {
  try {
    return TSCRIPT.match(shape)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

interface Built {
  build(ordinals: Ordinals): Build<Parsed>
}

/** The part of ohm's failed match that its declarations leave out. */
interface Failed {
  getRightmostFailurePosition(): number
  getRightmostFailures(): { toString(): string; isFluffy(): boolean }[]
}

function failureOf(match: Failed): { offset: number; expected: string[] } {
  const expected = match.getRightmostFailures().filter(failure => !failure.isFluffy())
  return { offset: match.getRightmostFailurePosition(), expected: [...new Set(expected.map(String))] }
}
