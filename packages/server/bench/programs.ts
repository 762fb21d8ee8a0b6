import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildIfStale, commandLine } from '../../../test/built.ts'

/** The server and the agent as processes of their own, by their own commands. */
export interface Program {
  readonly pid: number
  end(): Promise<void>
}

// In JavaScript, so that the commands load it as they load any plugin.
const press = join(import.meta.dirname, 'press')
export const adminToken = 'bench-admin-token'

async function start(
  name: 'server' | 'subcontractor',
  args: readonly string[],
  environment: Record<string, string>,
): Promise<{ program: Program; line(pattern: RegExp): Promise<string> }> {
  buildIfStale()
  const directory = await mkdtemp(join(tmpdir(), 'contractor-bench-'))
  const logFile = join(directory, 'log')
  const log = await open(logFile, 'a')
  const child: ChildProcess = spawn(process.execPath, [...commandLine(name), ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', log.fd, log.fd],
  })
  await log.close()
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  return {
    program: {
      pid: child.pid ?? 0,
      async end() {
        child.kill('SIGTERM')
        await ended
        await rm(directory, { recursive: true, force: true })
      },
    },
    /** What the first group of the pattern matches in its output. */
    async line(pattern) {
      for (;;) {
        const text = await readFile(logFile, 'utf8')
        const found = pattern.exec(text)?.[1]
        if (found !== undefined) return found
        if (child.exitCode !== null) throw new Error(`${name} ended with exit code ${child.exitCode}\n${text}`)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    },
  }
}

/** `contractor serve`, once it listens. */
export async function startServer(database: string): Promise<Program & { url: string }> {
  const args = ['serve', '--database', database, '--port', '0', '--plugin', join(press, 'index.js')]
  const { program, line } = await start('server', args, { CONTRACTOR_ADMIN_TOKEN: adminToken })
  return { ...program, url: await line(/listening on (http:\S+?),/) }
}

/** `subcontractor`, once the server has answered it. */
export async function startAgent(server: string, token: string, concurrency: number): Promise<Program> {
  const args = ['--server', server, '--module', press, '--concurrency', `press=${concurrency}`, '--name', 'bench']
  const { program, line } = await start('subcontractor', args, { CONTRACTOR_TOKEN: token })
  await line(/( connected )/)
  return program
}
