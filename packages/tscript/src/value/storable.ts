/*
 * Texts that can be kept. PostgreSQL stores neither NUL nor half of a surrogate pair (Unicode 15, section 3.9, D92), so no
 * value of a program holds one. Programs cannot make one: their texts are taken apart at whole code points.
 */

const UNSTORABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

// Of ES2024, which Node 20 has and the compiler's library for ES2023 does not.
const isWellFormed = (text: string) => (text as unknown as { isWellFormed(): boolean }).isWellFormed()

/** What is wrong with a text that cannot be kept. */
export function findUnstorable(text: string): string | undefined {
  if (text.includes('\0')) return 'a NUL character'
  return isWellFormed(text) ? undefined : 'half of a surrogate pair, which is no character'
}

/** Each place that cannot be kept. */
export function matchUnstorable(text: string): Iterable<RegExpMatchArray & { index: number }> {
  return text.matchAll(UNSTORABLE) as Iterable<RegExpMatchArray & { index: number }>
}

/** The text with U+FFFD for what cannot be kept: for messages, which are better mended than lost. */
export function mendText(text: string): string {
  return findUnstorable(text) === undefined ? text : text.replace(UNSTORABLE, '\ufffd')
}

/** The beginning of a text, of so many UTF-16 units at the most, with `…` where it is cut, and never half of a character. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text
  const last = text.charCodeAt(most - 1)
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most)}…`
}
