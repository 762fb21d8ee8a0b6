import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const tools = `import { appendFileSync } from 'node:fs'

export const handlers = {
  module: 'tools',
  functions: ['env', 'stray', 'heed', 'finish', 'note'],
  async run(name, params, { signal, log }) {
    log('running ' + name)
    if (name === 'env') return process.env[params] ?? 'unset'
    if (name === 'stray') void Promise.reject(new Error('stray promise'))
    if (name === 'heed') return new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    if (name === 'finish') return new Promise(resolve => process.once('SIGTERM', () => setImmediate(resolve, 'finished')))
    if (name === 'note') {
      const noted = new Promise(resolve => process.once('SIGUSR2', () => resolve('noted')))
      appendFileSync(params, 'run ')
      // From here on the signal does not end the process.
      log('noting')
      return noted
    }
    return 'done'
  },
}
`

/** A folder as an operator has it: plugins are installed in it, and nothing of this repository is above it. */
export function createPluginFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'subcontractor-'))
  install('tools-plugin', tools)
  install('no-plugin', 'export const other = 1\n')
  install('broken-plugin', 'throw new Error("no such luck")\n')
  install('engine-plugin', '', { '.': './handlers.js' })
  return folder

  function install(name: string, source: string, exports: object = { './handlers': './handlers.js' }): void {
    const home = join(folder, 'node_modules', name)
    mkdirSync(home, { recursive: true })
    writeFileSync(join(home, 'package.json'), JSON.stringify({ name, version: '1.0.0', type: 'module', exports }))
    writeFileSync(join(home, 'handlers.js'), source)
  }
}
