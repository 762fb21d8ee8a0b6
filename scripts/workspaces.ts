import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The packages of this repository, each with what its package.json says: the one list, which the build, the checks and the
 * tests read. A new package is a folder with a package.json, and nothing else; what cannot read it (tsconfig.json and
 * the table of the README) is held to it by `test/workspaces.test.ts`.
 */
export interface Workspace {
  /** Under `packages/`: `core`, `plugins/process`. */
  readonly folder: string
  readonly manifest: Manifest
  /** Under `src/`, without `.ts`: what is imported by name, and programs (`cli.ts`, and each `main.ts`). */
  readonly entries: readonly string[]
}

export interface Manifest {
  name: string
  version: string
  description: string
  bin?: Record<string, string>
  exports: Record<string, string | { '@contractor/source': string }>
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}

// tsup runs its configuration, with all that it imports, as one file beside it.
const isBundled = existsSync(join(import.meta.dirname, 'packages'))
const packages = join(import.meta.dirname, isBundled ? '.' : '..', 'packages')
const foldersIn = (folder: string) =>
  readdirSync(join(packages, folder), { withFileTypes: true })
    .filter(entry => entry.isDirectory() && existsSync(join(packages, folder, entry.name, 'package.json')))
    .map(entry => join(folder, entry.name))

/** Each behind those that it needs. */
export const workspaces: readonly Workspace[] = inOrder([...foldersIn(''), ...foldersIn('plugins')].map(read))

function read(folder: string): Workspace {
  const manifest = JSON.parse(readFileSync(join(packages, folder, 'package.json'), 'utf8')) as Manifest
  const named = Object.values(manifest.exports).flatMap(entry =>
    typeof entry === 'string' ? [] : [entry['@contractor/source']],
  )
  const programs = readdirSync(join(packages, folder, 'src'), { recursive: true, encoding: 'utf8' }).filter(file =>
    /^cli\.ts$|(^|\/)main\.ts$/.test(file),
  )
  const entries = [...named.map(file => file.replace(/^\.\/src\//, '')), ...programs].map(file =>
    file.replace(/\.ts$/, ''),
  )
  return { folder, manifest, entries }
}

function inOrder(all: readonly Workspace[]): Workspace[] {
  const ordered: Workspace[] = []
  const add = (one: Workspace): void => {
    if (ordered.includes(one)) return
    const needs = Object.keys({ ...one.manifest.dependencies, ...one.manifest.peerDependencies })
    for (const other of all) if (needs.includes(other.manifest.name)) add(other)
    ordered.push(one)
  }
  for (const one of all) add(one)
  return ordered
}
