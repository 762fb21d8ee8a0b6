/** How much one parameter of a statement carries, in UTF-16 units of JSON. PostgreSQL's jsonb ends at 256 MB (jsonb.h). */
const mostOfPart = 16 * 1024 * 1024

/**
 * Rows as JSON lists, each of which is no larger than a statement carries well; a row that is larger stands alone. Nearly
 * always there is one list, so that is tried first: to write each row by itself took twice as long.
 */
export function inParts(rows: readonly object[]): string[] {
  if (!rows.length) return []
  const text = write(rows)
  if (text !== undefined && (text.length <= mostOfPart || rows.length === 1)) return [text]
  const half = Math.ceil(rows.length / 2)
  return [...inParts(rows.slice(0, half)), ...inParts(rows.slice(half))]
}

/** Undefined for several rows that are more than a string can hold. */
function write(rows: readonly object[]): string | undefined {
  try {
    return JSON.stringify(rows)
  } catch (error) {
    if (error instanceof RangeError && rows.length > 1) return undefined
    throw error
  }
}
