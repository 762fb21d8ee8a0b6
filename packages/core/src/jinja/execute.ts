import { applyFilter, call, evaluate } from './evaluate.ts'
import { fail } from './failure.ts'
import { Namespace } from './globals.ts'
import { Loop } from './loop.ts'
import { Macro } from './macro.ts'
import { str } from './print.ts'
import type { Run } from './run.ts'
import { Scope } from './scope.ts'
import type { Body, Expression, ForStatement, Statement, Target } from './syntax.ts'
import { type Given, isTrue, iterate, Stream, toArray, type Value } from './values.ts'

/** Runs statements: what they write goes to the run, what they set into the scope. */
export function execute(run: Run, scope: Scope, body: Body): void {
  for (const statement of body) executeOne(run, scope, statement)
}

function executeOne(run: Run, scope: Scope, statement: Statement): void {
  run.limits.step()
  if ('line' in statement) run.line = statement.line
  switch (statement.kind) {
    case 'text':
      run.write(statement.text)
      break
    case 'output':
      for (const value of statement.values) run.write(str(run.limits, evaluate(run, scope, value)))
      break
    case 'if': {
      const branch = statement.branches.find(({ test }) => isTrue(evaluate(run, scope, test)))
      execute(run, scope, branch ? branch.body : statement.otherwise)
      break
    }
    case 'for':
      executeFor(run, scope, statement, evaluate(run, scope, statement.over), 0)
      break
    case 'set':
      assign(run, scope, statement.target, evaluate(run, scope, statement.value))
      break
    case 'setBlock': {
      const text = run.capture(() => execute(run, new Scope(scope), statement.body))
      assign(run, scope, statement.target, filtered(run, scope, statement.filter, text))
      break
    }
    case 'with': {
      const inner = new Scope(scope)
      const values = statement.values.map(value => evaluate(run, scope, value))
      for (const [at, target] of statement.targets.entries()) assign(run, inner, target, values[at] as Value)
      execute(run, inner, statement.body)
      break
    }
    case 'macro':
      scope.set(statement.name ?? '', new Macro(run, scope, statement, execute))
      break
    case 'callBlock': {
      const caller = new Macro(run, scope, statement.macro, execute)
      run.write(str(run.limits, call(run, scope, statement.call, caller)))
      break
    }
    case 'filterBlock': {
      const text = run.capture(() => execute(run, new Scope(scope), statement.body))
      run.write(str(run.limits, filtered(run, scope, statement.filter, text)))
      break
    }
  }
}

const filtered = (run: Run, scope: Scope, filter: Expression | undefined, text: string): Value =>
  filter?.kind === 'filter' ? applyFilter(run, scope, filter, text) : text

function executeFor(run: Run, scope: Scope, statement: ForStatement, over: Value, depth: number): void {
  const { target, test, isRecursive, body, otherwise } = statement
  const taken = test ? new Stream(take(run, scope, statement, test, over)) : over
  const loop = new Loop(run, taken, depth, isRecursive ? repeat(run, scope, statement, depth) : undefined)
  let isEmpty = true
  for (let item = loop.next(); item !== undefined; item = loop.next()) {
    isEmpty = false
    const inner = new Scope(scope)
    inner.set('loop', loop)
    assign(run, inner, target, item)
    execute(run, inner, body)
  }
  if (isEmpty) execute(run, new Scope(scope), otherwise)
}

/** `loop(items)` of a recursive loop. */
function repeat(run: Run, scope: Scope, statement: ForStatement, depth: number): (given: Given) => Value {
  return ({ positional }) => {
    const [items = fail('loop() needs an argument')] = positional
    return run.capture(() => {
      run.limits.enter()
      executeFor(run, scope, statement, items, depth + 1)
      run.limits.leave()
    })
  }
}

/** The items that the loop's own condition lets through. */
function* take(run: Run, scope: Scope, { target }: ForStatement, test: Expression, over: Value): Generator<Value> {
  for (const item of iterate(run.limits, over)) {
    const inner = new Scope(scope)
    assign(run, inner, target, item)
    if (isTrue(evaluate(run, inner, test))) yield item
  }
}

function assign(run: Run, scope: Scope, target: Target, value: Value): void {
  if (target.kind === 'name') {
    scope.set(target.name, value)
    return
  }
  if (target.kind === 'member') {
    const of = run.find(scope, target.of)
    if (of instanceof Namespace) of.set(target.name, value)
    else fail(`'${target.of}' is no namespace: nothing else can have its members set`)
    return
  }
  const items = toArray(run.limits, value)
  const { targets } = target
  if (items.length !== targets.length)
    fail(`${targets.length} values are needed to unpack, and there are ${items.length}`)
  for (const [at, one] of targets.entries()) assign(run, scope, one, items[at] as Value)
}
