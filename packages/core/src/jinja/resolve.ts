import { TemplateError } from './failure.ts'
import { filters } from './filters.ts'
import type { Arguments, Body, Expression, ForStatement, MacroStatement, Statement, Target } from './syntax.ts'
import { isTestName } from './tests.ts'

/**
 * The names that statements may take from outside: all that they ask for, but for those that they have certainly set
 * before. What is set in one branch alone, or in a loop, may not be set. Throws TemplateError for a filter or a test that
 * does not exist, unless it stands in a branch that may not be taken.
 */
export function freeNames(body: Body): ReadonlySet<string> {
  const walk = new Walk()
  walk.body(body, new Set())
  return walk.free
}

type Known = Set<string>

const deepest = 500

class Walk {
  readonly free = new Set<string>()
  #depth = 0
  /** Within how many branches it is. */
  #branches = 0

  body(body: Body, known: Known): void {
    for (const statement of body) this.#statement(statement, known)
  }

  #statement(statement: Statement, known: Known): void {
    switch (statement.kind) {
      case 'text':
        break
      case 'output':
        this.#all(statement.values, known)
        break
      case 'if': {
        const ends: Known[] = []
        this.#branches++
        for (const { test, body } of statement.branches) {
          this.#expression(test, known)
          ends.push(this.#inside(body, known))
        }
        ends.push(this.#inside(statement.otherwise, known))
        this.#branches--
        for (const name of ends[0] ?? []) if (ends.every(end => end.has(name))) known.add(name)
        break
      }
      case 'for':
        this.#for(statement, known)
        break
      case 'set':
        this.#expression(statement.value, known)
        this.#target(statement.target, known)
        break
      case 'setBlock':
        this.#inside(statement.body, known)
        if (statement.filter) this.#expression(statement.filter, known)
        this.#target(statement.target, known)
        break
      case 'with': {
        this.#all(statement.values, known)
        const inner = new Set(known)
        for (const target of statement.targets) this.#target(target, inner)
        this.body(statement.body, inner)
        break
      }
      case 'macro':
        this.#macro(statement, known)
        known.add(statement.name ?? '')
        break
      case 'callBlock':
        this.#expression(statement.call, known)
        this.#macro(statement.macro, known)
        break
      case 'filterBlock':
        this.#inside(statement.body, known)
        this.#expression(statement.filter, known)
        break
    }
  }

  #inside(body: Body, known: Known): Known {
    const inner = new Set(known)
    this.body(body, inner)
    return inner
  }

  #for({ target, over, test, body, otherwise }: ForStatement, known: Known): void {
    this.#expression(over, known)
    const inner = new Set(known)
    this.#target(target, inner)
    if (test) this.#expression(test, inner)
    inner.add('loop')
    this.body(body, inner)
    this.#inside(otherwise, known)
  }

  /** `caller`, `varargs` and `kwargs` are a macro's own: who makes it asks for them here, too. */
  #macro({ name, parameters, body }: MacroStatement, known: Known): void {
    const inner = new Set(known)
    if (name !== undefined) inner.add(name)
    for (const parameter of parameters) inner.add(parameter.name)
    for (const { otherwise } of parameters) if (otherwise) this.#expression(otherwise, inner)
    for (const own of ['caller', 'varargs', 'kwargs']) inner.add(own)
    this.body(body, inner)
  }

  #target(target: Target, known: Known): void {
    if (target.kind === 'name') known.add(target.name)
    else if (target.kind === 'member') this.#name(target.of, known)
    else for (const one of target.targets) this.#target(one, known)
  }

  #name(name: string, known: Known): void {
    if (!known.has(name)) this.free.add(name)
  }

  #all(expressions: readonly (Expression | undefined)[], known: Known): void {
    for (const one of expressions) if (one) this.#expression(one, known)
  }

  #given({ positional, named, rest, restNamed }: Arguments, known: Known): void {
    this.#all([...positional, ...named.map(([, value]) => value), rest, restNamed], known)
  }

  #expression(expression: Expression, known: Known): void {
    if (++this.#depth > deepest) throw new TemplateError('syntax error: it is nested too deep', undefined)
    this.#parts(expression, known)
    this.#depth--
  }

  #parts(expression: Expression, known: Known): void {
    switch (expression.kind) {
      case 'constant':
        break
      case 'name':
        this.#name(expression.name, known)
        break
      case 'list':
      case 'tuple':
        this.#all(expression.items, known)
        break
      case 'dict':
        this.#all(expression.pairs.flat(), known)
        break
      case 'item':
        this.#all([expression.of, expression.key], known)
        break
      case 'slice':
        this.#all([expression.of, ...expression.parts], known)
        break
      case 'filter':
      case 'test':
        if (!this.#branches) checkName(expression)
        this.#all([expression.of], known)
        this.#given(expression.given, known)
        break
      case 'call':
        this.#all([expression.of], known)
        this.#given(expression.given, known)
        break
      case 'attribute':
      case 'not':
      case 'signed':
        this.#expression(expression.of, known)
        break
      case 'and':
      case 'or':
      case 'arithmetic':
        this.#all([expression.left, expression.right], known)
        break
      case 'compare':
        this.#all([expression.first, ...expression.rest.map(one => one.value)], known)
        break
      case 'concat':
        this.#all(expression.parts, known)
        break
      case 'condition':
        this.#branches++
        this.#all([expression.test, expression.then, expression.otherwise], known)
        this.#branches--
        break
    }
  }
}

function checkName({ kind, name, line }: Expression & { kind: 'filter' | 'test' }): void {
  if (kind === 'filter' ? Object.hasOwn(filters, name) : isTestName(name)) return
  throw new TemplateError(`there is no ${kind} '${name}'`, line)
}
