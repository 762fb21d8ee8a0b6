import type { Values } from '../database/columns.ts'
import { ContractorError } from '../plugin/error.ts'
import type { Json } from '../plugin/json.ts'
import { isTemplate, TemplateError, type Templates } from '../template/templates.ts'

/**
 * Rendering of config values: every text, also inside of lists and maps, is a Jinja2 template over all values.
 *
 * A value is rendered when it is asked for, after those that it names, each once. What comes out may be a template
 * again; that is rendered until nothing changes. Values that name each other in a circle are given to one another as
 * they are written: a template that names itself in a branch it does not take is no circle. A value that is still a
 * template after so many rounds refers to itself. Attributes (`_…`) are given and not templates.
 */
export interface RenderedValues {
  /** One value; undefined when there is none. Throws CONFIG_INVALID when it, or one that it needs, cannot be rendered. */
  get(key: string): Json | undefined
  /** All of them. */
  all(): Values
}

const mostRounds = 20

export function renderValues(templates: Templates, values: Values, target: string): RenderedValues {
  const rendered: Record<string, Json> = {}
  /** What is being rendered: each names the next. */
  const path: string[] = []

  const get = (key: string): Json | undefined => {
    const written = Object.hasOwn(values, key) ? (values[key] as Json) : undefined
    if (written === undefined || key.startsWith('_') || !hasTemplate(written)) return written
    if (Object.hasOwn(rendered, key)) return rendered[key]
    // A circle: it gets what is written here.
    if (path.includes(key)) return written
    path.push(key)
    let value: Json = written
    for (let round = 0; hasTemplate(value); round++) {
      if (round === mostRounds) throw circle(templates, values, target, key)
      value = mapTexts(value, text => renderText(text, key))
    }
    path.pop()
    // Whoever took part in a circle may have seen what was not rendered yet: only its own end is kept.
    if (!path.length || !inCircle(templates, values, key)) rendered[key] = value
    return value
  }

  const renderText = (text: string, key: string): string => {
    if (!isTemplate(text)) return text
    const context: Values = {}
    for (const name of templates.namesOf(text)) {
      const value = get(name)
      if (value !== undefined) context[name] = value
    }
    try {
      return templates.render(text, context)
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      throw invalid(templates, values, target, key, error)
    }
  }

  return {
    get: key => started(path, () => get(key)),
    all: () => started(path, () => Object.fromEntries(Object.keys(values).map(key => [key, get(key) as Json]))),
  }
}

/** After an error the next question starts anew. */
function started<T>(path: string[], run: () => T): T {
  path.splice(0)
  return run()
}

function hasTemplate(value: Json): boolean {
  if (typeof value === 'string') return isTemplate(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(hasTemplate)
}

function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map(item => mapTexts(item, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change)]))
}

/** The keys that a value names. */
export function namedBy(templates: Templates, values: Values, key: string): string[] {
  const names = new Set<string>()
  const visit = (value: Json): void => {
    if (typeof value === 'string') {
      if (isTemplate(value))
        for (const name of templates.namesOf(value)) if (Object.hasOwn(values, name)) names.add(name)
    } else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) visit(item)
  }
  if (!key.startsWith('_')) visit(values[key] as Json)
  return [...names]
}

/** The shortest way from a key by what it names to another; nothing when there is none. */
function findPath(templates: Templates, values: Values, from: string, to: string): string[] | undefined {
  const ways: string[][] = [[from]]
  const seen = new Set<string>()
  for (const way of ways) {
    for (const next of namedBy(templates, values, way.at(-1) as string)) {
      if (next === to) return [...way, next]
      if (!seen.has(next)) ways.push([...way, next])
      seen.add(next)
    }
  }
  return undefined
}

const inCircle = (templates: Templates, values: Values, key: string) =>
  findPath(templates, values, key, key) !== undefined

function circle(templates: Templates, values: Values, target: string, key: string): ContractorError {
  const way = (findPath(templates, values, key, key) ?? [key, key]).map(name => `'${name}'`).join(' → ')
  return new ContractorError('CONFIG_INVALID', `Config of ${target}: '${key}' refers to itself: ${way}`, {
    target,
    key,
  })
}

/** Names the key, the line of its template, and one chain of those that refer to it. */
function invalid(
  templates: Templates,
  values: Values,
  target: string,
  key: string,
  error: TemplateError,
): ContractorError {
  const chain = referrers(templates, values, key)
  const line = error.line === undefined ? '' : `, line ${error.line}`
  const used = chain.length
    ? ` (${chain.map((name, at) => `${at ? 'which ' : ''}'${name}' refers to`).join(', ')})`
    : ''
  return new ContractorError(
    'CONFIG_INVALID',
    `Config of ${target}: '${key}'${line}: ${error.message}${used}`,
    { target, key, ...(error.line !== undefined && { line: error.line }), chain: [key, ...chain] },
    { cause: error },
  )
}

/** Who refers to a key, who to that one, and so on to one that nobody refers to. */
function referrers(templates: Templates, values: Values, key: string): string[] {
  const chain: string[] = []
  for (let at = key; ; ) {
    const next = Object.keys(values).find(
      name => name !== key && !chain.includes(name) && namedBy(templates, values, name).includes(at),
    )
    if (next === undefined) return chain
    chain.push(next)
    at = next
  }
}
