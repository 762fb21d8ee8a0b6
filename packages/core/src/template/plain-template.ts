import type { Json } from '../plugin/json.ts'
import type { Part, Token } from './jinja-source.ts'

/**
 * Most templates are texts with values between: `{{ _hostname }}.{{ zone }}`. These need no renderer: where every value
 * is a text or a whole number, what comes out is the same, in a twentieth of the time (0.5 µs instead of 12). Everything
 * else is left to the renderer.
 */
export type Piece = string | readonly (string | number)[]

/** Words that are values by themselves. */
const words = new Set(['true', 'false', 'none', 'True', 'False', 'None', 'not', 'loop', 'self'])

export function findPlain(parts: readonly Part[]): readonly Piece[] | undefined {
  const pieces: Piece[] = []
  for (const part of parts) {
    if (part.kind === 'text') {
      if (/\{[{%#]/.test(part.text)) return undefined
      pieces.push(part.text)
      continue
    }
    const path = part.kind === 'output' && part.open === '{{' && part.close === '}}' ? findPath(part.tokens) : undefined
    if (!path) return undefined
    pieces.push(path)
  }
  return pieces
}

/** `name.key.0`, and nothing else. */
function findPath(tokens: readonly Token[]): (string | number)[] | undefined {
  const code = tokens.filter(token => token.kind !== 'space')
  const [first] = code
  if (first?.kind !== 'name' || words.has(first.text)) return undefined
  const path: (string | number)[] = [first.text]
  for (let at = 1; at < code.length; at += 2) {
    const step = code[at + 1]
    if (code[at]?.text !== '.' || !step || (step.kind !== 'name' && step.kind !== 'number')) return undefined
    path.push(step.kind === 'number' ? Number(step.text) : step.text)
  }
  return path
}

/** Undefined when a value is of a kind that only the renderer knows how to print, or is not there. */
export function joinPlain(pieces: readonly Piece[], context: Readonly<Record<string, Json>>): string | undefined {
  let text = ''
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      text += piece
      continue
    }
    const value = readPath(piece, context)
    if (typeof value !== 'string' && !Number.isSafeInteger(value)) return undefined
    text += value
  }
  return text
}

function readPath(path: readonly (string | number)[], context: Readonly<Record<string, Json>>): Json | undefined {
  let value: Json | undefined = context
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    if (Array.isArray(value) !== (typeof step === 'number')) return undefined
    value = (value as Record<string | number, Json>)[step]
  }
  return value
}
