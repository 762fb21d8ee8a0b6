import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { retryPolicy } from '@contractor/plugin'
import { describe, expect, it } from 'vitest'
import { verbs } from '../packages/core/src/run/job/job-verbs.ts'

describe('docs/architecture.md', () => {
  const root = join(import.meta.dirname, '..')
  const read = (file: string) => readFile(join(root, file), 'utf8')

  it('shows the example of a noun as it is', async () => {
    const text = await read('docs/architecture.md')
    for (const file of ['packages/contract/src/nouns/note.ts', 'packages/core/src/inventory/note/notes.ts'])
      expect(text).toContain(`\`\`\`ts\n${await read(file)}\`\`\``)
  })

  it.each(['docs/architecture.md', 'docs/api.md', 'packages/core/README.md'])(
    '%s names files that are there',
    async file => {
      const named = [...(await read(file)).matchAll(/`([a-z][\w./-]*\/[\w.-]+\.tsx?)`/g)].map(([, path]) => path ?? '')
      const missing = named.filter(
        path => !existsSync(join(root, path)) && !existsSync(join(root, 'packages/core/src', path)),
      )
      expect(missing).toEqual([])
    },
  )

  it('names every room of the engine', async () => {
    const text = await read('docs/architecture.md')
    const rooms = readdirSync(join(root, 'packages/core/src'), { withFileTypes: true })
    for (const { name } of rooms.filter(one => one.isDirectory() && one.name !== 'testing'))
      expect(text).toContain(name)
  })
})

describe('docs/jobs.md', () => {
  it('names every verb with the states in which it is allowed', async () => {
    const text = await readFile(join(import.meta.dirname, '../docs/jobs.md'), 'utf8')
    const rows = new Map(
      [...text.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, verb, states]) => [verb ?? '', states?.trim() ?? '']),
    )
    const all = ['waiting', 'queued', 'paused', 'error', 'aborted']
    for (const [verb, { from }] of Object.entries(verbs)) {
      const said = rows.get(verb) ?? ''
      const named = said.startsWith('any') ? all : all.filter(state => said.includes(state))
      expect(named.sort(), verb).toEqual([...from].sort())
    }
    expect(retryPolicy.parse({}).attempts).toBe(5)
  })

  it('says of every verb what becomes of a Task that is out', async () => {
    const text = await readFile(join(import.meta.dirname, '../docs/jobs.md'), 'utf8')
    for (const [verb, { task }] of Object.entries(verbs)) {
      const row = text.split('\n').find(line => line.startsWith(`| \`${verb}\` |`))
      expect(row?.split('|')[4], verb).toContain(task)
    }
  })
})

describe('docs/plugins.md', () => {
  const template = join(import.meta.dirname, '../packages/server/template')

  it('shows the plugin that is written to begin with, as it is', async () => {
    const text = await readFile(join(import.meta.dirname, '../docs/plugins.md'), 'utf8')
    const files = ['src/tasks.ts', 'src/lamp.ts', 'src/handlers/index.ts']
    const sources = (await Promise.all(files.map(file => readFile(join(template, file), 'utf8')))).join('\n')
    const shown = [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(block => block[1] ?? '')
    const whole = shown.filter(block => !block.includes('…'))
    expect(whole.length).toBeGreaterThan(4)
    for (const block of whole) expect(sources).toContain(block)
  })

  it('leads to the versions that are used here', async () => {
    const read = async (folder: string) => JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const [own, root] = [await read(template), await read(join(import.meta.dirname, '..'))]
    for (const [name, range] of Object.entries<string>(own.devDependencies))
      if (!name.startsWith('@contractor/')) expect(range, name).toBe(`^${root.devDependencies[name]}`)
  })
})
