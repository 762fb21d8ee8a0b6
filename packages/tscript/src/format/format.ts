import type { Diagnostic } from '../diagnostic.ts'
import { Source } from '../source.ts'
import { assemble } from '../syntax/assemble.ts'
import { cutPieces, type Piece } from '../syntax/pieces.ts'
import { scan } from '../syntax/scan.ts'
import type { Comment, Token } from '../syntax/token.ts'
import { Indentation } from './indentation.ts'
import { separator } from './spacing.ts'

export type FormatResult = { ok: true; text: string } | { ok: false; diagnostics: Diagnostic[] }

type Item = { token: Token; comment?: undefined } | { comment: Comment; token?: undefined }

/**
 * Writes a program in the house style: two blanks a level, `( a + b )`, `name( key=value )`, one blank line at most. Line
 * breaks stay where the author put them, comments where they stand, texts as they are; the instructions stay the same.
 * A program with syntax errors is not touched.
 */
export function format(text: string): FormatResult {
  const source = new Source(text)
  const { tokens, comments } = scan(source)
  const pieces = cutPieces(tokens, source)
  assemble(pieces, source)
  if (source.failed) return { ok: false, diagnostics: source.sorted() }
  return { ok: true, text: new Writer(tokens, comments, pieces).write() }
}

class Writer {
  private readonly items: Item[]
  private readonly starts: ReadonlyMap<Token, Piece>
  private readonly indentation = new Indentation()
  private readonly lines: string[] = []
  private line = ''
  private blank = false
  private depth = 0
  private readonly brackets: Token[] = []
  private previous: Token | undefined

  constructor(tokens: readonly Token[], comments: readonly Comment[], pieces: readonly Piece[]) {
    const items: Item[] = [...tokens.map(token => ({ token })), ...comments.map(comment => ({ comment }))]
    this.items = items.sort((a, b) => (a.token ?? a.comment).offset - (b.token ?? b.comment).offset)
    this.starts = new Map(pieces.map(piece => [piece.tokens[0] as Token, piece]))
  }

  write(): string {
    this.items.forEach((item, at) => {
      if (item.comment) this.comment(item.comment, at)
      else if (item.token.kind === 'newline') this.newline()
      else this.token(item.token)
    })
    this.newline()
    while (this.lines[this.lines.length - 1] === '') this.lines.pop()
    return this.lines.length === 0 ? '' : `${this.lines.join('\n')}\n`
  }

  private newline(): void {
    if (this.line !== '') {
      this.lines.push(this.line)
      this.blank = false
    } else if (!this.blank && this.lines.length > 0) {
      this.lines.push('')
      this.blank = true
    }
    this.line = ''
    this.previous = undefined
  }

  private token(token: Token): void {
    const piece = this.starts.get(token)
    const fresh = this.line === ''
    if (piece) this.indentation.enter(piece, fresh)
    if (isCloser(token)) this.depth--
    if (fresh) this.line = ' '.repeat(this.indentation.current + 2 * Math.max(0, this.depth))
    else if (piece) this.line += ' '
    else this.line += separator(this.previous, token, this.brackets[this.brackets.length - 1], this.before)
    if (isOpener(token)) {
      this.brackets.push(token)
      this.depth++
    } else if (isCloser(token)) this.brackets.pop()
    this.line += token.kind === 'text' ? quoted(token) : token.text
    this.before = piece ? undefined : this.previous
    this.previous = token
  }

  /** The token before the previous one, in the same piece. */
  private before: Token | undefined

  private comment(comment: Comment, at: number): void {
    const text = comment.text.trimEnd()
    if (this.line !== '') this.line += ` ${text}`
    else this.line = ' '.repeat(this.commentIndent(at)) + text
  }

  /** A comment on a line of its own stands as what follows it. */
  private commentIndent(at: number): number {
    if (this.depth > 0) return this.indentation.current + 2 * this.depth
    const next = this.items.slice(at).find(item => item.token && item.token.kind !== 'newline')?.token
    return this.indentation.ofComment(next && this.starts.get(next))
  }
}

function isOpener(token: Token): boolean {
  return token.kind === 'symbol' && (token.text === '(' || token.text === '[' || token.text === '{')
}
function isCloser(token: Token): boolean {
  return token.kind === 'symbol' && (token.text === ')' || token.text === ']' || token.text === '}')
}

function quoted(token: Token): string {
  const quote = token.text.includes("'") ? '"' : "'"
  return quote + token.text + quote
}
