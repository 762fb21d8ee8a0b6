import { lstatSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { taskFailed } from '@contractor/plugin'
import { layoutOf } from '../supervision/layout.ts'
import { replaceFile } from '../supervision/replace-file.ts'
import { requireOwner } from './require-owner.ts'

interface Params {
  directory: string
  owner: string
  path: string
  content: string
}

export async function writeFile(params: Params) {
  requireOwner(params)
  const { directory, path, content } = params
  const file = join(directory, path)
  makeFolders(directory, path)
  // The file itself may be a symbolic link: renaming replaces the link and leaves what it points to alone.
  const present = lstatSync(file, { throwIfNoEntry: false })
  if (present?.isDirectory()) throw taskFailed(`Cannot write '${path}': it is a directory in ${directory}`)
  if (present?.isFile() && readFileSync(file, 'utf8') === content) return { changed: false }
  replaceFile(file, content, layoutOf(directory).folder)
  return { changed: true }
}

/** Makes the folders above the file one by one, each checked for where it really is before anything is made in it. */
function makeFolders(directory: string, path: string): void {
  let folder = directory
  for (const name of path.split('/').slice(0, -1)) {
    folder = join(folder, name)
    const present = lstatSync(folder, { throwIfNoEntry: false })
    if (!present) mkdirSync(folder)
    else if (present.isSymbolicLink()) checkLink(directory, folder, path)
    else if (!present.isDirectory()) throw taskFailed(`Cannot write '${path}': '${name}' is a file, not a folder`)
  }
}

function checkLink(directory: string, link: string, path: string): void {
  let target: string
  try {
    target = realpathSync(link)
  } catch (error) {
    throw taskFailed(`Cannot write '${path}': the symbolic link ${link} leads nowhere`, { cause: error })
  }
  const own = realpathSync(layoutOf(directory).folder)
  if (!`${target}/`.startsWith(`${realpathSync(directory)}/`) || `${target}/`.startsWith(`${own}/`))
    throw taskFailed(`Cannot write '${path}': the symbolic link ${link} leads out of ${directory}`)
}
