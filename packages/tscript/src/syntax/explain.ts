import type { Position } from '../diagnostic.ts'
import { findNearest } from '../language/nearest.ts'
import type { Source } from '../source.ts'
import { cutText } from '../value/storable.ts'
import type { Piece } from './pieces.ts'
import type { Token } from './token.ts'

/*
 * Says in the language's own words why a piece does not fit the grammar. The mistakes that people make come first, each
 * with its remedy; what none of them fits is explained by what the grammar expected at the place.
 */

/** The place behind a token: a text may end lines below the one where it begins. */
function endOf(token: Token, source: Source): Position {
  const lines = source.text.slice(token.offset, token.end).split(/\r\n|\n|\r/)
  const width = Array.from(lines.at(-1) ?? '').length
  const below = lines.length - 1
  return { line: token.line + below, column: below ? width + 1 : token.column + width }
}

export function explainPiece(piece: Piece, failed: number, expected: readonly string[], source: Source): void {
  const { tokens } = piece
  const last = tokens[tokens.length - 1] as Token
  const found = tokens[failed]
  const at = found ?? endOf(last, source)
  const known = knownMistake(piece, failed, expected)
  if (known) {
    source.error('syntax', known.at ?? at, known.message, known.suggestion)
    return
  }
  const wanted = listExpected(expected)
  const what = found
    ? `\`${cutText(source.text.slice(found.offset, found.end), 30)}\` does not fit here`
    : 'The statement is not complete'
  source.error('syntax', at, wanted ? `${what}: expected ${wanted}` : what, textRunsOn(tokens, failed))
}

const IN_CONDITION = { message: '`=` sets a value and cannot stand in a condition', suggestion: 'Did you mean `==`?' }

interface Mistake {
  message: string
  suggestion?: string
  at?: Token
}

function knownMistake(piece: Piece, failed: number, expected: readonly string[]): Mistake | undefined {
  const { tokens } = piece
  const first = tokens[0] as Token
  const found = tokens[failed]
  if (!piece.complete) return incomplete(piece, failed)
  if (!found) return undefined
  return (
    option(tokens, failed) ??
    headMisspelt(tokens) ??
    reservedAsName(tokens, failed) ??
    sign(tokens, failed) ??
    assignment(tokens, failed) ??
    call(tokens, failed) ??
    (expected.includes('a value') ? undefined : misspelt(first, tokens)) ??
    secondStatement(tokens, failed)
  )
}

function incomplete(piece: Piece, failed: number): Mistake | undefined {
  const { kind, tokens } = piece
  const found = tokens[failed]
  if (kind === 'begin')
    return { message: 'Expected `(` behind `begin`', suggestion: 'A block without options opens with begin()' }
  const word = kind === 'while' ? 'do' : 'then'
  const wrong = tokens.find(
    token => token.kind === 'word' && (token.text === 'then' || token.text === 'do') && token.text !== word,
  )
  if (wrong) return { message: `\`${kind}\` goes with \`${word}\`, not with \`${wrong.text}\``, at: wrong }
  const misspelled = tokens.find(
    (token, at) => at > 1 && token.kind === 'name' && findNearest(token.text, [word]) !== undefined,
  )
  if (misspelled)
    return {
      message: `Expected \`${word}\` behind the condition of \`${kind}\``,
      suggestion: `Did you mean \`${word}\`?`,
      at: misspelled,
    }
  if (found?.text === '=' && found.kind === 'symbol') return IN_CONDITION
  return { message: `Expected \`${word}\` behind the condition of \`${kind}\`` }
}

function assignment(tokens: readonly Token[], failed: number): Mistake | undefined {
  const found = tokens[failed] as Token
  const first = tokens[0] as Token
  const before = tokens[failed - 1]
  if (found.kind !== 'symbol' || found.text !== '=' || before?.text === '=') return undefined
  if (first.text === 'if' || first.text === 'elif' || first.text === 'while') return IN_CONDITION
  if (first.kind === 'word') return undefined
  if (before?.kind === 'symbol' && before.end === found.offset && '+-*/%^.&|'.includes(before.text)) {
    const longhand = `Write ${first.text} = ( ${first.text} ${before.text} … )`
    return { message: `There is no \`${before.text}=\``, suggestion: longhand, at: before }
  }
  const set = tokens.slice(0, failed).some(token => token.kind === 'symbol' && token.text === '=')
  if (set || openBracket(tokens, failed) !== undefined) {
    return { message: '`=` sets a value and cannot stand inside an expression', suggestion: 'Did you mean `==`?' }
  }
  const message = 'Only a variable, a value of a module or an element can be set'
  if (first.kind !== 'name' || tokens[1]?.text !== '-') return { message, at: first }
  const joined = tokens.slice(0, failed).map(token => (token.text === '-' ? '_' : token.text))
  return { message, suggestion: `A name has letters, digits and underscores: \`${joined.join('')}\`?`, at: first }
}

