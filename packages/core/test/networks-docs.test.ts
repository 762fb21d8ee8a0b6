import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, it, vi } from 'vitest'

let folder: string | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

it('docs/networks.md shows a program that prints what it says', async () => {
  const text = await readFile(join(import.meta.dirname, '../../../docs/networks.md'), 'utf8')
  const program = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? ''
  const said: string[] = []
  vi.spyOn(console, 'log').mockImplementation((...words) => {
    said.push(words.map(word => (typeof word === 'object' ? inspectLine(word) : String(word))).join(' '))
  })
  // Inside the project, so that its packages are found.
  folder = await mkdtemp(join(import.meta.dirname, '.networks-'))
  const file = join(folder, 'networks.ts')
  await writeFile(file, program)
  await import(pathToFileURL(file).href)
  const promised = [...program.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map(found => found[1])
  expect(promised).toHaveLength(3)
  expect(said).toEqual(promised)
})

function inspectLine(value: object): string {
  const parts = Object.entries(value).map(([key, one]) => `${key}: ${typeof one === 'string' ? `'${one}'` : one}`)
  return `{ ${parts.join(', ')} }`
}
