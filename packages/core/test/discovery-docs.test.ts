import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { evidenceKinds, hardware } from '@contractor/contract'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hardwareTemplate } from '../src/definition/blueprint/hardware-template.ts'
import { checkHardware } from '../src/inventory/hardware/check-hardware.ts'
import { weightOf } from '../src/inventory/survey/evidence.ts'
import { openShop } from './shop.ts'

let folder: string | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

const page = () => readFile(join(import.meta.dirname, '../../../docs/discovery.md'), 'utf8')
const block = (text: string, kind: string) => new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? ''

describe('docs/discovery.md', () => {
  it('shows a program that prints what it says', async () => {
    const program = block(await page(), 'ts')
    const said: string[] = []
    vi.spyOn(console, 'log').mockImplementation((...words) => void said.push(words.join(' ')))
    // Inside the project, so that its packages are found.
    folder = await mkdtemp(join(import.meta.dirname, '.discovery-'))
    const file = join(folder, 'discovery.ts')
    await writeFile(file, program)
    await import(pathToFileURL(file).href)
    const promised = [...program.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(found => found[1])
    expect(promised).toHaveLength(5)
    expect(said).toEqual(promised)
  })

  it('shows a template that loads, and what it says of a machine that is not like that', async () => {
    const text = await page()
    const { contractor } = await openShop()
    await contractor.resources.loadText(block(text, 'toml'), 'storage.toml')
    const { template } = await contractor.blueprints.get('storage')
    const report = hardware.parse({
      system: { manufacturer: 'Acme', product: 'Forge 7' },
      cpus: [{ cores: 4 }, { cores: 4 }],
      memory: { totalBytes: 64 * 2 ** 30 },
      disks: Array(2).fill({ sizeBytes: 1_000_204_886_016, rotational: false }),
      networkInterfaces: [{ speedMbps: 10_000 }, { speedMbps: 1000 }],
    })
    const told = checkHardware(hardwareTemplate.parse(template), report).map(one => `${one.message}\n`)
    expect(told.join('')).toBe(block(text, 'text'))
  })

  it('has the kinds of evidence with their weights, and every part of a template', async () => {
    const text = await page()
    const rows = [...text.matchAll(/^\| `(\w+)` \|.*\| (\d+) \|$/gm)].map(found => [found[1], Number(found[2])])
    expect(rows).toEqual(evidenceKinds.map(kind => [kind, weightOf[kind]]))
    for (const part of Object.keys(hardwareTemplate.shape))
      expect(text).toMatch(new RegExp(`^\\|.*\`${part}[.\`]`, 'm'))
  })
})
