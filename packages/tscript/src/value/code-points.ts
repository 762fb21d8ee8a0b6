/*
 * Texts count in Unicode code points: length, indexes, order. Texts without surrogates, nearly all, are JavaScript's own
 * strings for that purpose.
 */

const WIDE = /[\ud800-\udfff]/

/** Whether code points and JavaScript's units differ. */
export function isWide(text: string): boolean {
  return WIDE.test(text)
}

export function comparePoints(left: string, right: string): number {
  if (left === right) return 0
  if (!isWide(left) && !isWide(right)) return left < right ? -1 : 1
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at)
    const b = right.charCodeAt(at)
    if (a !== b) return rank(a) - rank(b)
  }
  return left.length - right.length
}

/** The order of units that is the order of code points: halves of pairs stand for what lies beyond U+FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
