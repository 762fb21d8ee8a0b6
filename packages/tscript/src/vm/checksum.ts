/*
 * A checksum against truncation and accident, not against forgers: 64 bits in two FNV-1a lanes over a text in which the
 * keys of each map are sorted, since databases reorder them. A cryptographic hash would cost most of a stop.
 */

export function checksumOf(value: unknown): string {
  let low = 0x811c9dc5
  let high = 0x9747b28c
  const text = canonical(value)
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ (code + at), 0x5bd1e995)
    high ^= high >>> 15
  }
  return hex(low) + hex(high)
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0')
}

/** Text that JSON writes as it is. Nearly all is, and asking JSON.stringify for each cost most of a checksum. */
const PLAIN = /^[ !#-[\]-~]*$/

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

function canonical(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
  if (typeof value !== 'object' || value === null) return typeof value === 'boolean' ? String(value) : 'null'
  if (Array.isArray(value)) {
    let text = '['
    for (let at = 0; at < value.length; at++) text += at ? `,${canonical(value[at])}` : canonical(value[at])
    return `${text}]`
  }
  const map = value as { [key: string]: unknown }
  let text = '{'
  for (const key of Object.keys(map).sort()) {
    const item = map[key]
    if (item !== undefined) text += `${quote(key)}:${canonical(item)},`
  }
  return `${text}}`
}
