import { type Json, maskText } from '@contractor/contract'
import { execute } from './execute.ts'
import { Failure, TemplateError } from './failure.ts'
import { parseTemplate } from './parse.ts'
import { findPlain, joinPlain, type Piece } from './plain.ts'
import { freeNames } from './resolve.ts'
import { type Lookup, Run } from './run.ts'
import { Scope } from './scope.ts'
import type { Body } from './syntax.ts'

/**
 * Templates in Jinja2 3.1, rendered within limits: a template neither loops nor writes without end, and sees nothing but
 * the values that it is given, which it cannot change.
 */
export interface Templates {
  /** Throws TemplateError; and what the lookup throws. */
  render(source: string, context: Readonly<Record<string, Json>> | Lookup, unknown?: Unknown): string
  /** Names that it may take from its context; none of what is no template. */
  namesOf(source: string): readonly string[]
  close(): void
}

/**
 * What printing a name without a value does: `refuse` it, which finds mistakes; or print nothing, as Jinja2 does. Asking
 * for it (`{% if name %}`, `name|default(…)`) is always allowed.
 */
export type Unknown = 'refuse' | 'empty'

export { type Lookup, TemplateError }

/** How many parsed sources are kept: those of BluePrints and Sites come again and again. */
const mostKept = 5_000
/** A longer one is parsed anew. */
const longestKept = 100_000

/** Most texts are none, and have no brace at all. */
export const isTemplate = (text: string) =>
  text.includes('{') && (text.includes('{{') || text.includes('{%') || text.includes('{#'))

interface Parsed {
  body: Body
  names: readonly string[]
  plain: readonly Piece[] | undefined
}

export function createTemplates(): Templates {
  const kept = new Map<string, Parsed>()

  const parse = (source: string): Parsed => {
    const present = kept.get(source)
    if (present) return present
    const body = parseTemplate(source)
    const parsed = { body, names: [...freeNames(body)], plain: findPlain(body) }
    if (kept.size >= mostKept) kept.delete(kept.keys().next().value ?? '')
    if (source.length <= longestKept) kept.set(source, parsed)
    return parsed
  }

  return {
    namesOf(source) {
      try {
        return parse(source).names
      } catch (error) {
        if (error instanceof TemplateError) return []
        throw error
      }
    },
    render(source, context, unknown = 'refuse') {
      const lookup: Lookup =
        typeof context === 'function'
          ? context
          : name => (Object.hasOwn(context, name) ? (context[name] as Json) : undefined)
      const { body, plain } = parse(source)
      const joined = plain && joinPlain(plain, lookup)
      if (joined !== undefined) return joined
      const run = new Run(lookup, unknown === 'refuse')
      try {
        execute(run, new Scope(), body)
        return run.written
      } catch (error) {
        // What JavaScript itself refuses: the limits are meant to be hit first.
        const isOwn = error instanceof Failure || error instanceof RangeError
        throw isOwn ? new TemplateError(maskText(error.message), run.line, error) : error
      }
    },
    close: () => kept.clear(),
  }
}
