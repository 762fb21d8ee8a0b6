import { Environment } from 'minijinja-js'
import type { Json } from '../plugin/json.ts'
import { type Translated, translateJinja } from './jinja-dialect.ts'
import { joinPlain } from './plain-template.ts'
import { mapEntries, type TemplateValue } from './python-text.ts'
import { createCells } from './template-cells.ts'
import { filters } from './template-filters.ts'

/**
 * Templates in Jinja2, rendered by minijinja within limits: a template neither loops nor writes without end, and sees
 * nothing but the values that it is given.
 */
export interface Templates {
  /** Throws TemplateError. */
  render(source: string, context: Readonly<Record<string, Json>>, unknown?: Unknown): string
  /** Names that it may take from its context. */
  namesOf(source: string): readonly string[]
  close(): void
}

/**
 * What printing a name without a value does: `refuse` it, which finds mistakes; or print nothing, as Jinja2 does. Asking
 * for it (`{% if name %}`, `name|default(…)`) is always allowed.
 */
export type Unknown = 'refuse' | 'empty'

export class TemplateError extends Error {
  /** In the template, from 1; absent when the renderer could not tell. */
  readonly line: number | undefined

  constructor(message: string, line: number | undefined, cause: unknown) {
    super(message, { cause })
    this.line = line
  }
}

/** Steps of minijinja's machine; about 50 ms of work. */
const mostFuel = 1_000_000
const longestOutput = 1_000_000
/** How many translated sources, and how many results, are kept: those of BluePrints and Sites come again and again. */
const mostKept = 5_000
/** A longer result, with what it was made of, is made anew. */
const longestKept = 2_000

export const isTemplate = (text: string) => text.includes('{{') || text.includes('{%') || text.includes('{#')

export function createTemplates(): Templates {
  const cells = createCells()
  const environments: Partial<Record<Unknown, Environment>> = {}
  const translated = new Map<string, Translated>()
  const rendered = new Map<string, string>()
  /** What a filter threw. It must not throw through minijinja, which would never work again. */
  let thrown: unknown

  const open = (unknown: Unknown): Environment => {
    const environment = new Environment()
    environment.undefinedBehavior = unknown === 'refuse' ? 'semi_strct' : 'lenient' // the binding's own spelling
    environment.keepTrailingNewline = true
    environment.fuel = mostFuel
    environment.enablePyCompat()
    for (const [name, filter] of Object.entries({ ...filters, ...cells.filters })) {
      environment.addFilter(name, (value: TemplateValue, ...given: TemplateValue[]) => {
        try {
          return forTemplate(filter(value, ...given))
        } catch (error) {
          thrown ??= error
          return null
        }
      })
    }
    environments[unknown] = environment
    return environment
  }
  const translate = (source: string): Translated => {
    const present = translated.get(source)
    if (present) return present
    const made = translateJinja(source)
    keep(translated, source, made)
    return made
  }

  return {
    namesOf: source => translate(source).names,
    render(source, context, unknown = 'refuse') {
      const { source: own, names, plain } = translate(source)
      const joined = plain && joinPlain(plain, context)
      if (joined !== undefined) return joined
      const given: Record<string, Json> = {}
      for (const name of names) if (Object.hasOwn(context, name)) given[name] = context[name] as Json
      // A template has nothing but what it is given, so the same again gives the same.
      const key = `${unknown} ${JSON.stringify(given)} ${source}`
      const present = rendered.get(key)
      if (present !== undefined) return present
      thrown = undefined
      cells.clear()
      const environment = environments[unknown] ?? open(unknown)
      let text: string
      try {
        text = environment.renderStr(own, given)
      } catch (error) {
        // After a panic inside of minijinja its environment is of no use any more.
        if (error instanceof Error && (error.name === 'RuntimeError' || error instanceof RangeError))
          delete environments[unknown]
        throw toTemplateError(thrown ?? error, names, context)
      }
      if (thrown !== undefined) throw toTemplateError(thrown, names, context)
      if (text.length > longestOutput)
        throw new TemplateError(`its output is longer than ${longestOutput} characters`, undefined, undefined)
      if (key.length + text.length <= longestKept) keep(rendered, key, text)
      return text
    },
    close() {
      for (const environment of Object.values(environments)) environment?.free()
    },
  }
}

function keep<T>(kept: Map<string, T>, key: string, value: T): void {
  if (kept.size >= mostKept) kept.delete(kept.keys().next().value ?? '')
  kept.set(key, value)
}

/** Back to minijinja: plain maps, and None instead of undefined. */
function forTemplate(value: TemplateValue): TemplateValue {
  if (value === undefined) return null
  if (Array.isArray(value)) return value.map(forTemplate)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(mapEntries(value).map(([key, item]) => [key, forTemplate(item)]))
}

function toTemplateError(
  error: unknown,
  names: readonly string[],
  context: Readonly<Record<string, Json>>,
): TemplateError {
  const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  const [, said = first, line] = /^(.*?)(?: \(in <string>:(\d+)\))?$/.exec(first) ?? []
  const place = line === undefined ? undefined : Number(line)
  if (/ran out of fuel/.test(said)) return new TemplateError(`it takes more than ${mostFuel} steps`, place, error)
  if (!/undefined value/.test(said)) return new TemplateError(said, place, error)
  const missing = names.filter(name => !Object.hasOwn(context, name) && !isKnown.has(name))
  const hint = missing.length ? `; there is no value ${missing.map(name => `'${name}'`).join(' or ')}` : ''
  return new TemplateError(`a value that is not there would be printed${hint}`, place, error)
}

/** Words of the language and names that minijinja has itself, which no hint should offer. */
const isKnown = new Set(
  `and as block call continue break defined do elif else endblock endcall endfilter endfor endif endmacro endset endwith
  extends false False filter for from if import in include is loop macro namespace none None not or range raw recursive
  self set super true True undefined with without dict cycler joiner lipsum debug`.split(/\s+/),
)
