/**
 * Jinja2 source as it is written, cut into text and code, and code into tokens. Only what rewriting needs is told
 * apart; whether a template makes sense is for the renderer to say.
 */
export type Part =
  /** Copied as it is: text, comments, raw blocks. */
  { kind: 'text'; text: string } | { kind: 'output' | 'statement'; open: string; tokens: Token[]; close: string }

export interface Token {
  kind: 'space' | 'string' | 'number' | 'name' | 'operator'
  text: string
}

const opening = /\{(?:\{|%|#)[-+]?/g
const rawOpening = /\{%[-+]?\s*raw\s*[-+]?%\}/y
const rawClosing = /\{%[-+]?\s*endraw\s*[-+]?%\}/g

const token =
  /(?<space>\s+)|(?<string>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?<number>\d+(?:_\d+)*(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<name>[\p{L}_][\p{L}\p{N}_]*)|(?<operator>\*\*|\/\/|==|!=|<=|>=|.)/suy
/** After a dot a number is an index: `list.0.name`. */
const index = /\d+/y

export function parseJinja(source: string): Part[] {
  const parts: Part[] = []
  let at = 0
  const text = (to: number) => {
    if (to > at) parts.push({ kind: 'text', text: source.slice(at, to) })
    at = to
  }
  while (at < source.length) {
    opening.lastIndex = at
    const found = opening.exec(source)
    if (!found) break
    text(found.index)
    const open = found[0]
    if (open.startsWith('{#')) {
      const end = source.indexOf('#}', at)
      text(end < 0 ? source.length : end + 2)
      continue
    }
    rawOpening.lastIndex = at
    if (rawOpening.test(source)) {
      rawClosing.lastIndex = rawOpening.lastIndex
      text(rawClosing.test(source) ? rawClosing.lastIndex : source.length)
      continue
    }
    const code = readCode(source, at + open.length, open.startsWith('{{') ? '}}' : '%}')
    if (!code) break
    parts.push({ kind: open.startsWith('{{') ? 'output' : 'statement', open, tokens: code.tokens, close: code.close })
    at = code.end
  }
  text(source.length)
  return parts
}

/** The tokens up to the end mark that no open bracket encloses. */
function readCode(
  source: string,
  from: number,
  mark: string,
): { tokens: Token[]; close: string; end: number } | undefined {
  const tokens: Token[] = []
  let depth = 0
  let at = from
  while (at < source.length) {
    const controlled = /[-+]/.test(source[at] ?? '') ? 1 : 0
    if (!depth && source.startsWith(mark, at + controlled)) {
      const end = at + controlled + mark.length
      return { tokens, close: source.slice(at, end), end }
    }
    const pattern = tokens.at(-1)?.text === '.' && /\d/.test(source[at] ?? '') ? index : token
    pattern.lastIndex = at
    const found = pattern.exec(source)
    if (!found) return undefined
    const text = found[0]
    const kind = pattern === index ? 'number' : kindOf(found.groups)
    if ('([{'.includes(text)) depth++
    else if (')]}'.includes(text)) depth--
    tokens.push({ kind, text })
    at = pattern.lastIndex
  }
  return undefined
}

function kindOf(groups: Record<string, string | undefined> | undefined): Token['kind'] {
  const kinds = ['space', 'string', 'number', 'name'] as const
  return kinds.find(kind => groups?.[kind] !== undefined) ?? 'operator'
}
