import type { Source } from '../source.ts'
import { cutText, findUnstorable, matchUnstorable } from '../value/storable.ts'
import { type Comment, RESERVED, type Token, type TokenKind } from './token.ts'

/*
 * The scanner knows what ohm should not be asked per character: blanks, comments, texts that span lines, the three kinds
 * of line end, and characters that no program may hold. It never fails: what it cannot read becomes a `bad` token.
 */

const WORD = /[A-Za-z][A-Za-z0-9_]*/y
const NUMBER = /\d+(?::\d*)+|\d+(?:\.\d+)?/y
const TIME = /^\d{1,2}(?::\d{1,2}){1,3}$/
const SYMBOLS = new Set([
  '==',
  '!=',
  '<=',
  '>=',
  '=',
  '<',
  '>',
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '.',
  '&',
  '|',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
])
const NEWLINE = /\r\n|\n|\r/g

export interface Scan {
  tokens: Token[]
  comments: Comment[]
}

export function scan(source: Source): Scan {
  const scanner = new Scanner(source)
  scanner.run()
  return { tokens: scanner.tokens, comments: scanner.comments }
}

class Scanner {
  readonly tokens: Token[] = []
  readonly comments: Comment[] = []
  private readonly source: Source
  private readonly text: string
  /** Columns count code points; texts without surrogates, nearly all, need no counting. */
  private readonly wide: boolean
  private offset = 0
  private line = 1
  private lineStart = 0

  constructor(source: Source) {
    this.source = source
    this.text = source.text
    this.wide = /[\ud800-\udfff]/.test(this.text)
    if (this.text.charCodeAt(0) === 0xfeff) this.offset = this.lineStart = 1
  }

