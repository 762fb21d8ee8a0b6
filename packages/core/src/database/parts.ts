/** How much one parameter of a statement carries, in UTF-16 units of JSON. PostgreSQL's jsonb ends at 256 MB (jsonb.h). */
const mostOfPart = 16 * 1024 * 1024

/** Rows as JSON lists, each of which is no larger than a statement carries well; a row that is larger stands alone. */
export function inParts<Row extends object>(
  rows: readonly Row[],
  write: (row: Row) => string = JSON.stringify,
): string[] {
  const texts = rows.map(write)
  const parts: string[][] = []
  let size = Number.POSITIVE_INFINITY
  for (const text of texts) {
    if (size + text.length > mostOfPart) {
      parts.push([])
      size = 0
    }
    parts.at(-1)?.push(text)
    size += text.length
  }
  return parts.map(part => `[${part.join(',')}]`)
}
