export type LogLevel = 'info' | 'warn' | 'error'

/** One record: a message that is the same every time, and what differs as fields. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void

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