  run(): void {
    const { text } = this
    this.reportUnstorable()
    while (this.offset < text.length) {
      const code = text.charCodeAt(this.offset)
      if (code === 32 || code === 9) this.offset++
      else if (code === 10 || code === 13) this.newline(code)
      else if (code === 35) this.comment()
      else if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90)) this.word()
      else if (code >= 48 && code <= 57) this.number()
      else if (code === 39 || code === 34) this.quoted()
      else this.symbol()
    }
  }

  private push(kind: TokenKind, text: string, end: number): Token {
    const token = { kind, text, offset: this.offset, end, line: this.line, column: this.column(this.offset) }
    this.tokens.push(token)
    this.offset = end
    return token
  }

  private column(offset: number): number {
    if (!this.wide) return offset - this.lineStart + 1
    let column = 1
    for (let at = this.lineStart; at < offset; at += (this.text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) column++
    return column
  }

  private newline(code: number): void {
    const end = code === 13 && this.text.charCodeAt(this.offset + 1) === 10 ? this.offset + 2 : this.offset + 1
    this.push('newline', '\n', end)
    this.line++
    this.lineStart = end
  }

  private comment(): void {
    const start = this.offset
    const { text } = this
    let end = start
    while (end < text.length && text.charCodeAt(end) !== 10 && text.charCodeAt(end) !== 13) end++
    this.comments.push({ text: text.slice(start, end), offset: start, line: this.line, column: this.column(start) })
    this.offset = end
  }

  private match(pattern: RegExp, at: number): string {
    pattern.lastIndex = at
    return pattern.exec(this.text)?.[0] ?? ''
  }

  private word(): void {
    const word = this.match(WORD, this.offset)
    const end = this.offset + word.length
    if (RESERVED.has(word)) {
      this.push('word', word, end)
      return
    }
    const member = this.text.charCodeAt(end) === 46 ? this.match(WORD, end + 1) : ''
    if (member) this.push('member', `${word}.${member}`, end + 1 + member.length)
    else this.push('name', word, end)
  }

  private number(): void {
    const digits = this.match(NUMBER, this.offset)
    const end = this.offset + digits.length
    const time = digits.includes(':')
    const token = this.push(time ? 'time' : 'number', digits, end)
    if (time && !TIME.test(digits)) {
      token.kind = 'bad'
      const rule = 'A time has two to four parts of one or two digits: M:S, H:M:S or D:H:M:S'
      this.source.error('time', token, `\`${cutText(digits, 40)}\` is not a time`, rule)
    }
    const next = this.text.charCodeAt(end)
    if (next === 95 || (next >= 97 && next <= 122) || (next >= 65 && next <= 90)) {
      token.kind = 'bad'
      const tail = /\w*/y
      this.offset = end + this.match(tail, end).length
      this.source.error(
        'name',
        token,
        `\`${cutText(this.text.slice(token.offset, this.offset), 40)}\` is neither a number nor a name`,
        'A name begins with a letter',
      )
    } else if (!time) this.checkExact(token)
  }

  private checkExact(token: Token): void {
    const { text } = token
    if (text.length < 16) return
    const value = Number(text)
    if (Number.isFinite(value) && (text.includes('.') || BigInt(value) === BigInt(text))) return
    token.kind = 'bad'
    this.source.error('number', token, `The number ${cutText(text, 40)} cannot be held exactly`)
  }

  private quoted(): void {
    const { text, offset } = this
    const quote = text.charAt(offset)
    const close = text.indexOf(quote, offset + 1)
    if (close < 0) {
      // Going on behind the line, and not at the end of the program, lets the lines below be checked as well.
      const token = this.push('bad', quote, offset + 1)
      this.source.error(
        'text',
        token,
        `The text that begins here is never closed`,
        this.runsOn() ?? `Close it with ${quote}; there are no escapes`,
      )
      while (this.offset < text.length && !'\r\n'.includes(text.charAt(this.offset))) this.offset++
      return
    }
    this.push('text', text.slice(offset + 1, close), close + 1)
    const inside = text.slice(offset, close)
    if (!inside.includes('\n') && !inside.includes('\r')) return
    for (const found of inside.matchAll(NEWLINE)) {
      this.line++
      this.lineStart = offset + found.index + found[0].length
    }
  }

  /** A forgotten quote is noticed late: the text runs to the next quote, and from there everything is the wrong way round. */
  private runsOn(): string | undefined {
    const long = this.tokens.findLast(token => token.kind === 'text')
    if (!long || !/[\r\n]/.test(long.text) || this.text.slice(long.end, this.offset).includes('\n')) return undefined
    return `The text of line ${long.line} runs over several lines: is its closing quote missing?`
  }

  private symbol(): void {
    const { text, offset } = this
    const two = text.slice(offset, offset + 2)
    if (SYMBOLS.has(two)) this.push('symbol', two, offset + 2)
    else if (SYMBOLS.has(text.charAt(offset))) this.push('symbol', text.charAt(offset), offset + 1)
    else this.unknown()
  }

  private unknown(): void {
    const point = this.text.codePointAt(this.offset) ?? 0
    const character = String.fromCodePoint(point)
    const token = this.push('bad', character, this.offset + character.length)
    // A run of the same strange character is one mistake.
    while (this.text.startsWith(character, this.offset)) this.offset += character.length
    if (point === 0 || (point >= 0xd800 && point <= 0xdfff)) return
    const shown =
      point > 32 && point !== 127 && !/\s|\p{C}/u.test(character)
        ? `\`${character}\``
        : `The character U+${point.toString(16).toUpperCase().padStart(4, '0')}`
    this.source.error('character', token, `${shown} has no meaning here`, HINTS[character])
  }

  private reportUnstorable(): void {
    let line = 1
    let lineStart = 0
    let from = 0
    for (const found of matchUnstorable(this.text)) {
      for (const end of this.text.slice(from, found.index).matchAll(NEWLINE)) {
        line++
        lineStart = from + end.index + end[0].length
      }
      from = found.index
      const column = Array.from(this.text.slice(lineStart, found.index)).length + 1
      this.source.error('character', { line, column }, `Here is ${findUnstorable(found[0])}; a program cannot hold it`)
      // One is enough: such a file is not text at all.
      return
    }
  }
}

const HINTS: { [character: string]: string } = {
  _: 'A name begins with a letter',
  '!': 'Write `not x`, or `!=` for "is not equal"',
  ';': 'A statement ends with its line',
  '\\': 'A line break inside ( ), [ ] or { } needs no mark',
  '~': 'The operators are + - * / % ^ . & | == != < <= > >= and or not',
  $: 'A name begins with a letter',
  '@': 'A name begins with a letter',
  '“': 'Quotes are \' or "',
  '”': 'Quotes are \' or "',
  '‘': 'Quotes are \' or "',
  '’': 'Quotes are \' or "',
  '–': 'The minus sign is -',
  '\u00a0': 'This is a no-break space: use a blank',
}
