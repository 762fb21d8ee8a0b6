import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Reckoning {
  /** Lines in all. */
  effects: number
  /** Steps that were never done, and those done more than once, as `PAGE STEP`. */
  missing: string[]
  doubled: string[]
  /** Lines that no step should have written. */
  strange: string[]
}

/** Counts what the handlers wrote, against what each page should have: one line for each step. */
export async function reckon(folder: string, pages: readonly string[], steps: number): Promise<Reckoning> {
  const counts = new Map<string, number>()
  for (const page of await readdir(folder)) {
    const text = await readFile(join(folder, page), 'utf8')
    for (const line of text.split('\n').filter(Boolean)) {
      const step = `${page} ${line.split(' ')[0]}`
      counts.set(step, (counts.get(step) ?? 0) + 1)
    }
  }
  const wanted = new Set(pages.flatMap(page => Array.from({ length: steps }, (_, at) => `${page} ${at + 1}`)))
  return {
    effects: [...counts.values()].reduce((sum, count) => sum + count, 0),
    missing: [...wanted].filter(step => !counts.has(step)),
    doubled: [...counts].filter(([, count]) => count > 1).map(([step]) => step),
    strange: [...counts.keys()].filter(step => !wanted.has(step)),
  }
}
