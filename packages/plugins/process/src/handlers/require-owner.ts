import { readFileSync } from 'node:fs'
import { taskFailed } from '@contractor/plugin'
import { z } from 'zod'
import { layoutOf } from '../supervision/layout.ts'

/** The marker: which Foundation a directory is for. */
export const ownerMarker = z.object({ foundation: z.string() })

/** The locator of the Foundation that a directory is marked for; nothing when it is not marked or not there. */
export function findOwner(directory: string): string | undefined {
  const { marker } = layoutOf(directory)
  let content: string
  try {
    content = readFileSync(marker, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw taskFailed(`Cannot read ${marker}: ${(error as Error).message}`, { cause: error })
  }
  try {
    return ownerMarker.parse(JSON.parse(content)).foundation
  } catch (error) {
    throw taskFailed(`${marker} is no marker of this driver; look into it, and delete it if the directory is free`, {
      cause: error,
    })
  }
}

export function refuseOther(directory: string, owner: string, found: string): void {
  if (found !== owner)
    throw taskFailed(
      `Directory ${directory} belongs to Foundation '${found}', not to '${owner}': give '${owner}' another directory`,
    )
}

export function requireOwner({ directory, owner }: { directory: string; owner: string }): void {
  const found = findOwner(directory)
  if (found === undefined)
    throw taskFailed(
      `Directory ${directory} is not prepared for Foundation '${owner}': call foundation.prepare() first`,
    )
  refuseOther(directory, owner, found)
}
