import { mailboxLabels } from './dns-name.ts'

/** What a record says, by its type; names are full, without the last dot, `.` is the root. */
export type RecordData =
  | { type: 'A' | 'AAAA'; address: string }
  | { type: 'CNAME' | 'NS' | 'PTR'; target: string }
  | { type: 'MX'; priority: number; target: string }
  | { type: 'SRV'; priority: number; weight: number; port: number; target: string }
  | { type: 'TXT'; text: string }
  | { type: 'CAA'; flags: number; tag: string; value: string }

/** A record of a zone, by its full name; the TTL in seconds. */
export type ZoneRecord = { name: string; ttl: number } & RecordData

/** What a zone holds, in order and without duplicates; the serial is not of it, since it follows from it. */
export interface ZoneContent {
  readonly name: string
  readonly ttl: number
  readonly soa: Soa
  readonly records: readonly ZoneRecord[]
}

export interface Soa {
  /** The primary name server. */
  readonly primary: string
  readonly email: string
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  readonly minimum: number
}

/** The text of a record's data, as a zone file has it (RFC 1035, section 5.1). */
export function dataText(data: RecordData): string {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return data.address
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return fullName(data.target)
    case 'MX':
      return `${data.priority} ${fullName(data.target)}`
    case 'SRV':
      return `${data.priority} ${data.weight} ${data.port} ${fullName(data.target)}`
    case 'TXT':
      return characterStrings(data.text).map(quoted).join(' ')
    case 'CAA':
      return `${data.flags} ${data.tag} ${quoted(Buffer.from(data.value))}`
  }
}

export const fullName = (name: string) => (name === '.' ? '.' : `${name}.`)

/** A mail address as the SOA has it: a dot of its local part is no end of a label. */
export function mailboxText(email: string): string {
  return fullName(
    mailboxLabels(email)
      .map(label => label.replace(/[.\\"();@$]/g, '\\$&'))
      .join('.'),
  )
}

/** A text as strings of 255 octets at the most: one needs a length of one octet (RFC 1035, section 3.3). */
export function characterStrings(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const strings: Buffer[] = []
  for (let at = 0; at < bytes.length || at === 0; at += 255) strings.push(bytes.subarray(at, at + 255))
  return strings
}

function quoted(bytes: Buffer): string {
  let text = ''
  for (const byte of bytes) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`
    else if (byte < 0x20 || byte > 0x7e) text += `\\${String(byte).padStart(3, '0')}`
    else text += String.fromCharCode(byte)
  }
  return `"${text}"`
}

const typeOrder: readonly RecordData['type'][] = ['NS', 'A', 'AAAA', 'CNAME', 'PTR', 'MX', 'SRV', 'TXT', 'CAA']

/**
 * Records in the one order that they are written in: by name, label by label from the right, so that what belongs
 * together stands together, and numbers by their value; each once. Records of one name and type share the smallest of
 * their TTLs (RFC 2181, section 5.2).
 */
export function normalize(records: readonly ZoneRecord[], zone: string): ZoneRecord[] {
  const sorted = records
    .map(
      (record): Placed => ({
        record,
        key: orderOf(record.name, zone),
        type: typeOrder.indexOf(record.type),
        text: undefined,
      }),
    )
    .sort(compare)
  const result: ZoneRecord[] = []
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    const first = sorted[from] as Placed
    let { ttl } = first.record
    for (to = from + 1; to < sorted.length; to++) {
      const next = sorted[to] as Placed
      if (next.key !== first.key || next.type !== first.type) break
      ttl = Math.min(ttl, next.record.ttl)
    }
    for (let at = from; at < to; at++) {
      const own = sorted[at] as Placed
      const before = sorted[at - 1]
      const isTwice = at > from && before !== undefined && textOf(before) === textOf(own)
      if (!isTwice) result.push(own.record.ttl === ttl ? own.record : { ...own.record, ttl })
    }
  }
  return result
}

interface Placed {
  readonly record: ZoneRecord
  readonly key: string
  readonly type: number
  /** Made only where two records differ in nothing else: most have a name and type of their own. */
  text: string | undefined
}

function textOf(placed: Placed): string {
  placed.text ??= dataText(placed.record)
  return placed.text
}

function compare(one: Placed, two: Placed): number {
  if (one.key !== two.key) return one.key < two.key ? -1 : 1
  if (one.type !== two.type) return one.type - two.type
  return textOf(one) === textOf(two) ? 0 : textOf(one) < textOf(two) ? -1 : 1
}

function orderOf(name: string, zone: string): string {
  if (name === zone) return ''
  const labels = name.slice(0, -zone.length - 1).split('.')
  let key = ''
  for (let at = labels.length - 1; at >= 0; at--) {
    const label = labels[at] ?? ''
    key += `${label.length < 3 && /^\d+$/.test(label) ? label.padStart(3, '0') : label}\u0000`
  }
  return key
}
