import type { Position } from '../diagnostic.ts'

/**
 * name `size` · member `module.name`, written without blanks · number `7` · time `1:30` · text `'…'` · word: a reserved
 * word · symbol · newline · bad: was reported by the scanner, the piece that holds it is not parsed any further.
 */
export type TokenKind = 'name' | 'member' | 'number' | 'time' | 'text' | 'word' | 'symbol' | 'newline' | 'bad'

export interface Token extends Position {
  kind: TokenKind
  /** As written; for a text what is between its quotes. */
  readonly text: string
  readonly offset: number
  /** The offset behind the last character. */
  readonly end: number
}

export interface Comment extends Position {
  readonly text: string
  readonly offset: number
}

/** Words that cannot name a variable. They may name parameters, map keys, labels and what follows a module's dot. */
export const RESERVED: ReadonlySet<string> = new Set(
  'begin end while do goto exists continue break pass if then elif else not Not and or True true False false None none'.split(
    ' ',
  ),
)
