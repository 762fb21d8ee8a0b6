/*
 * The nearest known name by edit distance (insert, delete, replace, or swap two neighbours), for "did you mean". A name is
 * near when at most a third of its letters differ, one of two letters only when just their case does.
 */

/** Comparing costs the product of both lengths, and nobody mistypes a longer name by a letter or two. */
const MAX_LENGTH = 64

/** More names than this are not compared: a text of many thousand wrong names would take minutes. */
const MAX_NAMES = 2000

export function findNearest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > MAX_LENGTH) return undefined
  let best: string | undefined
  let bestDistance = name.length < 3 ? 1 : Math.max(1, Math.floor(name.length / 3)) + 1
  let compared = 0
  for (const candidate of known) {
    if (compared++ >= MAX_NAMES) break
    if (candidate === name || Math.abs(candidate.length - name.length) >= bestDistance) continue
    const distance = candidate.toLowerCase() === name.toLowerCase() ? 0 : editDistance(name, candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

export function suggestName(name: string, known: Iterable<string>): string | undefined {
  const nearest = findNearest(name, known)
  return nearest === undefined ? undefined : `Did you mean \`${nearest}\`?`
}

function editDistance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(
        (above[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (above[j - 1] as number) + (same ? 0 : 1),
      )
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] as number) + 1)
      row.push(cost)
    }
    before = above
    above = row
  }
  return above[b.length] as number
}
