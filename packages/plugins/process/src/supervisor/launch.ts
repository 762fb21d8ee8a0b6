import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs'

/** How a process ended. A program that could not be started at all has neither code nor signal. */
export interface Ending {
  readonly exitCode: number | null
  readonly signal: string | null
  /** Its last lines. */
  readonly output: string
}

export interface Launched {
  readonly pid: number | undefined
  readonly ended: Promise<Ending>
}

/** A log larger than this is put aside (one old one is kept) when the process is started again. */
const logLimitBytes = 16 * 1024 * 1024
const tailBytes = 2000

/**
 * Starts the command as the leader of its own session and process group. It writes into the log file itself, not
 * through a pipe of ours, so that it does not depend on its supervisor's life.
 */
export function launch(
  command: readonly string[],
  options: { directory: string; environment: NodeJS.ProcessEnv; log: string },
): Launched {
  const [program = '', ...args] = command
  const log = openLog(options.log)
  const begun = fstatSync(log).size
  let child: ChildProcess
  try {
    child = spawn(program, args, {
      cwd: options.directory,
      env: options.environment,
      detached: true,
      stdio: ['ignore', log, log],
    })
  } finally {
    closeSync(log)
  }
  const ended = new Promise<Ending>(resolve => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal, output: tailOf(options.log, begun) }))
    child.once('error', error => {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      const output = missing ? `there is no program '${program}'` : `'${program}' cannot be run: ${error.message}`
      resolve({ exitCode: null, signal: null, output })
    })
  })
  return { pid: child.pid, ended }
}

function openLog(file: string): number {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > logLimitBytes) renameSync(file, `${file}.old`)
  return openSync(file, 'a', 0o640)
}

/** Nothing when the log is gone: somebody may tidy up while a process runs. */
function tailOf(file: string, begun: number): string {
  let log: number
  try {
    log = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(log)
    const from = Math.max(Math.min(begun, size), size - tailBytes)
    const buffer = Buffer.alloc(size - from)
    readSync(log, buffer, 0, buffer.length, from)
    return buffer.toString('utf8').trim()
  } finally {
    closeSync(log)
  }
}
