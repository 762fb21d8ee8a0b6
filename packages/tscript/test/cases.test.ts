import { describe, expect, test } from 'vitest'
import { runCase } from '../src/cli/case.ts'
import { allCases } from './case-file.ts'

describe('the cases of the language', () => {
  test('no two have one name', () => {
    expect(new Set(allCases.map(one => one.id)).size).toBe(allCases.length)
  })
  test.each(allCases)('$id', ({ id, script, resume = 0, expect: wanted }) => {
    const result = runCase({ id, script, resume })
    expect([wanted.outcome].flat(), result.message).toContain(result.outcome)
    if (wanted.variables) expect(result.variables).toEqual(wanted.variables)
    if (wanted.message) expect(result.message).toBe(wanted.message)
    if (wanted.line) expect(result.line).toBe(wanted.line)
  })
})
