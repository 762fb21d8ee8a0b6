import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { ContractorError } from '../plugin/error.ts'

/**
 * PGlite opens a directory without asking whether another process has it, and two of them destroy it. So whoever opens
 * one writes `contractor.lock` first: created exclusively, naming host, process and the process's start time (a process
 * id alone may have been given to another process since). A lock whose process is gone is taken over; the takeover moves
 * it away by rename, which only one of several contenders can do.
 */
interface Holder {
  host: string
  pid: number
  started: string
}

const fileName = 'contractor.lock'

export interface DirectoryLock {
  release(): Promise<void>
}

/** Takes the lock of an existing directory; DATABASE_IN_USE when a living process has it. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = join(directory, fileName)
  const own: Holder = { host: hostname(), pid: process.pid, started: await startOf(process.pid) }
  for (;;) {
    try {
      await writeFile(path, JSON.stringify(own), { flag: 'wx' })
      return { release: () => rm(path, { force: true }) }
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error
    }
    const found = await readFile(path, 'utf8').catch(() => '')
    const holder = parseHolder(found)
    if (holder && (await isAlive(holder, own))) {
      const who = `process ${holder.pid}${holder.host === own.host ? '' : ` on ${holder.host}`}`
      throw new ContractorError(
        'DATABASE_IN_USE',
        `The database in ${directory} is in use by ${who}. Stop it, or use another directory${
          holder.host === own.host ? '' : `; if that machine is gone, remove ${path}`
        }.`,
        { database: directory },
      )
    }
    await takeAway(path, found)
  }
}

/** Moves a dead lock away, unless somebody has put a new one in its place meanwhile: that one is put back. */
async function takeAway(path: string, dead: string): Promise<void> {
  const aside = `${path}.${process.pid}`
  try {
    await rename(path, aside)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  const moved = await readFile(aside, 'utf8').catch(() => '')
  if (moved !== dead) await writeFile(path, moved, { flag: 'wx' }).catch(() => undefined)
  await rm(aside, { force: true })
}

async function isAlive(holder: Holder, own: Holder): Promise<boolean> {
  // Whether a process of another machine lives cannot be seen from here.
  if (holder.host !== own.host) return true
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
  return (await startOf(holder.pid)) === holder.started
}

/** When a process started, in the kernel's ticks (proc(5), field 22 of stat); empty where there is no /proc. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The command name in field 2 may hold spaces and parentheses; fields are counted from its end.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && 'pid' in value && 'host' in value && 'started' in value)
      return value as Holder
  } catch {
    // A process that died between creating the file and writing it leaves it empty: nobody holds that.
  }
  return undefined
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
