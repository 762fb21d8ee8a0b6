/** What a template's values are on this side: minijinja gives maps as Map, and both None and undefined as undefined. */
export type TemplateValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | TemplateValue[]
  | Map<string, TemplateValue>
  | { [key: string]: TemplateValue }

/** A value as Python prints it: `str()` of it, with `repr()` inside of lists and maps. */
export function pythonText(value: TemplateValue): string {
  return typeof value === 'string' ? value : pythonRepr(value)
}

export function pythonRepr(value: TemplateValue): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`
  return `{${mapEntries(value)
    .map(([key, item]) => `${quote(key)}: ${pythonRepr(item)}`)
    .join(', ')}}`
}

export function mapEntries(
  value: Map<string, TemplateValue> | { [key: string]: TemplateValue },
): [string, TemplateValue][] {
  return value instanceof Map ? [...value] : Object.entries(value)
}

/** Python prefers single quotes unless the text has them and no double ones. */
function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }
  const escaped = text.replace(/[\\\n\r\t]/g, character => escapes[character] ?? character)
  return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark
}

/** As Python's `json.dumps( …, sort_keys=True )` writes it: ASCII alone, a space after each comma and colon. */
export function pythonJson(value: TemplateValue, indent?: TemplateValue, depth = 0): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string')
    return JSON.stringify(value).replace(
      /[\u007f-\uffff]/g,
      unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  if (typeof value !== 'object') return String(value)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  const inner = Array.isArray(value)
    ? value.map(item => pythonJson(item, indent, depth + 1))
    : mapEntries(value)
        .sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
        .map(([key, item]) => `${pythonJson(key)}: ${pythonJson(item, indent, depth + 1)}`)
  if (!inner.length) return `${open}${close}`
  if (typeof indent !== 'number') return open + inner.join(', ') + close
  const line = (level: number) => `\n${' '.repeat(Math.min(indent, 20) * level)}`
  return open + line(depth + 1) + inner.join(`,${line(depth + 1)}`) + line(depth) + close
}
