import { compare } from './compare.ts'
import { fail } from './failure.ts'
import { type Limits, stepsOfCollection } from './limits.ts'
import { floatText } from './print.ts'
import { refuseSecret } from './secrets.ts'
import { Dict, isText, List, Markup, Tuple, textOf, typeOf, type Value } from './values.ts'

/** As Python's `json.dumps( …, sort_keys=True )` writes it: ASCII alone, a space after each comma and colon. */
export function writeJson(limits: Limits, value: Value, indent: Value): string {
  const step = isText(indent) ? textOf(indent) : indent === null ? undefined : indentOf(indent)
  return writeValue(limits, value, step, 0)
}

function indentOf(indent: Value): string {
  if (typeof indent !== 'bigint' && typeof indent !== 'boolean') return fail('tojson needs a number for its indent')
  if (Number(indent) > 100) fail('an indent of more than 100 is too large')
  return ' '.repeat(Math.max(Number(indent), 0))
}

function writeValue(limits: Limits, value: Value, step: string | undefined, depth: number): string {
  limits.step()
  if (depth > 100) fail('a value is nested more than 100 levels deep')
  if (value === null) return 'null'
  if (typeof value === 'number') return jsonNumber(value)
  if (typeof value === 'string' || value instanceof Markup) return jsonText(limits, textOf(value))
  if (typeof value !== 'object') return String(value)
  const isDict = value instanceof Dict
  if (!isDict && !(value instanceof List || value instanceof Tuple))
    return fail(`Object of type ${typeOf(value)} is not JSON serializable`)
  limits.step(stepsOfCollection)
  const parts: string[] = []
  const line = step === undefined ? '' : `\n${step.repeat(depth + 1)}`
  let length = 0
  const add = (part: string) => {
    length += part.length + line.length + 2
    limits.text(length)
    parts.push(part)
  }
  if (isDict) {
    const entries = [...value.entries.values()]
    limits.items(entries.length)
    for (const [key, item] of entries.sort((a, b) => compare(limits, a[0], b[0])))
      add(`${jsonText(limits, keyText(key))}: ${writeValue(limits, item, step, depth + 1)}`)
  } else for (const item of value.items) add(writeValue(limits, item, step, depth + 1))
  const [open, close] = isDict ? '{}' : '[]'
  if (!parts.length) return `${open}${close}`
  if (step === undefined) return `${open}${parts.join(', ')}${close}`
  return `${open}${line}${parts.join(`,${line}`)}\n${step.repeat(depth)}${close}`
}

const jsonNumber = (value: number) =>
  Number.isFinite(value)
    ? floatText(value)
    : { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' }[floatText(value) as 'nan']

function keyText(key: Value): string {
  if (isText(key)) return textOf(key)
  if (key === null) return 'null'
  if (typeof key === 'number') return jsonNumber(key)
  return typeof key === 'object' ? fail(`keys must be str, int, float, bool or None, not ${typeOf(key)}`) : String(key)
}

function jsonText(limits: Limits, text: string): string {
  refuseSecret(text, '|tojson')
  limits.text(text.length * 2)
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
