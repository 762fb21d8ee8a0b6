import type { Source } from '../source.ts'
import type { Token } from './token.ts'

/*
 * A line break inside brackets does not end a line, so one forgotten `)` would swallow the rest of the program. Brackets
 * are therefore matched first, in one pass; one that is never closed, or that reaches a line which begins like a
 * statement, is reported and hides no line breaks.
 */

/** Deeper brackets would overflow the stack of those who walk the tree. */
export const MAX_BRACKETS = 100

const CLOSER: { [opener: string]: string } = { '(': ')', '[': ']', '{': '}' }
const CLOSERS = new Set(Object.values(CLOSER))
const OPENING = new Set(['begin', 'end', 'if', 'elif', 'else', 'while', 'goto', 'break', 'continue', 'pass'])

/** How many matched brackets are open behind each token. Those that match nothing are reported and become `bad`. */
export function measureBrackets(tokens: readonly Token[], source: Source): Int32Array {
  const closes = matchBrackets(tokens, source)
  const depth = new Int32Array(tokens.length)
  const ends: number[] = []
  let knotEnd = -1
  for (let at = 0; at < tokens.length; at++) {
    const close = closes[at] as number
    if (close >= 0) {
      ends.push(close)
      if (ends.length > MAX_BRACKETS) {
        const token = tokens[at] as Token
        // One report for the whole knot.
        if (at > knotEnd) reportDeep(token, source)
        knotEnd = Math.max(knotEnd, ends[0] as number)
        token.kind = 'bad'
      }
    } else if (ends[ends.length - 1] === at) ends.pop()
    depth[at] = ends.length
  }
  return depth
}

/** For each bracket that opens, the number of the token that closes it, else -1. */
function matchBrackets(tokens: readonly Token[], source: Source): Int32Array {
  const closes = new Int32Array(tokens.length).fill(-1)
  const open: number[] = []
  const abandon = () => {
    for (const at of open.splice(0)) reportUnclosed(tokens[at] as Token, source)
  }
  tokens.forEach((token, at) => {
    if (token.kind === 'newline') {
      if (open.length > 0 && beginsStatement(tokens, at + 1)) abandon()
    } else if (token.kind !== 'symbol') return
    else if (token.text in CLOSER) open.push(at)
    else if (CLOSERS.has(token.text)) {
      const opener = open.pop()
      if (opener !== undefined && CLOSER[(tokens[opener] as Token).text] === token.text) closes[opener] = at
      else reportMismatch(token, opener === undefined ? undefined : (tokens[opener] as Token), source)
    }
  })
  abandon()
  return closes
}

function reportMismatch(closer: Token, opener: Token | undefined, source: Source): void {
  closer.kind = 'bad'
  if (!opener) {
    source.error('bracket', closer, `\`${closer.text}\` closes nothing`)
    return
  }
  opener.kind = 'bad'
  const place = `line ${opener.line}, column ${opener.column}`
  const message = `\`${closer.text}\` cannot close the \`${opener.text}\` of ${place}`
  source.error('bracket', closer, message, `Expected \`${CLOSER[opener.text]}\``)
}

function reportUnclosed(opener: Token, source: Source): void {
  opener.kind = 'bad'
  const message = `The \`${opener.text}\` that opens here is never closed`
  source.error('bracket', opener, message, `Expected \`${CLOSER[opener.text]}\``)
}

function reportDeep(token: Token, source: Source): void {
  const message = `Brackets are nested more than ${MAX_BRACKETS} deep here`
  source.error('depth', token, message, 'Give parts of the value a name of their own')
}

/** A reserved word that opens a statement, unless it names a parameter or a map key: `end=2`. */
function beginsStatement(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at]
  if (token?.kind !== 'word' || !OPENING.has(token.text)) return false
  return tokens[at + 1]?.text !== '='
}
