import { lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { taskFailed } from '@contractor/plugin'
import { privateFolder } from '../private-folder.ts'
import { layoutOf } from '../supervision/layout.ts'
import { readSupervision } from '../supervision/state.ts'
import { findOwner, refuseOther } from './require-owner.ts'

/** Deletes the marker last of all files, so that a removal which was cut off can be repeated, and by its owner only. */
export async function removeDirectory({ directory, owner }: { directory: string; owner: string }) {
  if (!lstatSync(directory, { throwIfNoEntry: false })) return { removed: false }
  const found = findOwner(directory)
  const { folder, marker } = layoutOf(directory)
  if (found !== undefined) {
    refuseOther(directory, owner, found)
    const { supervisor, child } = readSupervision(directory)
    if (supervisor || child) {
      throw taskFailed(
        `Directory ${directory} is in use by the process of Foundation '${owner}' (pid ${child?.pid ?? supervisor?.pid}): call foundation.stop() first`,
      )
    }
    clear(directory, privateFolder)
    clear(folder, basename(marker))
    rmSync(marker, { force: true })
  }
  try {
    removeEmpty(folder)
    removeEmpty(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTEMPTY')
      throw taskFailed(
        `Directory ${directory} has no marker of Foundation '${owner}' and is not empty: it is not ours to delete`,
      )
    throw error
  }
  return { removed: true }
}

function clear(folder: string, except: string): void {
  for (const name of readdirSync(folder)) {
    if (name !== except) rmSync(join(folder, name), { recursive: true, force: true })
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