/** `begin( description=name )` */
function option(tokens: readonly Token[], failed: number): Mistake | undefined {
  if (tokens[0]?.text !== 'begin' || tokens[failed - 1]?.text !== '=') return undefined
  return { message: 'The options of a block are constants', suggestion: "For example description='Wipe the disks'" }
}

function reservedAsName(tokens: readonly Token[], failed: number): Mistake | undefined {
  const found = tokens[failed] as Token
  const before = tokens[failed - 1]
  if (tokens.length > failed + 1 && tokens[failed + 1]?.text === '=' && found.kind === 'word') {
    return { message: `\`${found.text}\` is a word of the language and cannot name a variable` }
  }
  if (failed === 1 && found.text === '=' && before?.kind === 'word') {
    return { message: `\`${before.text}\` is a word of the language and cannot name a variable`, at: before }
  }
  return undefined
}

/** `-size`: only numbers have a sign. */
function sign(tokens: readonly Token[], failed: number): Mistake | undefined {
  const found = tokens[failed] as Token
  if (found.kind !== 'symbol' || found.text !== '-' || tokens[failed + 1]?.kind === 'number') return undefined
  const before = tokens[failed - 1]
  if (before && isValueEnd(before)) return undefined
  return { message: 'Only a number has a sign', suggestion: 'Write ( 0 - … )' }
}

function call(tokens: readonly Token[], failed: number): Mistake | undefined {
  const open = openBracket(tokens, failed)
  const found = tokens[failed] as Token
  if (found.text === '(' && tokens[failed - 1]?.text === 'exists') {
    return { message: 'exists( ) asks for a variable, an element or a value of a module' }
  }
  if (!open) return undefined
  const name = tokens[open - 1]
  if (tokens[open]?.text === '[' && found.text !== ']' && found.text !== ',')
    return betweenItems(tokens, failed, 'elements of an array')
  if (tokens[open]?.text === '{') {
    if (found.text === ':') return { message: 'A map is written with `=`', suggestion: "For example { name='x' }" }
    if (found.kind === 'text')
      return {
        message: 'The keys of a map are names, without quotes',
        suggestion: `For example { ${found.text || 'name'}=1 }`,
      }
    return betweenItems(tokens, failed, 'entries of a map')
  }
  if (tokens[open]?.text !== '(' || !name) return undefined
  if (name.text === 'exists')
    return {
      message: 'exists( ) asks for a variable, an element or a value of a module',
      at: tokens[open + 1] as Token,
    }
  const isCall =
    (name.kind === 'name' || name.kind === 'member' || name.text === 'begin') &&
    name.end <= (tokens[open] as Token).offset
  if (!isCall) return undefined
  const argument = tokens[failed - 1]?.text === ',' || failed === open + 1
  const bare = argument && found.text !== ')' && found.text !== ','
  const valueWithoutName =
    !argument && tokens[failed]?.text !== '=' && (tokens[failed - 2]?.text === ',' || failed - 2 === open)
  if (bare || valueWithoutName) {
    const at = bare ? found : (tokens[failed - 1] as Token)
    return {
      message: `The parameters of \`${name.text}\` are written with their names`,
      suggestion: `Write ${name.text}( name=value )`,
      at,
    }
  }
  if (argument && (found.text === ')' || found.text === ','))
    return { message: 'Expected another parameter behind the comma' }
  return betweenItems(tokens, failed, 'parameters')
}

function betweenItems(tokens: readonly Token[], failed: number, what: string): Mistake | undefined {
  const found = tokens[failed] as Token
  const before = tokens[failed - 1]
  return isValueStart(found) && before && isValueEnd(before)
    ? { message: `Expected \`,\` between the ${what}` }
    : undefined
}

/** The number of the innermost bracket that is open before a token. */
function openBracket(tokens: readonly Token[], before: number): number | undefined {
  let depth = 0
  for (let at = before - 1; at >= 0; at--) {
    const { kind, text } = tokens[at] as Token
    if (kind !== 'symbol') continue
    if (text === ')' || text === ']' || text === '}') depth++
    else if ((text === '(' || text === '[' || text === '{') && --depth < 0) return at
  }
  return undefined
}

const STATEMENT_WORDS = ['if', 'while', 'begin', 'end', 'goto', 'break', 'continue', 'pass', 'else', 'elif']

