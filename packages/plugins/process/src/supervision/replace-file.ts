import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Writes a file whole or not at all: into a draft, to the disk, then renamed over the old one. The draft lies in
 * `draftFolder`, on the same file system, so that a crash leaves no strange file beside the real ones.
 */
export function replaceFile(file: string, content: string, draftFolder: string, mode = 0o644): void {
  const draft = join(draftFolder, `draft.${randomUUID()}`)
  try {
    const handle = openSync(draft, 'wx', mode)
    try {
      writeFileSync(handle, content)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
