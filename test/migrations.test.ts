import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

it('the migrations make what the schema says: generating them again finds nothing to add', async () => {
  const root = join(import.meta.dirname, '..')
  const folder = await mkdtemp(join(tmpdir(), 'contractor-migrations-'))
  const copy = join(folder, 'migrations')
  await cp(join(root, 'packages/core/migrations'), copy, { recursive: true })
  const before = await readdir(copy)
  const schema = join(root, 'packages/core/src/database/{columns,*schema}.ts')
  const args = ['generate', '--dialect', 'postgresql', '--schema', schema, '--out', relative(root, copy)]
  const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/drizzle-kit'), args, { cwd: root })
  expect(stdout).toContain('No schema changes')
  expect(await readdir(copy)).toEqual(before)
  await rm(folder, { recursive: true })
})
