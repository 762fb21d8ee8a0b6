import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { type Tally, tally, type Victim } from './victim.ts'

export interface ProgramSettings {
  name: string
  /** A JavaScript file and its arguments. */
  command: readonly string[]
  environment: Readonly<Record<string, string>>
  logFile: string
  /** What it says once it does its work. */
  atWork: string
  tally: Tally
}

/** How long a supervisor waits before it starts a program again, in milliseconds. */
const restartMs = 200
const farewellMs = 10_000

/** Runs a program, and runs it again whenever it has ended, as a supervisor of services does. */
export function superviseProgram({
  name,
  command,
  environment,
  logFile,
  atWork,
  tally: counts,
}: ProgramSettings): Victim {
  const log = createWriteStream(logFile, { flags: 'a' })
  let child: ChildProcess | undefined
  let isKilled = false
  let isAtWork = false
  let isStopping = false
  let restart: NodeJS.Timeout | undefined

  const start = () => {
    isKilled = false
    isAtWork = false
    const started = spawn(process.execPath, command, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = started
    for (const output of [started.stdout, started.stderr]) {
      output.pipe(log, { end: false })
      output.on('data', said => {
        if (String(said).includes(atWork)) isAtWork = true
      })
    }
    started.once('exit', (code, signal) => {
      log.write(`${new Date().toISOString()} ${name} ended: ${signal ?? code}\n`)
      child = undefined
      if (isStopping) return
      if (!isKilled) tally(isAtWork ? counts.ends : counts.vainStarts, name)
      restart = setTimeout(start, restartMs)
    })
  }
  // Whatever ends this process, nothing of it stays behind.
  process.once('exit', () => child?.kill('SIGKILL'))
  start()

  return {
    name,
    isThere: () => child !== undefined,
    isAtWork: () => child !== undefined && isAtWork,
    kill() {
      isKilled = true
      child?.kill('SIGKILL')
    },
    async stop() {
      isStopping = true
      clearTimeout(restart)
      const ending = child
      if (ending) {
        const ended = new Promise<void>(resolve => ending.once('exit', () => resolve()))
        ending.kill('SIGTERM')
        const last = setTimeout(() => ending.kill('SIGKILL'), farewellMs)
        await ended
        clearTimeout(last)
      }
      await new Promise<void>(resolve => log.end(resolve))
    },
  }
}
