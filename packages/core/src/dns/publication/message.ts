import { ipBytes, parseIp } from '@contractor/contract'
import { mailboxLabels } from '../dns-name.ts'
import { characterStrings, type RecordData, type Soa } from '../zone-record.ts'

/**
 * DNS messages as octets (RFC 1035, section 4), as far as updates and zone transfers need them. The npm codecs have
 * neither class NONE nor TSIG, and give no access to the octets that a signature is made over.
 */
export const types = {
  ...{ A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33, TSIG: 250, AXFR: 252, CAA: 257 },
} as const
export const classes = { IN: 1, NONE: 254, ANY: 255 } as const
export const opcodes = { query: 0, update: 5 } as const

/** A record as it is in a message; the data with names uncompressed and in lower case, so that equal data is equal. */
export interface WireRecord {
  readonly name: string
  readonly type: number
  readonly class: number
  readonly ttl: number
  readonly data: Buffer
}

export interface Message {
  readonly id: number
  readonly code: number
  readonly isTruncated: boolean
  readonly answers: readonly WireRecord[]
  /** The signature, and where it begins. */
  readonly tsig?: { readonly record: WireRecord; readonly at: number }
}

export const uint16 = (value: number) => Buffer.from([value >> 8, value & 255])
export const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A full name as octets, uncompressed. */
export const nameBytes = (name: string) => labelBytes(name === '.' || name === '' ? [] : name.split('.'))

function labelBytes(labels: readonly string[]): Buffer {
  return Buffer.concat([
    ...labels.flatMap(label => [Buffer.from([label.length]), Buffer.from(label)]),
    Buffer.from([0]),
  ])
}

export function dataBytes(data: RecordData): Buffer {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return Buffer.from(ipBytes(parseIp(data.address)))
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return nameBytes(data.target)
    case 'MX':
      return Buffer.concat([uint16(data.priority), nameBytes(data.target)])
    case 'SRV':
      return Buffer.concat([uint16(data.priority), uint16(data.weight), uint16(data.port), nameBytes(data.target)])
    case 'TXT':
      return Buffer.concat(characterStrings(data.text).flatMap(part => [Buffer.from([part.length]), part]))
    case 'CAA':
      return Buffer.concat([Buffer.from([data.flags, data.tag.length]), Buffer.from(data.tag + data.value)])
  }
}

/** The data of a SOA; its serial stands 20 octets before the end. */
export function soaBytes({ primary, email, refresh, retry, expire, minimum }: Soa, serial: number): Buffer {
  const times = [serial, refresh, retry, expire, minimum].map(uint32)
  return Buffer.concat([nameBytes(primary), labelBytes(mailboxLabels(email)), ...times])
}

export function recordBytes({ name, type, class: of, ttl, data }: WireRecord): Buffer {
  return Buffer.concat([nameBytes(name), uint16(type), uint16(of), uint32(ttl), uint16(data.length), data])
}

/** A question for a zone: its transfer, or what updates it (RFC 2136, section 2). */
export function encodeMessage(
  id: number,
  opcode: number,
  zone: string,
  type: number,
  updates: readonly WireRecord[],
): Buffer {
  const counts = [1, 0, updates.length, 0].map(uint16)
  const question = Buffer.concat([nameBytes(zone), uint16(type), uint16(classes.IN)])
  return Buffer.concat([uint16(id), uint16(opcode << 11), ...counts, question, ...updates.map(recordBytes)])
}

/** Reads a message. Throws a RangeError for one that is cut off or has names that go in circles. */
export function decodeMessage(bytes: Buffer): Message {
  const [questions = 0, answers = 0, authorities = 0, others = 0] = [4, 6, 8, 10].map(at => bytes.readUInt16BE(at))
  let at = 12
  for (let count = 0; count < questions; count++) at = readName(bytes, at).next + 4
  const found: WireRecord[] = []
  let tsig: Message['tsig']
  for (let count = 0; count < answers + authorities + others; count++) {
    const { record, next } = readRecord(bytes, at)
    if (record.type === types.TSIG) tsig = { record, at }
    else if (count < answers) found.push(record)
    at = next
  }
  const flags = bytes.readUInt16BE(2)
  const message = { id: bytes.readUInt16BE(0), code: flags & 15, isTruncated: (flags & 0x200) !== 0, answers: found }
  return tsig ? { ...message, tsig } : message
}

function readRecord(bytes: Buffer, from: number): { record: WireRecord; next: number } {
  const { name, next: at } = readName(bytes, from)
  const type = bytes.readUInt16BE(at)
  const start = at + 10
  const next = start + bytes.readUInt16BE(at + 8)
  if (next > bytes.length) throw new RangeError('a record is cut off')
  const data = readData(bytes, type, start, next)
  return { record: { name, type, class: bytes.readUInt16BE(at + 2), ttl: bytes.readUInt32BE(at + 4), data }, next }
}

/** How many octets come before the names in the data of a type, and how many names there are. */
const namesIn: Readonly<Record<number, readonly [before: number, names: number]>> = {
  [types.NS]: [0, 1],
  [types.CNAME]: [0, 1],
  [types.PTR]: [0, 1],
  [types.SOA]: [0, 2],
  [types.MX]: [2, 1],
  [types.SRV]: [6, 1],
}

function readData(bytes: Buffer, type: number, start: number, end: number): Buffer {
  const [before, names] = namesIn[type] ?? [0, 0]
  const parts = [bytes.subarray(start, start + before)]
  let at = start + before
  for (let count = 0; count < names; count++) {
    const { labels, next } = readLabels(bytes, at)
    parts.push(labelBytes(labels))
    at = next
  }
  return Buffer.concat([...parts, bytes.subarray(at, end)])
}

function readName(bytes: Buffer, from: number): { name: string; next: number } {
  const { labels, next } = readLabels(bytes, from)
  return { name: labels.join('.'), next }
}

function readLabels(bytes: Buffer, from: number): { labels: string[]; next: number } {
  const labels: string[] = []
  let next: number | undefined
  for (let at = from, jumps = 0; ; ) {
    const length = bytes.readUInt8(at)
    if (length >= 0xc0) {
      next ??= at + 2
      at = bytes.readUInt16BE(at) & 0x3fff
      if (++jumps > 127) throw new RangeError('a name goes in circles')
    } else if (length === 0) {
      return { labels, next: next ?? at + 1 }
    } else {
      if (at + 1 + length > bytes.length) throw new RangeError('a name is cut off')
      labels.push(bytes.toString('latin1', at + 1, at + 1 + length).toLowerCase())
      at += 1 + length
    }
  }
}
