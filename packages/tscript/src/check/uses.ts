import type { Position } from '../diagnostic.ts'
import type { Block, Call, Entry, Expression, Member, Name, Statement, Target, Variable } from '../syntax/ast.ts'
import { pathOf } from '../syntax/path.ts'

/** Every mention of a name in a program, by what is done with it. */
export interface Uses {
  reads: Variable[]
  /** Read by exists( … ), which may fail. */
  tries: Variable[]
  writes: Name[]
  memberReads: Member[]
  memberWrites: (Member & { at: Position })[]
  calls: Call[]
  maps: Entry[][]
}

export function collectUses(root: Block): Uses {
  const uses: Uses = { reads: [], tries: [], writes: [], memberReads: [], memberWrites: [], calls: [], maps: [] }
  visitStatement(root, uses)
  return uses
}

function visitStatement(statement: Statement, uses: Uses): void {
  switch (statement.kind) {
    case 'assign':
      visit(statement.value, uses)
      for (const target of statement.targets) visitTarget(target, uses)
      return
    case 'value':
      visit(statement.value, uses)
      return
    case 'if':
      for (const { condition, body } of statement.branches) {
        visit(condition, uses)
        visitStatement(body, uses)
      }
      if (statement.otherwise) visitStatement(statement.otherwise, uses)
      return
    case 'while':
      visit(statement.condition, uses)
      visitStatement(statement.body, uses)
      return
    case 'block':
      for (const inner of statement.body) visitStatement(inner, uses)
  }
}

function visitTarget({ base, keys }: Target, uses: Uses): void {
  for (const key of keys) visit(key, uses)
  if (base.kind === 'member') uses.memberWrites.push(base)
  else if (keys.length > 0) uses.reads.push(base)
  else uses.writes.push(base)
}

function visit(expression: Expression, uses: Uses): void {
  switch (expression.kind) {
    case 'variable':
      uses.reads.push(expression)
      return
    case 'member':
      uses.memberReads.push(expression)
      return
    case 'array':
      for (const item of expression.items) visit(item, uses)
      return
    case 'map':
      uses.maps.push(expression.entries)
      for (const { value } of expression.entries) visit(value, uses)
      return
    case 'not':
      visit(expression.operand, uses)
      return
    case 'index':
      visit(expression.base, uses)
      for (const key of expression.keys) visit(key, uses)
      return
    case 'chain':
      visit(expression.first, uses)
      for (const { operand } of expression.rest) visit(operand, uses)
      return
    case 'exists':
      // Whether the name is there is the question, so an unknown one is no mistake.
      if (expression.target.base.kind === 'variable') uses.tries.push(expression.target.base)
      for (const key of expression.target.keys) visit(key, uses)
      return
    case 'call':
      visitCall(expression, uses)
  }
}

function visitCall(call: Call, uses: Uses): void {
  uses.calls.push(call)
  const changes = call.module === undefined && (call.name === 'append' || call.name === 'pop')
  for (const { name, value } of call.parameters) {
    visit(value, uses)
    const path = changes && name === 'array' ? pathOf(value) : undefined
    if (path?.base.kind === 'member') uses.memberWrites.push(path.base)
  }
}
