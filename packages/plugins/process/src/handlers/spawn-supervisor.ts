import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { taskFailed } from '@contractor/plugin'
import type { SupervisorOrder } from '../supervisor/supervise.ts'

/** The same place from the sources as from the build, which mirrors the entries' paths. */
const extension = extname(import.meta.url)
const supervisorFile = fileURLToPath(new URL(`../supervisor/main${extension}`, import.meta.url))

/** All that a supervisor and its process get of the agent's environment, which may hold tokens and keys. */
const inherited = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR)$/

/**
 * Starts a supervisor that does not depend on this process's life. Resolves when it has settled or ended; what came of
 * it is in the state file. Rejects when it ended with an error, with what it said.
 */
export async function spawnSupervisor(order: SupervisorOrder, owner: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  // The locator is there to be seen in a process list.
  const supervisor = spawn(process.execPath, [...nodeArguments(), supervisorFile, owner], {
    detached: true,
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => inherited.test(name))),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const { stdin, stdout, stderr } = supervisor
  let said = ''
  try {
    await new Promise<void>((resolve, reject) => {
      stdin.on('error', () => {})
      stdin.end(JSON.stringify(order))
      stderr.setEncoding('utf8').on('data', (chunk: string) => {
        said = (said + chunk).slice(-2000)
      })
      stdout.once('data', () => resolve())
      supervisor.once('error', reject)
      supervisor.once('close', code => {
        if (code === 0) resolve()
        else reject(taskFailed(`The supervisor of Foundation '${owner}' ended with code ${code}: ${said.trim()}`))
      })
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  } finally {
    for (const stream of [stdin, stdout, stderr]) stream.destroy()
    supervisor.unref()
  }
}

/** From the sources, Node needs what this process was given to read TypeScript; without that (a test runner), tsx. */
function nodeArguments(): string[] {
  if (extension !== '.ts' || process.execArgv.some(argument => argument.includes('tsx'))) return process.execArgv
  const tsx = createRequire(import.meta.url).resolve('tsx')
  return ['--conditions=@contractor/source', '--import', pathToFileURL(tsx).href]
}
