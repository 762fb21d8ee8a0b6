import { TemplateError } from './failure.ts'
import { lex, type Token } from './lex.ts'

/** Parsed expressions within each other: well within what the evaluator and the stack of JavaScript hold. */
const deepest = 100
const longestChain = 200

/** A walk over the tokens of one template, for those who know its grammar. */
export class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(source: string) {
    this.#tokens = lex(source)
  }

  get current(): Token {
    return this.#tokens[this.#at] as Token
  }

  get line(): number {
    return this.current.line
  }

  look(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)] as Token
  }

  next(): Token {
    const token = this.current
    if (token.kind !== 'eof') this.#at++
    return token
  }

  is(kind: Token['kind'], text?: string): boolean {
    return this.current.kind === kind && (text === undefined || this.current.text === text)
  }

  isName = (text: string) => this.is('name', text)
  isOperator = (text: string) => this.is('operator', text)

  skipName(text: string): boolean {
    const isThere = this.isName(text)
    if (isThere) this.next()
    return isThere
  }

  skipOperator(text: string): boolean {
    const isThere = this.isOperator(text)
    if (isThere) this.next()
    return isThere
  }

  expect(kind: Token['kind'], text?: string): Token {
    if (!this.is(kind, text)) this.unexpected(text ?? { end: 'the end of the block' }[kind as 'end'] ?? `a ${kind}`)
    return this.next()
  }

  unexpected(wanted?: string): never {
    const { kind, text } = this.current
    const found =
      { eof: 'end of template', end: 'end of block', begin: 'begin of a block' }[kind as 'eof'] ?? `'${text}'`
    return this.fail(`unexpected ${found}${wanted === undefined ? '' : `, expected ${wanted}`}`)
  }

  fail(message: string, line = this.line): never {
    throw new TemplateError(`syntax error: ${message}`, line)
  }

  /** Refuses what is nested too deep. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > deepest) this.fail(`it is nested more than ${deepest} levels deep`)
    const parsed = parse()
    this.#depth--
    return parsed
  }

  /** Counts what hangs on one another: `a.b.c`, `a + b + c`. */
  chain(): () => void {
    let length = 0
    return () => {
      if (++length > longestChain) this.fail(`more than ${longestChain} operations hang on one another`)
    }
  }
}
