import type { Log } from '@contractor/plugin/agent'

/** Writes `TIME LEVEL MESSAGE KEY=VALUE …`, one line a record. `secret` is cut out wherever it would appear. */
export function createLineLog(write: (line: string) => void, options: { secret: string; time(): Date }): Log {
  return (level, message, fields = {}) => {
    const pairs = Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${valueText(value)}`],
    )
    const line = [options.time().toISOString(), level, message, ...pairs].join(' ')
    write(`${line.replaceAll(options.secret, '***').replaceAll(/[\r\n]+/g, ' ')}\n`)
  }
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}
