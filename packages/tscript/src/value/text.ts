import type { Json } from '../json.ts'
import { comparePoints, isWide } from './code-points.ts'
import { Fault } from './fault.ts'
import { readKey } from './keys.ts'
import { type JsonMap, type Kind, kindOf, type Time } from './kinds.ts'
import { keysCost, type Meter, WRITTEN } from './meter.ts'
import { MAX_SIZE } from './size.ts'
import { cutText } from './storable.ts'

/** What stands for a secret wherever people read. */
export const SECRET_TEXT = '***'

/** The text that `.` joins. A secret has none: who joins looks for secrets first. */
export function toText(value: Json, meter: Meter): string {
  if (typeof value === 'string') return value
  return typeof value === 'number' ? String(value) : new Writer(meter, false).writeWhole(value)
}

/** For messages and traces: secrets are `***`, opaque values are named by their kind, what is too long is cut. */
export function toDisplay(value: Json, meter: Meter = { touched: 0 }): string {
  return typeof value === 'string' ? value : new Writer(meter, true).writeWhole(value)
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

/** Writes a value piece by piece, so that it can end where the text becomes too long. */
class Writer {
  private readonly meter: Meter
  private readonly display: boolean
  private text = ''

  constructor(meter: Meter, display: boolean) {
    this.meter = meter
    this.display = display
  }

  writeWhole(value: Json): string {
    try {
      this.write(value)
    } catch (error) {
      if (!(this.display && error instanceof Fault)) throw error
      return cutText(this.text, MAX_SIZE)
    } finally {
      this.meter.touched += this.text.length
    }
    return this.text
  }

  private put(part: string): void {
    this.text += part
    if (this.text.length > MAX_SIZE) throw tooLong()
  }

  private write(value: Json): void {
    const kind = kindOf(value)
    if (kind === 'array') this.list('[', value as Json[], ']', item => this.write(item))
    else if (kind === 'map') this.map(value as JsonMap)
    else this.put(this.simple(kind, value))
  }

  private simple(kind: Exclude<Kind, 'array' | 'map'>, value: Json): string {
    switch (kind) {
      case 'none':
        return 'None'
      case 'boolean':
        return value ? 'True' : 'False'
      case 'text':
        return quote(value as string)
      case 'time':
        this.meter.touched += WRITTEN
        return timeText((value as Time).$time)
      case 'secret':
        if (this.display) return SECRET_TEXT
        throw new Fault('A secret inside an array or a map cannot be joined')
      case 'opaque':
        if (this.display) return '(opaque value)'
        throw new Fault('An opaque value cannot be turned into text')
      default:
        return String(value)
    }
  }

  /** Keys in their order, so that a map reads the same after any store has shuffled it. */
  private map(map: JsonMap): void {
    const keys = Object.keys(map)
    this.meter.touched += keysCost(keys.length) * 2
    this.list('{', keys.some(isWide) ? keys.sort(comparePoints) : keys.sort(), '}', key => {
      this.put(`${readKey(key)}=`)
      this.write(map[key] as Json)
    })
  }

  private list<T>(open: string, items: readonly T[], close: string, write: (item: T) => void): void {
    this.put(open)
    items.forEach((item, at) => {
      this.meter.touched += WRITTEN
      this.put(at === 0 ? ' ' : ', ')
      write(item)
    })
    this.put(items.length === 0 ? close : ` ${close}`)
  }
}

export function tooLong(): Fault {
  return new Fault(`The text is too long: it has more than ${MAX_SIZE} characters`)
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
