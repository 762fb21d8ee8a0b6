import { execFile } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type LocalPackage, openRegistry } from './local-registry.ts'

/**
 * Does what a document says to type, to the letter and in its order: all its `sh` blocks, in one shell, in a fresh folder,
 * as if these packages were published.
 */
export async function followDocs(document: string, folder: string, packages: readonly LocalPackage[]): Promise<void> {
  const text = await readFile(document, 'utf8')
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(block => block[1])
  if (!blocks.length) throw new Error(`${document} says nothing to type`)
  await mkdir(folder)
  const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'registry'])
  const registry = await openRegistry(packages, stdout.trim())
  const environment = {
    ...process.env,
    npm_config_registry: registry.url,
    npm_config_cache: join(folder, '.npm'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  }
  const run = promisify(execFile)
  try {
    await run('bash', ['-e', '-o', 'pipefail', '-c', blocks.join('')], {
      cwd: folder,
      env: environment,
      maxBuffer: 1 << 24,
    })
  } finally {
    await registry.close()
  }
}
