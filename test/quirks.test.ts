import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Quirk } from '@contractor/driver'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const plugins = join(root, 'packages/plugins')
const tables = await Promise.all(
  readdirSync(plugins)
    .filter(name => existsSync(join(plugins, name, 'src/quirks.ts')))
    .map(async name => {
      const { quirks } = (await import(join(plugins, name, 'src/quirks.ts'))) as { quirks: readonly Quirk[] }
      return { name, quirks }
    }),
)

describe('what devices do that surprises', () => {
  it.each(tables)('$name: each row has a law of its name in its tests, and says what is done about it', table => {
    const folder = join(plugins, table.name, 'test')
    const tests = readdirSync(folder)
      .filter(file => file.endsWith('.test.ts'))
      .map(file => readFileSync(join(folder, file), 'utf8'))
      .join('\n')
    for (const { name, does, remedy } of table.quirks) {
      expect(tests, name).toMatch(new RegExp(`(async )?'?${name}'?(\\(|:)`))
      expect(
        [does, remedy].every(text => text.endsWith('.')),
        name,
      ).toBe(true)
    }
  })

  it('is counted in the README', () => {
    const rows = tables.reduce((sum, { quirks }) => sum + quirks.length, 0)
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`${rows} rows in ${tables.length} tables`)
  })
})
