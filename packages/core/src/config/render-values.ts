import { Environment } from 'minijinja-js'
import { ContractorError } from '../plugin/error.ts'
import type { Json } from '../plugin/json.ts'
import type { Values } from './merge-values.ts'

/**
 * Rendering of config values: every text is a Jinja2 template over all values. A template may name a value that is a
 * template itself, so rounds are made until nothing changes. Attributes (`_…`) are given and not templates. A value
 * that still changes after so many rounds, or that renders to a template again and again, refers to itself.
 */
export interface Renderer {
  /** Throws CONFIG_INVALID that names `target` and the key. */
  render(values: Values, target: string): Values
  close(): void
}

const mostRounds = 20

const isTemplate = (text: string) => text.includes('{{') || text.includes('{%') || text.includes('{#')

export function createRenderer(): Renderer {
  const environment = new Environment()
  // An unknown name is an error where it would be printed; `{% if name %}` may ask for it.
  environment.undefinedBehavior = 'semi_strct' // the binding's own spelling
  environment.keepTrailingNewline = true
  environment.enablePyCompat()

  return {
    render(values, target) {
      let current = values
      for (let round = 0; ; round++) {
        const context = current
        const changed: string[] = []
        const next = Object.fromEntries(
          Object.entries(context).map(([key, value]) => {
            if (key.startsWith('_')) return [key, value]
            const rendered = renderValue(environment, value, context, target, key)
            if (rendered.isTemplate) changed.push(key)
            return [key, rendered.value]
          }),
        )
        if (!changed.length) return context
        if (round === mostRounds) {
          const keys = changed.map(key => `'${key}'`).join(', ')
          throw new ContractorError(
            'CONFIG_INVALID',
            `Config of ${target}: ${keys} ${changed.length === 1 ? 'refers to itself' : 'refer to each other in a circle'}`,
            { target, key: changed[0] ?? '' },
          )
        }
        current = next
      }
    },
    close: () => environment.free(),
  }
}

function renderValue(
  environment: Environment,
  value: Json,
  context: Values,
  target: string,
  key: string,
): { value: Json; isTemplate: boolean } {
  if (typeof value === 'string') {
    if (!isTemplate(value)) return { value, isTemplate: false }
    try {
      return { value: environment.renderStr(value, context), isTemplate: true }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new ContractorError(
        'CONFIG_INVALID',
        `Config value '${key}' of ${target} cannot be rendered: ${reason}`,
        { target, key },
        { cause: error },
      )
    }
  }
  if (typeof value !== 'object' || value === null) return { value, isTemplate: false }
  let found = false
  const inner = (item: Json): Json => {
    const rendered = renderValue(environment, item, context, target, key)
    found ||= rendered.isTemplate
    return rendered.value
  }
  const rendered = Array.isArray(value)
    ? value.map(inner)
    : Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inner(item)]))
  return { value: found ? rendered : value, isTemplate: found }
}
