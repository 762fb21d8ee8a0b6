import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { workspaces } from '../scripts/workspaces.ts'

const root = join(import.meta.dirname, '..')
const packages = join(root, 'packages')
const built = (name: 'server' | 'subcontractor') => join(packages, name, 'dist', 'cli.js')

/**
 * A command as it is installed: built. Started from the sources it takes twice as long, and tests start it often; a run
 * of the tests builds first what is older than its sources.
 */
export const commandLine = (name: 'server' | 'subcontractor'): string[] => [built(name)]

/** From the sources: for what is given a plugin in TypeScript. */
export const sourceCommandLine = (name: 'server' | 'subcontractor'): string[] => [
  ...['--import', 'tsx', '--conditions=@contractor/source'],
  join(packages, name, 'src', 'cli.ts'),
]

export function buildIfStale(): void {
  const oldest = Math.min(...(['server', 'subcontractor'] as const).map(name => modified(built(name))))
  if (newestSource() < oldest) return
  execFileSync('npm', ['run', '--silent', 'build:js'], { cwd: root })
}

const modified = (file: string) => (existsSync(file) ? statSync(file).mtimeMs : 0)

function newestSource(): number {
  const folders = workspaces.map(one => join(packages, one.folder, 'src'))
  const files = folders.flatMap(folder =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(file => join(folder, file)),
  )
  return Math.max(...files.filter(file => file.endsWith('.ts')).map(modified))
}
