import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { ContractorError } from '@contractor/core/plugin'

/**
 * Takes a journal's directory for this process; returns what gives it back. The lock ends with its holder, however that
 * ends. Throws IN_USE when another process has it.
 */
export function takeJournalLock(directory: string, platform = process.platform): Promise<() => Promise<void>> {
  return platform === 'linux' ? listenAlone(directory) : writePidFile(directory)
}

/**
 * A socket of Linux's abstract namespace, which the kernel removes with the process. It is named for the directory itself
 * and not for its path, which may be another one in each container.
 */
async function listenAlone(directory: string): Promise<() => Promise<void>> {
  const { dev, ino } = await stat(directory)
  const socket = createServer(visitor => visitor.destroy())
  await new Promise<void>((resolve, reject) => {
    socket.once('listening', resolve)
    socket.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? inUse(directory, 'another process') : error)
    })
    socket.listen({ path: `\0contractor-journal-${dev}-${ino}`, exclusive: true })
  })
  socket.unref()
  return () => new Promise(resolve => socket.close(() => resolve()))
}

/** Elsewhere, a file with the holder's process id. What a dead process left is taken over. */
async function writePidFile(directory: string): Promise<() => Promise<void>> {
  const file = join(directory, 'lock')
  for (let tries = 1; ; tries++) {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx', mode: 0o600 })
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = await readFile(file, 'utf8').catch(() => '')
    if (tries === 3 || isAlive(Number(holder)))
      throw inUse(directory, `process ${holder}; if that is no agent, remove ${file}`)
    await rm(file, { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    // Signal 0 is sent to nobody.
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function inUse(directory: string, by: string): ContractorError<'IN_USE'> {
  return new ContractorError(
    'IN_USE',
    `The journal ${directory} is in use by ${by}: each agent needs a journal of its own`,
    { kind: 'journal', id: directory, by: [by] },
  )
}
