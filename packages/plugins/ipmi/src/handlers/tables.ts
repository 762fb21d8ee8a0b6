import type { SelEntry, Sensor } from '../tasks.ts'

/** What ipmitool writes with -c, and as `Name : value`. */

export function parseSensors(text: string): Sensor[] {
  return rows(text)
    .filter(row => row.length >= 3)
    .map(([name = '', value = '', unit = '', status = '']) => {
      const number = value === '' ? Number.NaN : Number(value)
      // Discrete ones have no value: then the unit is their status.
      return Number.isFinite(number)
        ? { name, value: number, unit, status: status || 'ok' }
        : { name, value: null, unit: '', status: status || unit || 'ns' }
    })
}

export function parseSel(text: string): SelEntry[] {
  return rows(text)
    .filter(([id = '']) => /^[0-9a-f]+$/i.test(id))
    .map(([id = '', date = '', time = '', sensor = '', event = '', direction = '']) => ({
      ...{ id, at: `${date} ${time}`.trim(), sensor, event, asserted: !/deassert/i.test(direction) },
    }))
}

const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter(line => line.includes(','))
    .map(line => line.split(',').map(cell => cell.trim()))

/** The first value of each name. */
export function parseNames(text: string): Record<string, string> {
  const pairs = text.split('\n').flatMap(line => {
    const [, name, value] = /^\s*([^:]+?)\s*:\s+(.*?)\s*$/.exec(line) ?? []
    return name !== undefined && value !== undefined ? [[name, value] as const] : []
  })
  return Object.fromEntries(pairs.reverse())
}
