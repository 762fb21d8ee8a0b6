import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FoundationPlugin, HandlerModule } from '@contractor/plugin'
import { createHandlerContext, pluginLaws } from '@contractor/plugin/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'

/** What the README shows is run as it stands there. */
const root = join(import.meta.dirname, '..')
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function examples(): Promise<string[]> {
  const text = await readFile(join(root, 'README.md'), 'utf8')
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(found => found[1] ?? '')
}

/** Inside the project, so that its packages are found. */
async function folder(): Promise<string> {
  const path = await mkdtemp(join(root, 'test', '.readme-'))
  cleanups.push(() => rm(path, { recursive: true, force: true }))
  return path
}

describe('the README', () => {
  it('shows an SDK program of twenty lines that builds a Structure', async () => {
    const [program = ''] = await examples()
    expect(program.trim().split('\n').length).toBeLessThanOrEqual(22)
    const said: unknown[][] = []
    vi.spyOn(console, 'log').mockImplementation((...words) => void said.push(words))
    const file = join(await folder(), 'embed.ts')
    await writeFile(file, program)
    await import(pathToFileURL(file).href)
    expect(said.slice(0, -1)).toContainEqual([100, 'done', ''])
    expect(said.map(words => words[2])).toContain('Welcome to web01 of Acme')
    expect(said.at(-1)).toMatchObject(['built', { title: 'Welcome to web01 of Acme' }])
  })

  it('shows a plugin that works and keeps the laws', async () => {
    const path = await folder()
    for (const example of await examples()) {
      const [, name] = /^\/\/ (\S+\.ts)/.exec(example) ?? []
      if (name && !name.endsWith('.test.ts')) await writeFile(join(path, name), example)
    }
    const { lamp } = (await import(pathToFileURL(join(path, 'lamp.ts')).href)) as { lamp: FoundationPlugin }
    const { handlers } = (await import(pathToFileURL(join(path, 'handlers.ts')).href)) as { handlers: HandlerModule }
    const context = createHandlerContext()
    const params = { file: join(path, 'lamp'), on: true }
    expect(await handlers.run('switch_lamp', params, context)).toEqual({ was: false })
    expect(await handlers.run('switch_lamp', params, context)).toEqual({ was: true })
    const options = { fields: { file: '/tmp/lamp' }, replies: { switch_lamp: [{ was: false }] } }
    for (const law of pluginLaws(lamp, handlers, options)) await law.run()
  })

  it('of the engine names its peers, with their ranges', async () => {
    const core = join(root, 'packages/core')
    const text = await readFile(join(core, 'README.md'), 'utf8')
    const { peerDependencies } = JSON.parse(await readFile(join(core, 'package.json'), 'utf8')) as {
      peerDependencies: Record<string, string>
    }
    const named = [...text.matchAll(/^\| `([^`]+)` \| `([^`]+)` \|/gm)].map(([, name, range]) => [name, range])
    expect(Object.fromEntries(named)).toEqual(peerDependencies)
  })

  it('names commands that there are', async () => {
    const text = await readFile(join(root, 'README.md'), 'utf8')
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    const named = [...text.matchAll(/npm run ([a-z:]+)/g)].map(found => found[1] ?? '')
    expect(named.filter(name => !(name in scripts))).toEqual([])
  })
})
