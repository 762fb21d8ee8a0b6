import { join } from 'node:path'
import { privateFolder } from '../private-folder.ts'

/** Where things are in a working directory. */
export function layoutOf(directory: string) {
  const folder = join(directory, privateFolder)
  return {
    folder,
    marker: join(folder, 'owner.json'),
    state: join(folder, 'state.json'),
    stopOrder: join(folder, 'stop.json'),
    log: join(folder, 'output.log'),
  }
}
