import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, it, vi } from 'vitest'
import { resourceFile } from '../src/definition/resource/resource-file.ts'
import { TemplateError } from '../src/jinja/failure.ts'
import { createTemplates } from '../src/jinja/templates.ts'

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

/** Of Jinja2's `_statement_keywords` (jinja2/parser.py), with `call`, `filter` and `raw`; and of its extensions. */
const statements = [
  ...['for', 'if', 'block', 'extends', 'print', 'macro', 'include', 'from', 'import', 'set', 'with', 'autoescape'],
  ...['call', 'filter', 'raw', 'do', 'break', 'continue', 'trans', 'debug'],
]

it('docs/blueprints.md tells what templates have of Jinja2, what they have not, and what does instead', async () => {
  const text = await readFile(document, 'utf8')
  const table = text.split('What Jinja2 has, and is refused here:')[1]?.split('\n\n')[1] ?? ''
  const cells = table.split('\n').map(row => row.split(/(?<!\\)\|/).map(cell => cell.replaceAll('\\|', '|')))
  const refused = cells.flatMap(row => quoted(row[1]))
  const render = (source: string) => createTemplates().render(source, { list: [1] })
  expect(refused).toHaveLength(22)
  for (const source of refused) expect(() => render(source), source).toThrow(TemplateError)
  for (const source of cells.flatMap(row => quoted(row[2])))
    expect(render(source.startsWith('{% for') ? `${source}{% endfor %}` : source), source).toBe('')

  const told = /the statements ([^;]*);/.exec(text)?.[1]?.replace(/\(.*?\)/s, '') ?? ''
  const present = [...told.matchAll(/`(\w+)`/g)].map(found => found[1])
  const missing = statements.filter(name => refused.some(source => source.startsWith(`{% ${name} `)))
  expect([...present, ...missing].sort()).toEqual([...statements].sort())
})

/** The templates in a cell of a table. */
const quoted = (cell = '') => [...cell.matchAll(/`(\{[^`]*\})`/g)].map(found => found[1] ?? '')
