import type { Position } from '../diagnostic.ts'
import { suggestName } from '../language/nearest.ts'
import type { Source } from '../source.ts'
import type { Block, Expression, Goto, Label, Statement, While } from '../syntax/ast.ts'
import { constantOf } from '../syntax/constant.ts'
import { isTrue } from '../value/kinds.ts'

/** Labels and jumps: gotos that lead nowhere, loops without a way out, statements that nothing reaches. */
export function checkFlow(root: Block, source: Source): void {
  const flow: Flow = { gotos: [], labels: [], loops: 0, source }
  visitLines(root.body, flow)
  const known = new Set(flow.labels.map(label => label.name))
  for (const { name, at } of flow.gotos) {
    if (source.full) return
    if (known.has(name)) continue
    const hint = suggestName(name, known) ?? `A label stands on a line of its own: \`:${name}\``
    source.error('goto', at, `There is no label \`${name}\``, hint)
  }
  checkLabels(flow)
}

interface Flow {
  gotos: Goto[]
  labels: Label[]
  loops: number
  source: Source
}

function checkLabels({ gotos, labels, source }: Flow): void {
  const used = new Set(gotos.map(jump => jump.name))
  const seen = new Map<string, Position>()
  for (const { name, at } of labels) {
    const first = seen.get(name)
    if (first)
      source.warn('label', at, `The label \`${name}\` is defined twice; \`goto ${name}\` leads to line ${first.line}`)
    else if (!used.has(name)) source.warn('label', at, `The label \`${name}\` is never used`)
    if (!first) seen.set(name, at)
  }
}

/** What leaves a line for good: the statement behind it is reached by a label only. */
function leaves(statement: Statement): boolean {
  if (statement.kind === 'goto' || statement.kind === 'break' || statement.kind === 'continue') return true
  if (statement.kind === 'block') return statement.body.some(leaves)
  if (statement.kind !== 'if' || !statement.otherwise) return false
  return leaves(statement.otherwise) && statement.branches.every(({ body }) => leaves(body))
}

function visitLines(lines: readonly Statement[], flow: Flow): void {
  let left: Statement | undefined
  for (const statement of lines) {
    if (statement.kind === 'label') left = undefined
    if (left) {
      const word = left.kind === 'goto' || left.kind === 'break' || left.kind === 'continue' ? left.kind : 'goto'
      flow.source.warn('unreachable', statement.at, `This is never reached: the \`${word}\` before it always leaves`)
      left = undefined
    }
    if (leaves(statement)) left = statement
    visit(statement, flow)
  }
}

function visit(statement: Statement, flow: Flow): void {
  switch (statement.kind) {
    case 'goto':
      flow.gotos.push(statement)
      return
    case 'label':
      flow.labels.push(statement)
      return
    case 'break':
    case 'continue':
      if (flow.loops === 0)
        flow.source.error('loop', statement.at, `\`${statement.kind}\` stands only inside a \`while\``)
      return
    case 'block':
      visitLines(statement.body, flow)
      return
    case 'if':
      for (const { body } of statement.branches) visit(body, flow)
      if (statement.otherwise) visit(statement.otherwise, flow)
      return
    case 'while':
      flow.loops++
      visit(statement.body, flow)
      flow.loops--
      if (isEndless(statement)) {
        flow.source.warn(
          'endless',
          statement.at,
          'This loop never ends: its condition is always true and nothing in it leaves',
          'Leave it with `break` or `goto`',
        )
      }
  }
}

function isEndless({ condition, body }: While): boolean {
  const constant = constantOf(condition)
  return constant !== undefined && isTrue(constant) && !hasWayOut(body, true)
}

/** A `goto`, a `break` of this loop, or a `fatal_error`. */
function hasWayOut(statement: Statement, own: boolean): boolean {
  switch (statement.kind) {
    case 'goto':
      return true
    case 'break':
      return own
    case 'block':
      return statement.body.some(inner => hasWayOut(inner, own))
    case 'if': {
      const inner = statement.branches.some(({ body }) => hasWayOut(body, own))
      return inner || (statement.otherwise !== undefined && hasWayOut(statement.otherwise, own))
    }
    case 'while':
      return hasWayOut(statement.body, false)
    case 'value':
      return isFatal(statement.value)
    default:
      return false
  }
}

function isFatal(value: Expression): boolean {
  return value.kind === 'call' && value.module === undefined && value.name === 'fatal_error'
}
