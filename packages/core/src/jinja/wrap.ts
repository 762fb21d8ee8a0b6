import type { Limits } from './limits.ts'
import { isSpace } from './text.ts'

export interface Wrapping {
  width: number
  breaksWords: boolean
  breaksHyphens: boolean
}

/** As Python's `textwrap.wrap`, without expanding tabs: what is between words is dropped where a line breaks. */
export function wrapLine(limits: Limits, line: string, { width, breaksWords, breaksHyphens }: Wrapping): string[] {
  limits.items(line.length)
  const chunks = cutChunks(line, breaksHyphens).reverse()
  const lines: string[] = []
  while (chunks.length) {
    const current: string[] = []
    let length = 0
    if (lines.length && isBlank(chunks.at(-1) as string)) chunks.pop()
    for (let next = chunks.at(-1); next !== undefined && length + next.length <= width; next = chunks.at(-1)) {
      current.push(chunks.pop() as string)
      length += next.length
    }
    const next = chunks.at(-1)
    if (next !== undefined && next.length > width) {
      if (breaksWords) {
        const room = breakPlace(next, width - length, breaksHyphens)
        current.push(next.slice(0, room))
        chunks[chunks.length - 1] = next.slice(room)
      } else if (!current.length) current.push(chunks.pop() as string)
    }
    if (current.length && isBlank(current.at(-1) as string)) current.pop()
    if (current.length) lines.push(current.join(''))
    limits.step()
  }
  return lines
}

/** A chunk is made of spaces, or has none. */
const isBlank = (chunk: string) => chunk !== '' && isSpace(chunk[0] as string)

/** A word too long is broken after its last hyphen that fits, if it has one. */
function breakPlace(chunk: string, room: number, breaksHyphens: boolean): number {
  if (!breaksHyphens || chunk.length <= room) return Math.max(room, 1)
  const hyphen = chunk.slice(0, room).lastIndexOf('-')
  const isInside = hyphen > 0 && [...chunk.slice(0, hyphen)].some(character => character !== '-')
  return isInside ? hyphen + 1 : Math.max(room, 1)
}

/** Words and what is between them; words with hyphens are cut after each hyphen that stands between letters. */
function cutChunks(line: string, breaksHyphens: boolean): string[] {
  const chunks: string[] = []
  for (const [word] of line.matchAll(/\s+|\S+/gu)) {
    if (!breaksHyphens || !word.includes('-')) {
      chunks.push(word)
      continue
    }
    let from = 0
    for (let at = word.indexOf('-'); at >= 0; at = word.indexOf('-', at + 1)) {
      const [before = '', after = ''] = [word.slice(Math.max(at - 2, from), at), word.slice(at + 1, at + 3)]
      const isBetween = /^[^\d\W][^\d\W]$/u.test(before) && /^[^\d\W]/u.test(after)
      if (!isBetween) continue
      chunks.push(word.slice(from, at + 1))
      from = at + 1
    }
    chunks.push(word.slice(from))
  }
  return chunks
}
