import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHandlerContext } from '@contractor/plugin/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { handlers } from '../src/handlers/index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamp-'))
})
afterAll(() => rm(folder, { recursive: true }))

it('is switched on once, and is on then', async () => {
  const file = join(folder, 'one')
  const logged: string[] = []
  const context = createHandlerContext({ log: line => logged.push(line) })
  expect(await handlers.run('look', { file }, context)).toEqual({ exists: false, on: false })
  expect(await handlers.run('turn', { file, on: true }, context)).toEqual({ changed: true })
  expect(await handlers.run('turn', { file, on: true }, context)).toEqual({ changed: false })
  expect(await readFile(file, 'utf8')).toBe('on')
  expect(logged).toEqual([`${file} is on now`])
})

it('that cannot be switched says why', async () => {
  const file = join(folder, 'no-such-folder', 'lamp')
  await expect(handlers.run('turn', { file, on: true }, createHandlerContext())).rejects.toThrow(
    `The lamp ${file} cannot be switched: ENOENT`,
  )
})
