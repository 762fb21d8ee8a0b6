import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'

it('a program that has had a PostgreSQL server of ours ends with its own exit code', () => {
  const source = pathToFileURL(join(import.meta.dirname, 'embedded-postgres.ts')).href
  const program = `await import(${JSON.stringify(source)}); process.exitCode = 3`
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program])
  expect(status).toBe(3)
})
