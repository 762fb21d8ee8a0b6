import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

/** The server and the agent as processes of their own, just as an operator would run them. */
export interface Program {
  readonly pid: number
  /** Where its output goes. */
  readonly logFile: string
  /** Sends a signal and waits for the end; says how it ended. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>
  /** Resolves with how it ended when nobody here has asked for that; never otherwise. */
  readonly died: Promise<number | NodeJS.Signals>
}

const require = createRequire(import.meta.url)
const root = join(import.meta.dirname, '..', '..')

function start(packageName: string, args: readonly string[], environment: Record<string, string>, logFile: string) {
  const cli = join(dirname(require.resolve(`${packageName}/package.json`)), 'dist', 'cli.js')
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C is for the demo alone: it ends these two in order.
    detached: true,
  })
  const log = createWriteStream(logFile, { flags: 'a' })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  return child
}

export interface ServerSettings {
  database: string
  /** 0 for any free port. */
  port: number
  adminToken: string
  /** How long an agent may be silent, in seconds. */
  lease: number
  logFile: string
}

/** Starts the server and waits until it says where it listens. */
export async function startServer(settings: ServerSettings): Promise<Program & { url: string }> {
  const plugins = ['@contractor/plugin-process', '@contractor/plugin-iputils'].flatMap(name => ['--plugin', name])
  const args = [
    'serve',
    '--database',
    settings.database,
    '--port',
    String(settings.port),
    '--lease',
    String(settings.lease),
    ...plugins,
  ]
  const child = start('@contractor/server', args, { CONTRACTOR_ADMIN_TOKEN: settings.adminToken }, settings.logFile)
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', line => {
      const [, found] = /listening on (http:\S+?),/.exec(line) ?? []
      if (found) resolve(found)
    })
    child.once('exit', async code =>
      reject(new Error(`the server ended with exit code ${code}\n${await lastLines(settings.logFile)}`)),
    )
  })
  return { ...toProgram(child, settings.logFile), url }
}

export function startAgent({ url, token, logFile }: { url: string; token: string; logFile: string }): Program {
  const modules = ['@contractor/plugin-process', '@contractor/plugin-iputils'].flatMap(name => ['--module', name])
  const child = start(
    '@contractor/subcontractor',
    ['--server', url, '--name', 'demo-agent', ...modules],
    { CONTRACTOR_TOKEN: token },
    logFile,
  )
  return toProgram(child, logFile)
}

function toProgram(child: ChildProcess, logFile: string): Program {
  const ended = new Promise<number | NodeJS.Signals>(resolve =>
    child.once('exit', (code, signal) => resolve(signal ?? code ?? 0)),
  )
  let asked = false
  return {
    pid: child.pid ?? 0,
    logFile,
    died: new Promise(resolve => void ended.then(how => !asked && resolve(how))),
    end(signal) {
      asked = true
      child.kill(signal)
      return ended
    },
  }
}

export async function lastLines(file: string, count = 15): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map(line => `    ${line}`)
    .join('\n')
}
