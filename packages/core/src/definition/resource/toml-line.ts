/** The line, from 1, on which a TOML file says something, by the path of keys to it; undefined where it is not found. */
export function findTomlLine(text: string, path: readonly string[]): number | undefined {
  const lines = text.split(/\r\n|\n|\r/)
  for (let length = path.length; length > 0; length--) {
    const line = findExact(lines, path.slice(0, length))
    if (line !== undefined) return line
  }
  return undefined
}

function findExact(lines: readonly string[], path: readonly string[]): number | undefined {
  let table: string[] = []
  let inText: string | undefined
  for (const [at, line] of lines.entries()) {
    if (inText) {
      if (line.includes(inText)) inText = undefined
      continue
    }
    const header = /^\s*\[\[?\s*(.+?)\s*\]\]?\s*(#.*)?$/.exec(line)
    const assigned = /^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_<>~:-]+|\s*\.\s*)+?)\s*=/.exec(line)
    if (header?.[1]) {
      table = keysOf(header[1])
      if (samePath(table.slice(0, path.length), path)) return at + 1
    } else if (assigned?.[1] && samePath([...table, ...keysOf(assigned[1])], path)) return at + 1
    const opened = /"""|'''/.exec(line)?.[0]
    if (opened && line.split(opened).length % 2 === 0) inText = opened
  }
  return undefined
}

function keysOf(dotted: string): string[] {
  return [...dotted.matchAll(/"([^"]*)"|'([^']*)'|([A-Za-z0-9_<>~:-]+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  )
}

function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((key, at) => key === b[at])
}

/** The line of a pair in `sflinks`. */
export function findLinkLine(text: string, pair: readonly [string, string]): number | undefined {
  const first = findTomlLine(text, ['sflinks'])
  if (first === undefined) return undefined
  const [one, other] = pair.map(name => new RegExp(`["']${name.replace(/[^\w-]/g, '\\$&')}["']`))
  const found = text
    .split(/\r\n|\n|\r/)
    .findIndex((line, at) => at + 1 >= first && one?.test(line) && other?.test(line))
  return found < 0 ? first : found + 1
}
