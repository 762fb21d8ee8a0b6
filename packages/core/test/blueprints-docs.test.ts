import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, it, vi } from 'vitest'
import { resourceFile } from '../src/resource/resource-file.ts'

const document = join(import.meta.dirname, '../../../docs/blueprints.md')

let folder: string | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

it('docs/blueprints.md shows a file and a program that prints what it says', async () => {
  const text = await readFile(document, 'utf8')
  const [file, program = ''] = ['toml', 'ts'].map(kind => text.split(`\`\`\`${kind}\n`)[1]?.split('```')[0] ?? '')
  const said: string[] = []
  vi.spyOn(console, 'log').mockImplementation((...words) => {
    said.push(words.map(word => (typeof word === 'object' ? JSON.stringify(word) : String(word))).join(' '))
  })
  // Inside the project, so that its packages are found.
  folder = await mkdtemp(join(import.meta.dirname, '.blueprints-'))
  await writeFile(join(folder, 'web.toml'), file ?? '')
  await writeFile(join(folder, 'program.ts'), program)
  await import(pathToFileURL(join(folder, 'program.ts')).href)
  const promised = [...program.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].flatMap(found => found[1]?.split('; ') ?? [])
  expect(promised).toHaveLength(6)
  expect(said).toEqual(promised)
})

it('docs/blueprints.md names every key of a resource file', async () => {
  const text = await readFile(document, 'utf8')
  for (const kind of ['structure', 'foundation', 'script', 'pxe'] as const) {
    const row = text.split('\n').find(line => line.startsWith(`| \`[${kind}.NAME]\` |`)) ?? ''
    const keys = Object.keys(resourceFile.shape[kind].unwrap().valueType.shape)
    expect([...row.matchAll(/`(\w+)`/g)].map(found => found[1]).sort(), kind).toEqual(keys.sort())
  }
})
