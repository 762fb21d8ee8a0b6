import type { Position } from '../diagnostic.ts'
import type { Source } from '../source.ts'
import type { Block, BlockOptions, Expression, If, Statement, While } from './ast.ts'
import { readBlockOptions } from './block-options.ts'
import type { Head } from './builders.ts'
import { explainPiece } from './explain.ts'
import type { Piece } from './pieces.ts'
import { parseShape } from './shape.ts'

/*
 * Puts the pieces together: what is open (a block, an `if` that waits for its statement or its `else`, a `while` that
 * waits for its statement) stands on a stack of our own. A piece with a mistake in it leaves a hole of the same form, so
 * that what follows is still understood.
 */

/** Deeper statements would overflow the stack of those who walk the tree. */
export const MAX_NESTING = 200

type Frame =
  | { kind: 'block'; block: Block; root: boolean }
  | { kind: 'if'; statement: If; waits: 'body' | 'else'; branch: { condition: Expression | undefined; at: Position } }
  | { kind: 'while'; condition: Expression; at: Position }

const START: Position = { line: 1, column: 1 }

export function assemble(pieces: readonly Piece[], source: Source): Block {
  return new Assembler(source).assemble(pieces)
}

class Assembler {
  private readonly source: Source
  private readonly root: Block = { kind: 'block', options: {}, body: [], at: START, end: START }
  private readonly frames: Frame[] = [{ kind: 'block', block: this.root, root: true }]
  /** A statement may begin here: at the start of a line, behind `begin( … )`, or where a body is awaited. */
  private fresh = true
  /** Too deep: nothing more is understood, and one report is enough. */
  private lost = false

  constructor(source: Source) {
    this.source = source
  }

  assemble(pieces: readonly Piece[]): Block {
    for (const piece of pieces) {
      if (this.lost) break
      if (piece.ownLine) this.fresh = true
      this.take(piece)
    }
    if (!this.lost) this.finish()
    return this.root
  }

  private take(piece: Piece): void {
    const at = piece.tokens[0] as Position
    const tree = this.parse(piece)
    switch (piece.kind) {
      case 'elif':
      case 'else':
        this.branch(piece, tree, at)
        return
      case 'end':
        this.closeBlock(at)
        return
      default:
        this.open(piece, tree, at)
    }
  }

  private parse(piece: Piece): Tree | undefined {
    if (!piece.sound) return undefined
    const result = parseShape(piece.tokens)
    if (result.build) return result.build(piece.tokens)
    explainPiece(piece, result.failed, result.expected, this.source)
    return undefined
  }

  private open(piece: Piece, tree: Tree | undefined, at: Position): void {
    this.closeIfs()
    const top = this.top()
    if (top.kind === 'block' && !this.fresh && piece.sound) {
      this.source.error('line', at, 'A statement ends with its line', 'Begin a new line here')
    }
    this.fresh = false
    if (piece.kind === 'if') {
      const branch = { condition: conditionOf(tree) ?? hole(at), at }
      this.push({ kind: 'if', statement: { kind: 'if', branches: [], at }, waits: 'body', branch }, at)
      if (!piece.complete) this.complete(gap(at))
    } else if (piece.kind === 'while') {
      if (!piece.complete) this.complete(gap(at))
      else this.push({ kind: 'while', condition: conditionOf(tree) ?? hole(at), at }, at)
    } else if (piece.kind === 'begin') {
      const options: BlockOptions = tree?.kind === 'head' ? readBlockOptions(tree.options ?? [], this.source) : {}
      this.push({ kind: 'block', block: { kind: 'block', options, body: [], at, end: at }, root: false }, at)
      this.fresh = true
    } else if (tree?.kind === 'label') this.label(tree, at)
    else this.complete(tree ? plain(tree) : gap(at))
  }

  private label(label: Statement, at: Position): void {
    const top = this.top()
    if (top.kind === 'block' && top.root) this.complete(label)
    else {
      this.source.error(
        'label',
        at,
        'A label stands only at the outermost level',
        'Move it out of every block, `if` and `while`',
      )
      this.complete(gap(at))
    }
  }