/** Words of other languages that begin a statement there. */
const FOREIGN: { [word: string]: string } = {
  for: 'Loop with `while`, and take from an array with pop( array=name )',
  foreach: 'Loop with `while`, and take from an array with pop( array=name )',
  until: 'Loop with `while not … do`',
  elseif: 'Write `elif`',
  elsif: 'Write `elif`',
  endif: 'Only a block ends with a word: `end`',
  return: 'Leave a loop with `break`, go elsewhere with `goto`',
  def: 'Functions are those of the language and of the host',
  function: 'Functions are those of the language and of the host',
  var: 'A variable begins with its first value: name = value',
  let: 'A variable begins with its first value: name = value',
  import: 'Modules are those of the host and need no import',
  print: 'Show a text with message( msg=… )',
}

/** `whlie … do`: a plain statement holds neither `then` nor `do`. */
function headMisspelt(tokens: readonly Token[]): Mistake | undefined {
  const [first, ...rest] = tokens as [Token, ...Token[]]
  const end = rest.find(token => token.kind === 'word' && (token.text === 'then' || token.text === 'do'))
  if (!end || first.kind === 'word') return undefined
  const word = end.text === 'do' ? 'while' : 'if'
  return misspelt(first, tokens) ?? { message: `There is no \`${word}\` for this \`${end.text}\``, at: end }
}

function misspelt(first: Token, tokens: readonly Token[]): Mistake | undefined {
  if (first.kind !== 'name' || tokens[1]?.text === '=' || tokens[1]?.text === '[' || tokens[1]?.text === '.')
    return undefined
  const foreign = Object.hasOwn(FOREIGN, first.text) ? FOREIGN[first.text] : undefined
  if (foreign) return { message: `TScript has no \`${first.text}\``, suggestion: foreign, at: first }
  const word = findNearest(first.text, STATEMENT_WORDS)
  if (!word) return undefined
  return {
    message: `\`${cutText(first.text, 30)}\` is no word of the language`,
    suggestion: `Did you mean \`${word}\`?`,
    at: first,
  }
}

function secondStatement(tokens: readonly Token[], failed: number): Mistake | undefined {
  const found = tokens[failed] as Token
  const before = tokens[failed - 1]
  if (!before || openBracket(tokens, failed) !== undefined || !isValueEnd(before)) return undefined
  if (before.kind === 'text' && before.text.includes('\n')) return undefined
  if (
    found.kind === 'name' ||
    found.kind === 'member' ||
    (found.kind === 'word' && STATEMENT_WORDS.includes(found.text))
  ) {
    return {
      message: 'A statement ends with its line',
      suggestion: 'Begin a new line here, or write an operator between the values',
    }
  }
  return undefined
}

function isValueStart(token: Token): boolean {
  if (token.kind === 'word') return !['and', 'or', 'then', 'do'].includes(token.text)
  return token.kind !== 'symbol' || '([{'.includes(token.text)
}
function isValueEnd(token: Token): boolean {
  if (token.kind === 'word') return /^(true|false|none|break|continue|pass)$/i.test(token.text)
  return token.kind !== 'symbol' || ')]}'.includes(token.text)
}

/** A forgotten quote shows up where the text that runs on at last meets another quote. */
function textRunsOn(tokens: readonly Token[], failed: number): string | undefined {
  const text = tokens
    .slice(Math.max(0, failed - 1), failed + 1)
    .find(token => token.kind === 'text' && /[\r\n]/.test(token.text))
  return text && `The text that begins on line ${text.line} runs over several lines: is its closing quote missing?`
}

const WORDS = new Map([
  ['end of input', 'the end of the statement'],
  ['"("', '`(`'],
  ['=', '`=`'],
  ['then', '`then`'],
  ['do', '`do`'],
  ['not', '`not`'],
])
const MINOR = new Set(['not', 'an operator', '"["', '='])

/** What the grammar expected: at most three things, values first. */
function listExpected(expected: readonly string[]): string | undefined {
  const values = ['a name', "a module's value", 'a number', 'a text', 'a time']
  const isValue = values.filter(value => expected.includes(value)).length > 2
  const rest = expected.filter(
    one =>
      !(
        isValue &&
        (values.includes(one) || /^"[[({]"$/.test(one) || /^"(exists|True|true|False|false|None|none)"$/.test(one))
      ),
  )
  const major = rest.length > 3 ? rest.filter(one => !MINOR.has(one)) : rest
  const named = major.map(one => WORDS.get(one) ?? one.replace(/^"(.*)"$/, '`$1`'))
  const list = [...(isValue ? ['a value'] : []), ...named].slice(0, 3)
  if (list.length < 2) return list[0]
  return `${list.slice(0, -1).join(', ')} or ${list[list.length - 1]}`
}
