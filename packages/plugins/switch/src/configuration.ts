/**
 * Whether a configuration has the lines that it was to be given. A line stands in it as it was typed, but for spaces; what was taken
 * out with `no` or `delete` does not. Lines that only lead somewhere, as `interface Gi1/0/1`, stand in it too.
 */
export function isConfigured(lines: readonly string[], text: string): boolean {
  const plain = (line: string) => line.trim().replace(/\s+/g, ' ')
  const has = new Set(text.split('\n').map(plain))
  return lines
    .map(plain)
    .filter(line => line && line !== 'exit' && !line.startsWith('!'))
    .every(line => {
      const [, taken] = /^(?:no|delete) (.+)$/.exec(line) ?? []
      if (taken === undefined) return has.has(line)
      return ![...has].some(one => one === taken || one.startsWith(`${taken} `) || one === `set ${taken}`)
    })
}
