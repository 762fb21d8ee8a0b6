import { holdsSecret } from '@contractor/contract'
import { TemplateError } from './failure.ts'
import { strip } from './text.ts'

/**
 * A template's source, cut into text and tokens as Jinja2 cuts it: a `-` at a mark takes the spaces beside it away, a
 * `+` does nothing without `trim_blocks`, line ends become `\n`.
 */
export type Token =
  | { kind: 'text'; text: string; line: number }
  | { kind: 'begin' | 'end'; text: 'output' | 'block'; line: number }
  | { kind: 'name' | 'operator'; text: string; line: number }
  | { kind: 'string'; text: string; line: number }
  | { kind: 'integer'; text: string; value: bigint; line: number }
  | { kind: 'float'; text: string; value: number; line: number }
  | { kind: 'eof'; text: ''; line: number }

const opening = /\{[{%#]/g
const rawBegin = /\{%[-+]?\s*raw\s*(-?)%\}/y
const rawEnd = /\{%([-+]?)\s*endraw\s*([-+]?)%\}/y

const space = /\s+/y
const float = /\d+(?:_\d+)*(?:(?:\.\d+(?:_\d+)*)?[eE][+-]?\d+(?:_\d+)*|\.\d+(?:_\d+)*)/y
const integer = /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*/y
const name = /[\p{L}\p{N}_]+/uy
const startsName = /^[\p{L}\p{Nl}_]/u
const operator = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y

export function lex(written: string): Token[] {
  const source = written.replace(/\r\n?/g, '\n')
  const tokens: Token[] = []
  const lines = lineCounter(source)
  let at = 0
  /** Whether the last mark took away the spaces behind it. */
  let trims = false
  const addText = (to: number, trimsEnd: boolean) => {
    let text = source.slice(at, to)
    if (trims) text = strip(text, 'left')
    if (trimsEnd) text = strip(text, 'right')
    if (text) tokens.push({ kind: 'text', text, line: lines(at) })
    trims = false
  }
  while (at < source.length) {
    opening.lastIndex = at
    const found = opening.exec(source)
    if (!found) break
    const begin = found.index
    const mark = source[begin + 1]
    const sign = source[begin + 2] ?? ''
    addText(begin, sign === '-')
    const line = lines(begin)
    if (mark === '#') {
      const end = source.indexOf('#}', begin + 2)
      if (end < 0) throw new TemplateError('syntax error: missing end of comment', line)
      trims = source[end - 1] === '-' && end - 1 >= begin + 2
      at = end + 2
      continue
    }
    rawBegin.lastIndex = begin
    const raw = rawBegin.exec(source)
    if (raw) {
      at = rawBegin.lastIndex
      trims = raw[1] === '-'
      const end = findRawEnd(source, at)
      if (!end) throw new TemplateError('syntax error: missing end of raw', line)
      addText(end.index, end[1] === '-')
      trims = end[2] === '-'
      at = end.index + end[0].length
      continue
    }
    const kind = mark === '{' ? 'output' : 'block'
    tokens.push({ kind: 'begin', text: kind, line })
    const from = begin + 2 + Number(sign === '-' || sign === '+')
    const code = lexCode(source, from, kind, tokens, lines)
    at = code.end
    trims = code.trims
  }
  if (at < source.length) addText(source.length, false)
  tokens.push({ kind: 'eof', text: '', line: lines(source.length) })
  return tokens
}

function findRawEnd(source: string, from: number): RegExpExecArray | undefined {
  for (let at = source.indexOf('{%', from); at >= 0; at = source.indexOf('{%', at + 1)) {
    rawEnd.lastIndex = at
    const found = rawEnd.exec(source)
    if (found) return found
  }
  return undefined
}

/** Tells the line of a place; places are asked for in order. */
function lineCounter(source: string): (at: number) => number {
  let line = 1
  let end = source.indexOf('\n')
  return at => {
    for (; end >= 0 && end < at; end = source.indexOf('\n', end + 1)) line++
    return line
  }
}

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** The tokens up to the end mark that no open bracket encloses. */
function lexCode(
  source: string,
  from: number,
  kind: 'output' | 'block',
  tokens: Token[],
  lines: (at: number) => number,
): { end: number; trims: boolean } {
  const mark = kind === 'output' ? '}}' : '%}'
  const brackets: string[] = []
  const match = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  for (let at = from; at < source.length; ) {
    const line = lines(at)
    const sign = source[at] === '-' || (source[at] === '+' && kind === 'block') ? 1 : 0
    if (!brackets.length && source.startsWith(mark, at + sign)) {
      tokens.push({ kind: 'end', text: kind, line })
      return { end: at + sign + 2, trims: source[at] === '-' }
    }
    const skipped = match(space, at)
    if (skipped) {
      at += skipped.length
      continue
    }
    const first = source[at] as string
    if (first === "'" || first === '"') {
      const end = stringEnd(source, at)
      if (end < 0) throw new TemplateError(`syntax error: unexpected ${first}`, line)
      tokens.push({ kind: 'string', text: readString(source.slice(at + 1, end), line), line })
      at = end + 1
      continue
    }
    const isNumber = first >= '0' && first <= '9'
    const previous = tokens.at(-1)
    const decimal = isNumber && !(previous?.kind === 'operator' && previous.text === '.') ? match(float, at) : undefined
    const whole = isNumber && decimal === undefined ? match(integer, at) : undefined
    const word = decimal ?? whole ?? match(name, at) ?? match(operator, at)
    if (word === undefined) throw new TemplateError(`syntax error: unexpected character '${first}'`, line)
    at += word.length
    if (decimal !== undefined) tokens.push({ kind: 'float', text: word, value: Number(word.replaceAll('_', '')), line })
    else if (whole !== undefined) {
      if (whole.length > 4300) throw new TemplateError('syntax error: a number is too long', line)
      tokens.push({ kind: 'integer', text: word, value: BigInt(word.replaceAll('_', '')), line })
    } else if (/^[\p{L}\p{N}_]/u.test(word)) {
      if (!startsName.test(word)) throw new TemplateError(`syntax error: unexpected '${word}'`, line)
      tokens.push({ kind: 'name', text: word, line })
    } else {
      if (Object.hasOwn(closing, word)) brackets.push(closing[word] as string)
      else if (')]}'.includes(word)) {
        const wanted = brackets.pop()
        if (wanted === undefined) throw new TemplateError(`syntax error: unexpected '${word}'`, line)
        if (wanted !== word) throw new TemplateError(`syntax error: unexpected '${word}', expected '${wanted}'`, line)
      }
      tokens.push({ kind: 'operator', text: word, line })
    }
  }
  // What is missing is missed by the parser, which knows what of.
  return { end: source.length, trims: false }
}

function stringEnd(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === source[from]) return at
  }
  return -1
}

const simple: Readonly<Record<string, string>> = {
  ...{ '\n': '', '\\': '\\', "'": "'", '"': '"', a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
}

/** With the escapes of a Python string replaced; unknown ones stay as they are written. */
function readString(text: string, line: number): string {
  if (!text.includes('\\')) return text
  const read = text.replace(
    /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/gu,
    (whole, octal?: string, two?: string, four?: string, eight?: string, letter?: string) => {
      const hex = two ?? four ?? eight
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
      if (hex !== undefined) {
        const code = Number.parseInt(hex, 16)
        if (code <= 0x10ffff) return String.fromCodePoint(code)
      }
      if (letter === undefined || 'xuUN'.includes(letter))
        throw new TemplateError(`syntax error: the escape ${whole} in a string is malformed`, line)
      return simple[letter] ?? whole
    },
  )
  if (holdsSecret(read)) throw new TemplateError('syntax error: a string has a character that only secrets have', line)
  return read
}
