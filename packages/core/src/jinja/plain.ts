import type { Json } from '@contractor/contract'
import { dictMethods } from './collection-methods.ts'
import { longestText } from './limits.ts'
import type { Lookup } from './run.ts'
import type { Body, Expression } from './syntax.ts'

/**
 * Most templates of configs are texts with names in them, `http://{{ host }}:{{ _primary_address.address }}/`. These are
 * joined at once, when what stands for the names is text or a whole number; for all else there is the evaluator.
 */
export type Piece = { text: string } | Path

interface Path {
  name: string
  /** Of maps within maps, from the name on. */
  keys: readonly string[]
}

export function findPlain(body: Body): readonly Piece[] | undefined {
  const pieces: Piece[] = []
  for (const statement of body) {
    if (statement.kind === 'text') pieces.push({ text: statement.text })
    else {
      const [only, ...others] = statement.kind === 'output' ? statement.values : []
      const path = only && !others.length ? findPath(only) : undefined
      if (!path) return undefined
      pieces.push(path)
    }
  }
  return pieces
}

/** A method of a map goes before the item of that name, so such a name is for the evaluator. */
function findPath(expression: Expression): Path | undefined {
  const keys: string[] = []
  let at = expression
  for (; at.kind === 'attribute'; at = at.of) {
    if (Object.hasOwn(dictMethods, at.name)) return undefined
    keys.unshift(at.name)
  }
  return at.kind === 'name' ? { name: at.name, keys } : undefined
}

/** Undefined where it is for the evaluator. */
export function joinPlain(pieces: readonly Piece[], lookup: Lookup): string | undefined {
  let text = ''
  for (const piece of pieces) {
    if ('text' in piece) text += piece.text
    else {
      const value = follow(piece, lookup)
      if (typeof value === 'string') text += value
      else if (Number.isSafeInteger(value)) text += String(value)
      else return undefined
    }
    if (text.length > longestText) return undefined
  }
  return text
}

function follow({ name, keys }: Path, lookup: Lookup): Json | undefined {
  let value = lookup(name)
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined
    value = value[key]
  }
  return value
}
