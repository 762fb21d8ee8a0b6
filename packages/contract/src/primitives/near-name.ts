import type { z } from 'zod'

/** The name that was probably meant: one that differs by a typing error or two, and by less than half of it. */
export function findNear(written: string, names: readonly string[]): string | undefined {
  const most = Math.min(2, Math.floor(written.length / 2))
  const measured = names.map(name => ({ name, steps: stepsBetween(written.toLowerCase(), name.toLowerCase()) }))
  const [near] = measured.filter(({ steps }) => steps <= most).sort((one, other) => one.steps - other.steps)
  return near?.name
}

/** How many letters are to be put in, taken out, changed or swapped with the next (optimal string alignment). */
function stepsBetween(one: string, other: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: other.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const differs = one[i - 1] === other[j - 1] ? 0 : 1
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      const steps = [(row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + differs]
      next.push(Math.min(...steps, ...(isSwapped ? [(before[j - 2] ?? 0) + 1] : [])))
    }
    ;[before, row] = [row, next]
  }
  return row[other.length] ?? 0
}

/** For `z.strictObject`: names what is not known, and what was probably meant, or else all that is known. */
export const nameUnknown: z.core.$ZodErrorMap = issue => {
  if (issue.code !== 'unrecognized_keys') return undefined
  const known = Object.keys((issue.inst as z.ZodObject | undefined)?.shape ?? {})
  const told = issue.keys.map(key => {
    const near = findNear(key, known)
    return `unknown parameter '${key}'${near ? `; did you mean '${near}'?` : ''}`
  })
  const isClear = issue.keys.every(key => findNear(key, known))
  return `${told.join(', ')}${isClear ? '' : `; known are ${known.join(', ') || 'none'}`}`
}
