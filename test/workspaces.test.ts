import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { workspaces } from '../scripts/workspaces.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
/** Without comments and commas at ends, which tsconfig files may have. */
const readJson = (file: string) => JSON.parse(read(file)) as { references?: { path: string }[] }

describe('what cannot read the packages itself', () => {
  it('tsconfig.json builds each of them', () => {
    const { references = [] } = readJson('tsconfig.json')
    expect(references.map(one => one.path)).toEqual(
      expect.arrayContaining(workspaces.map(one => `packages/${one.folder}`)),
    )
    expect(references).toHaveLength(workspaces.length)
  })

  it("each package's tsconfig.json names what it needs of ours", () => {
    for (const { folder, manifest } of workspaces) {
      const needed = workspaces.filter(other => manifest.dependencies?.[other.manifest.name] !== undefined)
      const { references = [] } = readJson(`packages/${folder}/tsconfig.json`)
      const named = references.map(one => join('packages', folder, one.path))
      expect(named.sort(), folder).toEqual(needed.map(other => `packages/${other.folder}`).sort())
    }
  })

  it('the table of the README has each of them', () => {
    const text = read('README.md')
    for (const { folder } of workspaces) {
      const row = folder.startsWith('plugins/') ? `\`${folder.slice('plugins/'.length)}\`` : `\`packages/${folder}\``
      expect(text, folder).toContain(row)
    }
  })

  it('each has a README that says what it depends on, and why', () => {
    const missing = workspaces.flatMap(({ folder, manifest }) => {
      const text = read(`packages/${folder}/README.md`)
      const names = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
      return names.filter(name => !text.includes(`\`${name}\``)).map(name => `${folder}: ${name}`)
    })
    expect(missing).toEqual([])
  })
})
