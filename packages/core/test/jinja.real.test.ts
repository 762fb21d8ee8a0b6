import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'
const isMissing = spawnSync('python3', ['-c', 'import jinja2']).status !== 0
const needs = isMissing ? 'needs python3 with jinja2: python3-jinja2 of Debian' : 'python3-jinja2'

describe.skipIf(isMissing && !required)(`the cases of jinja.test.ts (${needs})`, () => {
  it('say what Jinja2 says', () => {
    const folder = join(import.meta.dirname, 'jinja')
    const reference = spawnSync('python3', [join(folder, 'reference.py')], { encoding: 'utf8', maxBuffer: 1e8 })
    expect(reference.stderr).toBe('')
    expect(JSON.parse(reference.stdout)).toEqual(JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')))
  })
})
