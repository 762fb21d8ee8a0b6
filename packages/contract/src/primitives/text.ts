/**
 * Texts that can be kept. PostgreSQL stores neither NUL nor half of a surrogate pair (Unicode 15, section 3.9, D92), as a
 * text or within jsonb, and refuses the whole statement that holds one. So what an operator or a program gives is
 * checked where it enters, and refused with the path; what agents and machines report is mended, and that is said.
 */
const replacement = '\uFFFD'
const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g

// Of ES2024, which Node 20 has and the compiler's library for ES2023 does not.
const isWellFormed = (text: string) => (text as unknown as { isWellFormed(): boolean }).isWellFormed()

export const isStorable = (text: string): boolean => !text.includes('\0') && isWellFormed(text)

/** The text with everything that cannot be kept replaced by U+FFFD; the same text where there is nothing. */
export const mendText = (text: string): string =>
  isStorable(text) ? text : text.replaceAll('\0', replacement).replace(loneSurrogate, replacement)

/** The beginning of a text, of so many UTF-16 units at the most, and never half of a character. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text
  const last = text.charCodeAt(most - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most)
}

/** Where in a value the first text is, or the first key, that cannot be kept; looks into lists and maps. */
export function findUnstorable(value: unknown): (string | number)[] | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : []
  if (typeof value !== 'object' || value === null) return undefined
  const isList = Array.isArray(value)
  for (const [key, item] of Object.entries(value)) {
    if (!isList && !isStorable(key)) return [mendText(key)]
    const found = findUnstorable(item)
    if (found) return [isList ? Number(key) : key, ...found]
  }
  return undefined
}
