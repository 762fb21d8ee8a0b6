import { randomUUID } from 'node:crypto'
import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'

/*
 * At most one supervisor a directory, by pid files that are numbered: supervisor.1.pid, supervisor.2.pid, …
 *
 * - A file appears whole or not at all, and only once: it is hard-linked from a draft, and link(2) refuses a taken name.
 * - Number n + 1 may be made only by one who has seen n as the highest, and its holder dead. The dead stay dead, so of
 *   any number of racers one makes n + 1, and the others find it made by a living process.
 * - The highest file is never deleted, not even by its holder at its end. So one who was slow, and makes a number that
 *   was passed long ago, finds a higher one and withdraws.
 *
 * One file under a fixed name cannot do this: between finding it stale and replacing it, another may have replaced it.
 */

const fileName = /^supervisor\.(\d+)\.pid$/

/** Takes the directory for this process. Returns the living holder when there is one. */
export function claimFolder(folder: string): { held: true } | { held: false; holder: ProcessIdentity } {
  const me = identifyProcess(process.pid)
  if (!me) throw new Error('This process cannot find itself in the process table')
  const draft = join(folder, `draft.${randomUUID()}`)
  writeFileSync(draft, JSON.stringify(me))
  try {
    for (;;) {
      const highest = highestNumber(folder)
      const holder = holderOf(folder, highest)
      if (holder && isAlive(holder)) return { held: false, holder }
      const own = pidFile(folder, highest + 1)
      if (!linkOnce(draft, own)) continue
      if (highestNumber(folder) === highest + 1) {
        for (const number of numbers(folder)) if (number <= highest) rmSync(pidFile(folder, number), { force: true })
        return { held: true }
      }
      rmSync(own, { force: true })
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The living supervisor of a directory. */
export function findHolder(folder: string): ProcessIdentity | undefined {
  const holder = holderOf(folder, highestNumber(folder))
  return holder && isAlive(holder) ? holder : undefined
}

function highestNumber(folder: string): number {
  return Math.max(0, ...numbers(folder))
}

function numbers(folder: string): number[] {
  try {
    return readdirSync(folder).flatMap(name => fileName.exec(name)?.slice(1).map(Number) ?? [])
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

/** Undefined for a file that is gone or, after a crash of the machine, empty: its holder is no more. */
function holderOf(folder: string, number: number): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(pidFile(folder, number), 'utf8')) as ProcessIdentity
  } catch {
    return undefined
  }
}

function pidFile(folder: string, number: number): string {
  return join(folder, `supervisor.${number}.pid`)
}

function linkOnce(draft: string, name: string): boolean {
  try {
    linkSync(draft, name)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
