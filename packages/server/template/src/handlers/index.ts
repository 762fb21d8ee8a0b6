import { readFile, rename, writeFile } from 'node:fs/promises'
import { defineHandlers, taskFailed } from '@contractor/plugin'
import { lamp } from '../lamp.js'

/** What agents run. Handlers keep nothing between calls, and stop when `signal` is aborted. */
export const handlers = defineHandlers(lamp, {
  look: ({ file }, { signal }) => look(file, signal),

  async turn({ file, on }, { signal, callId, progress, log }) {
    const before = await look(file, signal)
    if (before.exists && before.on === on) return { changed: false }
    progress(50, `Switching ${file}`)
    // Whole or not at all, also when this process ends here.
    const unfinished = `${file}.${callId}`
    try {
      await writeFile(unfinished, on ? 'on' : 'off', { signal })
      await rename(unfinished, file)
    } catch (error) {
      signal.throwIfAborted()
      throw taskFailed(`The lamp ${file} cannot be switched: ${(error as Error).message}`, { cause: error })
    }
    log(`${file} is ${on ? 'on' : 'off'} now`)
    return { changed: true }
  },
})

async function look(file: string, signal: AbortSignal): Promise<{ exists: boolean; on: boolean }> {
  try {
    return { exists: true, on: (await readFile(file, { encoding: 'utf8', signal })) === 'on' }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { exists: false, on: false }
    throw error
  }
}
