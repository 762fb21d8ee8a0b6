import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { taskFailed } from '@contractor/plugin'
import { privateFolder } from '../private-folder.ts'
import { layoutOf } from '../supervision/layout.ts'
import { findOwner, refuseOther } from './require-owner.ts'

/**
 * Makes the directory and marks it. One that exists is taken only when it is empty: `remove` deletes what is marked, and
 * nobody's own files may become ours by a wrong path.
 */
export async function prepareDirectory({ directory, owner }: { directory: string; owner: string }) {
  const found = findOwner(directory)
  if (found !== undefined) {
    refuseOther(directory, owner, found)
    return { created: false }
  }
  const { folder, marker } = layoutOf(directory)
  try {
    mkdirSync(directory, { recursive: true })
    if (readdirSync(directory).some(name => name !== privateFolder))
      throw taskFailed(`Directory ${directory} is not empty and not ours: empty it, or give '${owner}' another one`)
    mkdirSync(folder, { recursive: true })
    // Linked from a draft, so that of two that prepare at once one marks, and the marker is never half written.
    const draft = join(folder, `draft.${randomUUID()}`)
    writeFileSync(draft, JSON.stringify({ foundation: owner }))
    try {
      linkSync(draft, marker)
    } finally {
      rmSync(draft, { force: true })
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && findOwner(directory) !== undefined) return prepareDirectory({ directory, owner })
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw taskFailed(`${directory}, or something above it, is a file and no directory`, { cause: error })
    if (code === 'EACCES' || code === 'EROFS')
      throw taskFailed(`The agent may not make directory ${directory}: ${(error as Error).message}`, { cause: error })
    throw error
  }
  return { created: true }
}
