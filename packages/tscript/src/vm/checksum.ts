/*
 * A checksum against truncation and accident, not against forgers: 64 bits in two FNV-1a lanes over a text in which the
 * keys of each map are sorted, since databases reorder them. A cryptographic hash would cost most of a stop.
 *
 * The text is never put together: of a large state it would be as large again.
 */

export function checksumOf(value: unknown): string {
  const sum = new Checksum()
  sum.add(value)
  return sum.toString()
}

/** Text that JSON writes as it is. Nearly all is, and asking JSON.stringify for each cost most of a checksum. */
const PLAIN = /^[ !#-[\]-~]*$/

class Checksum {
  private low = 0x811c9dc5
  private high = 0x9747b28c
  private at = 0

  /** The value as JSON, with a comma behind each entry of a map. */
  add(value: unknown): void {
    if (typeof value === 'string') this.quote(value)
    else if (typeof value === 'number') this.write(Number.isFinite(value) ? String(value) : 'null')
    else if (typeof value !== 'object' || value === null)
      this.write(typeof value === 'boolean' ? String(value) : 'null')
    else if (Array.isArray(value)) {
      this.write('[')
      for (let at = 0; at < value.length; at++) {
        if (at > 0) this.write(',')
        this.add(value[at])
      }
      this.write(']')
    } else this.map(value as { [key: string]: unknown })
  }

  private map(map: { [key: string]: unknown }): void {
    this.write('{')
    for (const key of Object.keys(map).sort()) {
      const item = map[key]
      if (item === undefined) continue
      this.quote(key)
      this.write(':')
      this.add(item)
      this.write(',')
    }
    this.write('}')
  }

  private quote(text: string): void {
    if (PLAIN.test(text)) {
      this.write('"')
      this.write(text)
      this.write('"')
    } else this.write(JSON.stringify(text))
  }

  private write(text: string): void {
    let { low, high, at } = this
    for (let offset = 0; offset < text.length; offset++, at++) {
      const code = text.charCodeAt(offset)
      low = Math.imul(low ^ code, 0x01000193)
      high = Math.imul(high ^ (code + at), 0x5bd1e995)
      high ^= high >>> 15
    }
    this.low = low
    this.high = high
    this.at = at
  }

  toString(): string {
    return hex(this.low) + hex(this.high)
  }
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0')
}
