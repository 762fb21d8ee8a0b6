import type { Position } from '../diagnostic.ts'
import type { Json } from '../json.ts'
import type { Operator } from './precedence.ts'

/*
 * Sequences that a program can make as long as it likes (operators of one level, indexes, targets, branches) are lists and
 * not nested pairs: whoever walks the tree recurses only as deep as brackets and statements nest, which is bounded.
 */

export interface Name {
  name: string
  at: Position
}
export interface Entry extends Name {
  value: Expression
}
export interface Variable extends Name {
  kind: 'variable'
}
export interface Member extends Name {
  kind: 'member'
  module: string
}
export interface Call extends Name {
  kind: 'call'
  /** Absent: a built-in function. */
  module?: string
  parameters: Entry[]
}
export interface Indexed {
  kind: 'index'
  base: Expression
  keys: Expression[]
  at: Position
}
/** `first op operand op operand …`, all of one level of precedence. */
export interface Chain {
  kind: 'chain'
  first: Expression
  rest: { operator: Operator; operand: Expression; at: Position }[]
  at: Position
}
export type Expression =
  | { kind: 'constant'; value: Json; at: Position }
  | Variable
  | Member
  | { kind: 'array'; items: Expression[]; at: Position }
  | { kind: 'map'; entries: Entry[]; at: Position }
  | Call
  | { kind: 'exists'; target: Target; at: Position }
  | { kind: 'not'; operand: Expression; at: Position }
  | Indexed
  | Chain

export interface Target {
  base: Variable | Member
  keys: Expression[]
  at: Position
}
export interface Assignment {
  kind: 'assign'
  targets: Target[]
  value: Expression
  at: Position
}
export interface BlockOptions {
  description?: string
  expectedSeconds?: number
  maxSeconds?: number
}
export interface Block {
  kind: 'block'
  options: BlockOptions
  body: Statement[]
  at: Position
  end: Position
}
export interface If {
  kind: 'if'
  branches: { condition: Expression; body: Statement; at: Position }[]
  otherwise?: Statement
  at: Position
}
export interface While {
  kind: 'while'
  condition: Expression
  body: Statement
  at: Position
}
export interface Goto extends Name {
  kind: 'goto'
}
export interface Label extends Name {
  kind: 'label'
}
export type Statement =
  | Assignment
  | { kind: 'value'; value: Expression; at: Position }
  | If
  | While
  | Block
  | Goto
  | Label
  | { kind: 'break' | 'continue' | 'pass'; at: Position }
