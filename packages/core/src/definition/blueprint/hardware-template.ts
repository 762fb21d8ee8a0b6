import { hardwareTemplate as declared, type Hardware, type HardwareTemplate } from '@contractor/contract'
import { RE2JS } from 're2js'

/**
 * Without the config UUID: what is kept with a Foundation is part of its config, which anybody may read who knows its
 * name.
 */
export function withoutProof({ configUuid: _, ...shown }: Hardware): Omit<Hardware, 'configUuid'> {
  return shown
}

/**
 * One template of a line of BluePrints, ancestors first: what an heir asks of a field, or under the name of a group,
 * replaces what was asked there; all else is asked as well.
 */
export function mergeTemplates(line: readonly HardwareTemplate[]): HardwareTemplate {
  const merged: Record<string, object> = {}
  for (const template of line)
    for (const [key, entries] of Object.entries(template)) merged[key] = { ...merged[key], ...entries }
  return merged as HardwareTemplate
}

/** A template that asks for nothing is none: resource files have many of that kind. */
export const asksNothing = (template: HardwareTemplate): boolean =>
  Object.values(template).every(entries => Object.keys(entries ?? {}).length === 0)

/** A validation template whose patterns the engine of patterns takes: their language is RE2's, in linear time. */
export const hardwareTemplate = declared.superRefine((template, context) => {
  for (const { path, pattern } of findPatterns(template, [])) {
    const reason = whyNoPattern(pattern)
    if (reason !== undefined) context.addIssue({ code: 'custom', path, message: `is no pattern: ${reason}` })
  }
})

function findPatterns(value: unknown, path: readonly string[]): { path: string[]; pattern: string }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  if ('pattern' in value && typeof value.pattern === 'string')
    return [{ path: [...path, 'pattern'], pattern: value.pattern }]
  return Object.entries(value).flatMap(([key, inner]) => findPatterns(inner, [...path, key]))
}

function whyNoPattern(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error)
  }
}
