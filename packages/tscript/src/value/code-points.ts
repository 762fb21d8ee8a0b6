/*
 * Texts count in Unicode code points: length, indexes, order. Texts without surrogates, nearly all, are JavaScript's own
 * strings for that purpose.
 */

const WIDE = /[\ud800-\udfff]/

export function countPoints(text: string): number {
  return WIDE.test(text) ? Array.from(text).length : text.length
}

/** The code point at an index that is within the text. */
export function pointAt(text: string, index: number): string {
  return WIDE.test(text) ? (Array.from(text)[index] as string) : text.charAt(index)
}

export function slicePoints(text: string, start: number, end: number): string {
  return WIDE.test(text) ? Array.from(text).slice(start, end).join('') : text.slice(start, end)
}

export function comparePoints(left: string, right: string): number {
  if (left === right) return 0
  if (!WIDE.test(left) && !WIDE.test(right)) return left < right ? -1 : 1
  const a = Array.from(left)
  const b = Array.from(right)
  for (let at = 0; at < a.length && at < b.length; at++) {
    const difference = (a[at]?.codePointAt(0) as number) - (b[at]?.codePointAt(0) as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
