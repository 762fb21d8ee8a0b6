import { mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHandlerContext } from '@contractor/plugin/testing'
import { handlers } from '../src/handlers/index.ts'
import { signalGroup } from '../src/supervision/process-group.ts'
import { readSupervision } from '../src/supervision/state.ts'
import { type ProcessStatus, tasks } from '../src/tasks.ts'

/** Writes its pid into `starts`, one line a start, and runs until it is ended. */
export const longRunning = script(
  "require('fs').appendFileSync('starts', process.pid + '\\n'); setInterval(() => {}, 1000)",
)

/** A command line for a few lines of JavaScript. */
export function script(source: string): string[] {
  return [process.execPath, '-e', source]
}

/** A temporary folder with Foundations in it, and the handlers that work on them. Nothing in it outlives `close`. */
export function createWorkshop() {
  const root = mkdtempSync(join(tmpdir(), 'plugin-process-'))
  const servers: Server[] = []
  let calls = 0

  async function run(task: string, params: object, signal = new AbortController().signal): Promise<unknown> {
    calls += 1
    return handlers.run(task, params, createHandlerContext({ signal, taskId: calls }))
  }

  function foundation(owner: string, directory = join(root, owner)) {
    const target = { directory, owner }
    const starts = () => readLines(join(directory, 'starts')).map(Number)
    return {
      ...target,
      prepare: () => run('prepare', target),
      writeFile: (path: string, content: string) => run('write_file', { ...target, path, content }),
      start: async (
        startId: string,
        options: { command?: string[]; environment?: object; port?: number } = {},
        signal?: AbortSignal,
      ) => {
        const params = { ...target, startId, command: longRunning, environment: {}, port: null, ...options }
        return tasks.start.result.parse(await run('start', params, signal)).pid
      },
      stop: (timeoutMs = 5000) => run('stop', { ...target, timeoutMs }),
      status: async (): Promise<ProcessStatus> => tasks.status.result.parse(await run('status', target)),
      remove: () => run('remove', target),
      /** The pids of all starts that there have been of `longRunning`, once the first is there: it takes its time. */
      started: async () => {
        await untilChange(directory, () => starts().length > 0)
        return starts()
      },
      starts,
      /** Waits until the file system of this Foundation's directory, or of a folder in it, shows something. */
      until: (shows: () => boolean, folder = '.') => untilChange(join(directory, folder), shows),
    }
  }

  return {
    root,
    foundation,
    async takePort(): Promise<number> {
      const server = createServer()
      servers.push(server)
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      return (server.address() as { port: number }).port
    },
    async close() {
      for (const server of servers) server.close()
      for (const name of readdirSync(root)) endAll(join(root, name))
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** The supervisor first, so that it does not start its process again. */
function endAll(directory: string): void {
  const { supervisor, child } = readSupervision(directory)
  if (supervisor) process.kill(supervisor.pid, 'SIGKILL')
  if (child) signalGroup(child.pid, 'SIGKILL')
}

export function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}

export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function untilChange(folder: string, shows: () => boolean): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      if (!shows()) return
      watcher.close()
      resolve()
    }
    const watcher = watch(folder, look)
    look()
  })
}
