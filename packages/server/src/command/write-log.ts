import type { Log } from '@contractor/core'

/** Log lines on standard error: time, level, message, then details as name=value. */
export const writeLog: Log = (level, message, detail = {}) => {
  const details = Object.entries(detail).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? JSON.stringify(value) : String(value)}`,
  )
  process.stderr.write(`${new Date().toISOString()} ${level} ${message}${details.join('')}\n`)
}
