import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '@contractor/contract'
import { describe, expect, it } from 'vitest'
import { createTemplates, TemplateError, type Unknown } from '../src/jinja/templates.ts'

/** A template with what Jinja2 3.1 itself makes of it: see `jinja/reference.py`. */
interface Case {
  about: string
  template: string
  context?: Record<string, Json>
  unknown?: Unknown
  expected?: string
  error?: true
}

const cases: Case[] = JSON.parse(readFileSync(join(import.meta.dirname, 'jinja/cases.json'), 'utf8'))
const templates = createTemplates()

/** What it gives, or that it is refused: never anything but a TemplateError. */
function render({ template, context = {}, unknown = 'empty' }: Case): Pick<Case, 'expected' | 'error'> {
  const before = JSON.stringify(context)
  try {
    return { expected: templates.render(template, context, unknown) }
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return { error: true }
  } finally {
    expect(JSON.stringify(context), 'the context').toBe(before)
  }
}

describe.each([...new Set(cases.map(one => one.about))])('as Jinja2 does it: %s', about => {
  it.each(cases.filter(one => one.about === about).map((one, at) => ({ ...one, at })))('$at: $template', one => {
    const { expected, error } = one
    expect(render(one)).toEqual(error ? { error } : { expected })
  })
})
