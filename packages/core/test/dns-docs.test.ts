import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { tsigAlgorithms } from '../src/dns/publication/tsig-key.ts'

/** What the page shows is run as it stands there. */
const root = join(import.meta.dirname, '../../..')
const folders: string[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

const page = () => readFile(join(root, 'docs/dns.md'), 'utf8')
const block = (text: string, kind: string) => new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? ''

describe('docs/dns.md', () => {
  it('shows a program that makes the zone that it shows', async () => {
    const text = await page()
    const said: string[] = []
    const warned: string[] = []
    vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line))
    vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(line))
    const folder = await mkdtemp(join(import.meta.dirname, '.docs-'))
    folders.push(folder)
    await writeFile(join(folder, 'zones.ts'), block(text, 'ts'))
    await import(pathToFileURL(join(folder, 'zones.ts')).href)
    expect(said[0]?.replace(/ \d{10} /, ' 2026010100 ')).toBe(block(text, 'zone'))
    expect(said).toHaveLength(3)
    expect(warned).toEqual([])
  })

  it('names commands, options and algorithms that there are', async () => {
    const text = await page()
    const cli = join(root, 'packages/server/src/cli.ts')
    const help = ['write', 'update'].map(name =>
      execFileSync(
        process.execPath,
        ['--import', 'tsx', '--conditions=@contractor/source', cli, 'dns', name, '--help'],
        {
          encoding: 'utf8',
        },
      ),
    )
    const named = new Set([...text.matchAll(/(?<=[\s`])--[a-z-]+/g)].map(found => found[0]))
    expect([...named].filter(option => !help.join().includes(option))).toEqual([])
    expect(named.size).toBeGreaterThan(5)
    expect(text).toContain(`Algorithms: ${Object.keys(tsigAlgorithms).join(', ')}.`)
  })
})
