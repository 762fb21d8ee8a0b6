import { ContractorError, type Json, mapTexts } from '@contractor/contract'
import type { Values } from '../database/columns.ts'
import { isTemplate, TemplateError, type Templates } from '../jinja/templates.ts'
import type { Merged } from './merge-values.ts'

/**
 * Rendering of config values: every text, also inside of lists and maps, is a Jinja2 template over all values.
 *
 * A value is rendered once, when it is first asked for: by a reader, or by a template that gets to its name. A name in a
 * branch that is not taken is not asked for, so it makes no circle; a value that needs itself is refused with the ring.
 * What comes out of a template is data and not rendered again, whatever is in it. Attributes (`_…`) are given and not
 * templates.
 */
export interface RenderedValues {
  /** One value; undefined when there is none. Throws CONFIG_INVALID when it, or one that it needs, cannot be rendered. */
  get(key: string): Json | undefined
  /** All of them. */
  all(): Values
}

export function renderValues(templates: Templates, values: Merged, target: string): RenderedValues {
  const rendered = new Map<string, Json>()
  /** What is being rendered: each needs the next. */
  const path: string[] = []

  const get = (key: string): Json | undefined => {
    const written = values.get(key)
    if (written === undefined || key.startsWith('_') || !hasTemplate(written)) return written
    const present = rendered.get(key)
    if (present !== undefined) return present
    if (path.includes(key)) throw circle(target, path.slice(path.indexOf(key)))
    path.push(key)
    try {
      const value = mapTexts(written, text => renderText(text, key))
      rendered.set(key, value)
      return value
    } finally {
      path.pop()
    }
  }

  const renderText = (text: string, key: string): string => {
    if (!isTemplate(text)) return text
    try {
      return templates.render(text, get)
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      throw invalid(templates, values, target, key, error)
    }
  }

  return {
    get,
    all() {
      const all: Values = {}
      for (const key of values.keys()) all[key] = get(key) as Json
      return all
    },
  }
}

function hasTemplate(value: Json): boolean {
  if (typeof value === 'string') return isTemplate(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(hasTemplate)
}

/** The keys that a value names. */
export function namedBy(templates: Templates, values: Merged, key: string): string[] {
  const names = new Set<string>()
  const visit = (value: Json): void => {
    if (typeof value === 'string') {
      if (isTemplate(value)) for (const name of templates.namesOf(value)) if (values.has(name)) names.add(name)
    } else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) visit(item)
  }
  const written = values.get(key)
  if (written !== undefined && !key.startsWith('_')) visit(written)
  return [...names]
}

function circle(target: string, ring: readonly string[]): ContractorError {
  const [key = ''] = ring
  const way = [...ring, key].map(name => `'${name}'`).join(' → ')
  return new ContractorError('CONFIG_INVALID', `Config of ${target}: '${key}' refers to itself: ${way}`, {
    target,
    key,
  })
}

/** Names the key, the line of its template, and one chain of those that refer to it. */
function invalid(
  templates: Templates,
  values: Merged,
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
function referrers(templates: Templates, values: Merged, key: string): string[] {
  const chain: string[] = []
  for (let at = key; ; ) {
    const next = [...values.keys()].find(
      name => name !== key && !chain.includes(name) && namedBy(templates, values, name).includes(at),
    )
    if (next === undefined) return chain
    chain.push(next)
    at = next
  }
}
