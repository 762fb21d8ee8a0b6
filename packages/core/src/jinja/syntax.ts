import type { Arithmetic } from './arithmetic.ts'
import type { Comparison } from './compare.ts'

/** A parsed template. Lines count from 1. */
export type Expression =
  | { kind: 'constant'; value: null | boolean | bigint | number | string }
  | { kind: 'name'; name: string; line: number }
  | { kind: 'list' | 'tuple'; items: readonly Expression[] }
  | { kind: 'dict'; pairs: readonly (readonly [Expression, Expression])[]; line: number }
  | { kind: 'attribute'; of: Expression; name: string; line: number }
  | { kind: 'item'; of: Expression; key: Expression; line: number }
  /** Absent parts are None. */
  | { kind: 'slice'; of: Expression; parts: readonly (Expression | undefined)[]; line: number }
  | { kind: 'call'; of: Expression; given: Arguments; line: number }
  /** Without `of` it is applied to a block. */
  | { kind: 'filter'; of: Expression | undefined; name: string; given: Arguments; line: number }
  | { kind: 'test'; of: Expression; name: string; given: Arguments; line: number }
  | { kind: 'not'; of: Expression }
  | { kind: 'signed'; operator: '-' | '+'; of: Expression; line: number }
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'compare'; first: Expression; rest: readonly { operator: Comparison; value: Expression }[]; line: number }
  | { kind: 'arithmetic'; operator: Arithmetic; left: Expression; right: Expression; line: number }
  | { kind: 'concat'; parts: readonly Expression[]; line: number }
  | { kind: 'condition'; test: Expression; then: Expression; otherwise: Expression | undefined; line: number }

export interface Arguments {
  positional: readonly Expression[]
  named: readonly (readonly [string, Expression])[]
  /** `*list` */
  rest: Expression | undefined
  /** `**map` */
  restNamed: Expression | undefined
}

export type Target =
  | { kind: 'name'; name: string }
  | { kind: 'member'; of: string; name: string; line: number }
  | { kind: 'targets'; targets: readonly Target[] }

export interface Parameter {
  name: string
  otherwise: Expression | undefined
}

export type Body = readonly Statement[]

export type Statement =
  | { kind: 'text'; text: string }
  | { kind: 'output'; values: readonly Expression[]; line: number }
  | { kind: 'if'; branches: readonly { test: Expression; body: Body }[]; otherwise: Body }
  | ForStatement
  | { kind: 'set'; target: Target; value: Expression; line: number }
  | { kind: 'setBlock'; target: Target; filter: Expression | undefined; body: Body; line: number }
  | { kind: 'with'; targets: readonly Target[]; values: readonly Expression[]; body: Body; line: number }
  | MacroStatement
  | { kind: 'callBlock'; call: Expression & { kind: 'call' }; macro: MacroStatement; line: number }
  | { kind: 'filterBlock'; filter: Expression; body: Body; line: number }

export interface ForStatement {
  kind: 'for'
  target: Target
  over: Expression
  test: Expression | undefined
  isRecursive: boolean
  body: Body
  otherwise: Body
  line: number
}

export interface MacroStatement {
  kind: 'macro'
  /** Undefined for what a call block is given. */
  name: string | undefined
  parameters: readonly Parameter[]
  body: Body
  line: number
}