  private branch(piece: Piece, tree: Tree | undefined, at: Position): void {
    const top = this.top()
    this.fresh = false
    if (top.kind !== 'if' || top.waits !== 'else') {
      const missing =
        top.kind === 'block'
          ? `There is no \`if\` for this \`${piece.kind}\``
          : `A statement is expected before \`${piece.kind}\``
      this.source.error(
        'else',
        at,
        missing,
        top.kind === 'block' ? 'An `if` governs one statement: several need a block, begin() … end' : undefined,
      )
      if (top.kind === 'block') {
        this.fresh = true
        return
      }
      this.complete(gap(at))
      if (this.top() !== top || top.kind !== 'if') return
    }
    const condition = piece.kind === 'else' ? undefined : (conditionOf(tree) ?? hole(at))
    top.branch = { condition, at }
    top.waits = 'body'
    if (!piece.complete) this.complete(gap(at))
  }

  private closeBlock(at: Position): void {
    this.closeIfs()
    this.abandonBodies('end', at)
    const top = this.top()
    if (top.kind !== 'block' || top.root) {
      this.source.error('end', at, 'There is no open `begin` for this `end`')
      this.fresh = false
      return
    }
    if (!this.fresh) this.source.error('line', at, 'A statement ends with its line', 'Put `end` on a line of its own')
    this.frames.pop()
    this.fresh = false
    top.block.end = at
    this.complete(top.block)
  }

  private finish(): void {
    for (;;) {
      this.closeIfs()
      this.abandonBodies('the end of the program')
      const top = this.top()
      if (top.kind !== 'block' || top.root) return
      this.source.error('begin', top.block.at, 'This block is never closed', 'Expected `end` on a line of its own')
      this.frames.pop()
      this.complete(top.block)
    }
  }

  /** An `if` or `while` whose statement does not come. */
  private abandonBodies(before: string, at?: Position): void {
    for (let top = this.top(); top.kind !== 'block'; top = this.top()) {
      const place = at ?? (top.kind === 'if' ? top.branch.at : top.at)
      const word = top.kind === 'while' ? 'do' : top.branch.condition ? 'then' : 'else'
      const name = before === 'end' ? '`end`' : before
      this.source.error(
        'body',
        place,
        `A statement is expected behind \`${word}\`, but ${name} follows`,
        'Write `pass` to do nothing',
      )
      this.complete(gap(place))
      this.closeIfs()
    }
  }

  private push(frame: Frame, at: Position): void {
    this.frames.push(frame)
    if (this.frames.length <= MAX_NESTING) return
    this.lost = true
    this.source.error('depth', at, `Statements are nested more than ${MAX_NESTING} deep here`)
  }

  private top(): Frame {
    return this.frames[this.frames.length - 1] as Frame
  }

  /** An `if` that waits for an `else` which does not come is complete. */
  private closeIfs(): void {
    for (let top = this.top(); top.kind === 'if' && top.waits === 'else'; top = this.top()) {
      this.frames.pop()
      this.complete(top.statement)
    }
  }

  /** Gives a finished statement to whoever waits for it; that may finish the next one out. */
  private complete(statement: Statement): void {
    let done = statement
    for (;;) {
      const top = this.top()
      if (top.kind === 'block') {
        top.block.body.push(done)
        return
      }
      if (top.kind === 'while') {
        this.frames.pop()
        done = { kind: 'while', condition: top.condition, body: done, at: top.at } satisfies While
      } else if (top.branch.condition) {
        top.statement.branches.push({ condition: top.branch.condition, body: done, at: top.branch.at })
        top.waits = 'else'
        return
      } else {
        this.frames.pop()
        top.statement.otherwise = done
        done = top.statement
      }
    }
  }
}

type Tree = Head | Statement | Expression

function conditionOf(tree: Tree | undefined): Expression | undefined {
  return tree?.kind === 'head' ? tree.condition : undefined
}
function gap(at: Position): Statement {
  return { kind: 'pass', at }
}
function hole(at: Position): Expression {
  return { kind: 'constant', value: null, at }
}

const STATEMENTS = new Set(['assign', 'goto', 'label', 'break', 'continue', 'pass'])

function plain(tree: Tree): Statement {
  return STATEMENTS.has(tree.kind) ? (tree as Statement) : { kind: 'value', value: tree as Expression, at: tree.at }
}
