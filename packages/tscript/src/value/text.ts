import type { Json } from '../json.ts'
import { comparePoints } from './code-points.ts'
import { Fault } from './fault.ts'
import { readKey } from './keys.ts'
import { type JsonMap, kindOf, type Time } from './kinds.ts'

/** What stands for a secret wherever people read. */
export const SECRET_TEXT = '***'

/** The text that `.` joins. A secret has none: who joins looks for secrets first. */
export function toText(value: Json): string {
  return render(value, false, false)
}

/** For messages and traces: secrets are `***`, opaque values are named by their kind. */
export function toDisplay(value: Json): string {
  return render(value, true, false)
}

/** The same value with each secret replaced by the text `***`: for inspection and printed variables. */
export function maskSecrets(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(maskSecrets)
  const kind = kindOf(value)
  if (kind === 'secret') return SECRET_TEXT
  if (kind !== 'map') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskSecrets(item)]))
}

function render(value: Json, display: boolean, quoted: boolean): string {
  switch (kindOf(value)) {
    case 'none':
      return 'None'
    case 'boolean':
      return value ? 'True' : 'False'
    case 'text':
      return quoted ? quote(value as string) : (value as string)
    case 'time':
      return timeText((value as Time).$time)
    case 'array':
      return list(
        '[',
        (value as Json[]).map(item => render(item, display, true)),
        ']',
      )
    case 'map':
      return mapText(value as JsonMap, display)
    case 'secret':
      if (display) return SECRET_TEXT
      throw new Fault('A secret inside an array or a map cannot be joined')
    case 'opaque':
      if (display) return '(opaque value)'
      throw new Fault('An opaque value cannot be turned into text')
    default:
      return String(value)
  }
}

/** Keys in their order, so that a map reads the same after any store has shuffled it. */
function mapText(map: JsonMap, display: boolean): string {
  const keys = Object.keys(map).sort(comparePoints)
  return list(
    '{',
    keys.map(key => `${readKey(key)}=${render(map[key] as Json, display, true)}`),
    '}',
  )
}

function list(open: string, items: string[], close: string): string {
  return items.length === 0 ? open + close : `${open} ${items.join(', ')} ${close}`
}

function quote(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`
}

/** As the language writes times: `1:30`, `2:00:00`, `1:00:00:00`; a fraction of a second behind a point. */
export function timeText(seconds: number): string {
  if (seconds < 0) return `-${timeText(-seconds)}`
  const days = Math.floor(seconds / 86_400)
  const hours = Math.floor((seconds % 86_400) / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = Math.round((seconds % 60) * 1e6) / 1e6
  const tail = `${String(minutes).padStart(days + hours > 0 ? 2 : 1, '0')}:${rest < 10 ? '0' : ''}${rest}`
  if (days > 0) return `${days}:${String(hours).padStart(2, '0')}:${tail}`
  return hours > 0 ? `${hours}:${tail}` : tail
}
