/** What an API answers, for people: lists as tables, an object line by line. */

/** Columns wider than this are cut. */
const widest = 48

export function printItems(items: readonly unknown[]): void {
  const rows = items.map(item => (typeof item === 'object' && item !== null ? item : { value: item })) as Record<
    string,
    unknown
  >[]
  const columns = [...new Set(rows.flatMap(row => Object.keys(row)))].filter(name =>
    rows.some(row => isShort(row[name])),
  )
  if (!columns.length) return
  const cells = [columns, ...rows.map(row => columns.map(name => cut(shown(row[name]))))]
  const widths = columns.map((_, at) => Math.max(...cells.map(line => (line[at] ?? '').length)))
  for (const line of cells)
    process.stdout.write(
      `${line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
}

export function printObject(object: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(object)) {
    const text = shown(value)
    const lines = text.includes('\n') ? `\n${text.replace(/^/gm, '  ')}` : ` ${text}`
    process.stdout.write(`${name}:${text === '' ? '' : lines}\n`)
  }
}

const isShort = (value: unknown) => value !== undefined && (typeof value !== 'object' || value === null)
const cut = (text: string) => {
  const [line = ''] = text.split('\n')
  return line.length > widest ? `${line.slice(0, widest - 1)}…` : line
}
const shown = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
