import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BUILTIN_NAMES } from '../src/language/builtins.ts'
import { RESERVED } from '../src/syntax/token.ts'

interface Rule {
  match?: string
  begin?: string
  end?: string
  include?: string
  patterns?: Rule[]
}

const text = readFileSync(new URL('../tscript.tmLanguage.json', import.meta.url), 'utf8')
const grammar = JSON.parse(text) as Rule & { scopeName: string; repository: { [name: string]: Rule } }

function rulesOf(rule: Rule): Rule[] {
  return [rule, ...(rule.patterns ?? []).flatMap(rulesOf)]
}
const rules = [grammar, ...Object.values(grammar.repository)].flatMap(rulesOf)

describe('the TextMate grammar', () => {
  test('has only patterns that are regular expressions, and includes only what it has', () => {
    for (const { match, begin, end, include } of rules) {
      for (const pattern of [match, begin, end])
        if (pattern !== undefined) expect(() => new RegExp(pattern, 'u')).not.toThrow()
      if (include !== undefined) expect(Object.keys(grammar.repository)).toContain(include.slice(1))
    }
  })

  test('knows every word of the language and every built-in function', () => {
    const words = new Set(
      rules.flatMap(rule => [rule.match, rule.begin]).flatMap(pattern => pattern?.match(/[A-Za-z_]{2,}/g) ?? []),
    )
    for (const word of [...RESERVED, ...BUILTIN_NAMES]) expect(words).toContain(word)
  })

  test('is part of the package', () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    expect(manifest.exports['./tscript.tmLanguage.json']).toBe('./tscript.tmLanguage.json')
    expect(manifest.files).toContain('tscript.tmLanguage.json')
  })
})
