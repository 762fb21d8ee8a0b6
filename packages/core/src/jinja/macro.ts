import { evaluate } from './evaluate.ts'
import { fail } from './failure.ts'
import { freeNames } from './resolve.ts'
import type { Run } from './run.ts'
import { Scope } from './scope.ts'
import type { Body, MacroStatement } from './syntax.ts'
import { Dict, type Given, Native, Tuple, type Value } from './values.ts'

type Execute = (run: Run, scope: Scope, body: Body) => void

/** A macro, with the scope that it was made in. What it writes is what a call of it gives. */
export class Macro extends Native {
  readonly type = 'macro'
  readonly #run: Run
  readonly #scope: Scope
  readonly #statement: MacroStatement
  readonly #execute: Execute
  /** `caller`, `varargs` and `kwargs` may be given to those that use them. */
  readonly #uses: ReadonlySet<string>

  constructor(run: Run, scope: Scope, statement: MacroStatement, execute: Execute) {
    super()
    this.#run = run
    this.#scope = scope
    this.#statement = statement
    this.#execute = execute
    this.#uses = freeNames(statement.body)
  }

  override attribute(name: string): Value | undefined {
    if (name === 'name') return this.#statement.name ?? null
    if (name === 'arguments') return new Tuple(this.#statement.parameters.map(one => one.name))
    if (name === 'catch_kwargs') return this.#uses.has('kwargs')
    if (name === 'catch_varargs') return this.#uses.has('varargs')
    return name === 'caller' ? this.#uses.has('caller') : undefined
  }

  override shown(): string {
    const { name } = this.#statement
    return name === undefined ? '<Macro anonymous>' : `<Macro '${name}'>`
  }

  call({ positional, named }: Given): Value {
    const { name = 'caller', parameters, body } = this.#statement
    const run = this.#run
    const scope = new Scope(this.#scope)
    const rest = new Map(named)
    run.limits.enter()
    for (const [at, { name: parameter }] of parameters.entries()) {
      const value = at < positional.length ? positional[at] : rest.get(parameter)
      if (at >= positional.length) rest.delete(parameter)
      if (value !== undefined) scope.set(parameter, value)
    }
    for (const { name: parameter, otherwise } of parameters)
      if (!scope.owns(parameter))
        scope.set(
          parameter,
          otherwise ? evaluate(run, scope, otherwise) : run.missing(`parameter '${parameter}' was not provided`),
        )
    const hasCaller = parameters.some(one => one.name === 'caller')
    if (this.#uses.has('caller') && !hasCaller) {
      scope.set('caller', rest.get('caller') ?? run.missing('no caller was given'))
      rest.delete('caller')
    }
    if (this.#uses.has('kwargs')) scope.set('kwargs', Dict.of(rest))
    else if (rest.size) fail(`macro '${name}' takes no keyword argument '${[...rest.keys()][0]}'`)
    const more = positional.slice(parameters.length)
    if (this.#uses.has('varargs')) scope.set('varargs', new Tuple(more))
    else if (more.length) fail(`macro '${name}' takes not more than ${parameters.length} arguments`)
    const text = run.capture(() => this.#execute(run, scope, body))
    run.limits.leave()
    return text
  }
}
