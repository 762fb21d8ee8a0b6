import { longestText } from './limits.ts'
import type { Lookup } from './run.ts'
import type { Body } from './syntax.ts'

/**
 * Most templates of configs are texts with names in them, `http://{{ host }}:{{ port }}/`. These are joined at once, when
 * what stands for the names is text or a whole number; for all else there is the evaluator.
 */
export type Piece = { text: string } | { name: string }

export function findPlain(body: Body): readonly Piece[] | undefined {
  const pieces: Piece[] = []
  for (const statement of body) {
    if (statement.kind === 'text') pieces.push({ text: statement.text })
    else {
      const [only, ...others] = statement.kind === 'output' ? statement.values : []
      if (only?.kind !== 'name' || others.length) return undefined
      pieces.push({ name: only.name })
    }
  }
  return pieces
}

/** Undefined where it is for the evaluator. */
export function joinPlain(pieces: readonly Piece[], lookup: Lookup): string | undefined {
  let text = ''
  for (const piece of pieces) {
    if ('text' in piece) text += piece.text
    else {
      const value = lookup(piece.name)
      if (typeof value === 'string') text += value
      else if (Number.isSafeInteger(value)) text += String(value)
      else return undefined
    }
    if (text.length > longestText) return undefined
  }
  return text
}
