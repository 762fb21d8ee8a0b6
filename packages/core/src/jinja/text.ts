/** What Python takes for a space, for a line's end, and for a word. */

const spaces = '\t\n\v\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000'
const allSpaces: ReadonlySet<string> = new Set([
  ...spaces,
  ...Array.from({ length: 11 }, (_, at) => String.fromCharCode(0x2000 + at)),
])

export const isSpace = (character: string) => allSpaces.has(character)

export function strip(text: string, sides: 'both' | 'left' | 'right' = 'both', characters?: string): string {
  const set = characters === undefined ? allSpaces : new Set(characters)
  const units = /[\ud800-\udfff]/.test(text) ? [...text] : text
  let from = 0
  let to = units.length
  if (sides !== 'right') while (from < to && set.has(units[from] as string)) from++
  if (sides !== 'left') while (to > from && set.has(units[to - 1] as string)) to--
  return typeof units === 'string' ? units.slice(from, to) : units.slice(from, to).join('')
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: Python ends lines at the separators of ASCII, too
const lineEnd = /\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/g

export function splitLines(text: string, keepsEnds = false): string[] {
  const lines: string[] = []
  let at = 0
  for (const { index, 0: end } of text.matchAll(lineEnd)) {
    lines.push(text.slice(at, index + (keepsEnds ? end.length : 0)))
    at = index + end.length
  }
  if (at < text.length) lines.push(text.slice(at))
  return lines
}

/** As `str.title()`: each letter after one that is none. */
export const titleCase = (text: string) =>
  text.replace(/\p{L}+/gu, word => {
    const [first = ''] = word
    return first.toUpperCase() + word.slice(first.length).toLowerCase()
  })
