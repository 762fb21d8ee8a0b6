import type { Piece } from '../syntax/pieces.ts'

/*
 * How deep each piece stands. A block's lines stand one level deeper than its `begin`, a statement on a line of its own
 * behind `then`, `do` or `else` one level deeper than its `if` or `while`; what stands on the same line as something else
 * shares its level. The frames are those of `syntax/assemble.ts`, of a program that is known to be sound.
 */

const LEVEL = 2

type Frame = { kind: 'block' | 'if' | 'else' | 'while'; indent: number; waits: 'body' | 'else' }

export class Indentation {
  /** The indent of the current line. */
  current = 0
  private readonly frames: Frame[] = [{ kind: 'block', indent: -LEVEL, waits: 'body' }]

  enter(piece: Piece, fresh: boolean): void {
    const indent = fresh ? this.ahead(piece) : this.current
    this.current = indent
    switch (piece.kind) {
      case 'if':
      case 'while':
        this.closeIfs()
        this.frames.push({ kind: piece.kind, indent, waits: 'body' })
        return
      case 'begin':
        this.closeIfs()
        this.frames.push({ kind: 'block', indent, waits: 'body' })
        return
      case 'elif':
      case 'else':
        this.top.kind = piece.kind === 'else' ? 'else' : 'if'
        this.top.waits = 'body'
        return
      case 'end':
        this.closeIfs()
        this.frames.pop()
        this.complete()
        return
      default:
        this.closeIfs()
        this.complete()
    }
  }

  /** Where a piece would stand on a line of its own; without one, at the end of the program. */
  ahead(piece: Piece | undefined): number {
    const open = this.frames.filter(
      frame => frame.kind === 'block' || frame.waits === 'body' || (piece?.kind ?? '').startsWith('el'),
    )
    const top = open[open.length - 1] as Frame
    if (piece?.kind === 'elif' || piece?.kind === 'else' || piece?.kind === 'end') return top.indent
    return top.indent + LEVEL
  }

  /** A remark before `end` still belongs to what is in the block. */
  ofComment(next: Piece | undefined): number {
    return this.ahead(next) + (next?.kind === 'end' ? LEVEL : 0)
  }

  private get top(): Frame {
    return this.frames[this.frames.length - 1] as Frame
  }

  private closeIfs(): void {
    while (this.top.kind !== 'block' && this.top.waits === 'else') {
      this.frames.pop()
      this.complete()
    }
  }

  /** A statement is finished: its `while` or `else` with it; an `if` may still go on. */
  private complete(): void {
    while (this.top.kind === 'while' || this.top.kind === 'else') this.frames.pop()
    if (this.top.kind === 'if') this.top.waits = 'else'
  }
}
