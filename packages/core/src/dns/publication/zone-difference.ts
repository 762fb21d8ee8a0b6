import { isWithin } from '../dns-name.ts'
import { isNewerSerial } from '../serial.ts'
import type { ZoneContent } from '../zone-record.ts'
import { classes, dataBytes, recordBytes, soaBytes, types, type WireRecord } from './message.ts'

/**
 * The zone is Contractor's alone: what it has of the types that Contractor writes, and Contractor does not, is removed.
 * Records of other types stay (DNSSEC's, which named makes itself, and whatever else somebody has put there), and so do
 * the names under `keep`, for what another program writes there (`_acme-challenge`).
 */
const managed = new Set<number>(['A', 'NS', 'CNAME', 'PTR', 'MX', 'TXT', 'AAAA', 'SRV', 'CAA'].map(typeNumber))

function typeNumber(name: string): number {
  return types[name as keyof typeof types]
}

export interface ZoneDifference {
  /** What to do, as the records of updates: those of one name stand together, and go into one message. */
  readonly steps: readonly (readonly WireRecord[])[]
  readonly added: number
  readonly removed: number
  readonly changedSoa: boolean
}

export function differZone(
  content: ZoneContent,
  there: readonly WireRecord[],
  keep: readonly string[],
): ZoneDifference {
  const wanted = new Map<string, WireRecord>()
  for (const record of content.records) {
    const { name, ttl } = record
    const wire = { name, type: typeNumber(record.type), class: classes.IN, ttl, data: dataBytes(record) }
    wanted.set(keyOf(wire), wire)
  }
  const isKept = (name: string) => keep.some(one => isWithin(name, `${one}.${content.name}`))
  const present = new Map(
    there.filter(record => managed.has(record.type) && !isKept(record.name)).map(record => [keyOf(record), record]),
  )
  // A record with another TTL is removed and added again: all of its name and type get the new one (RFC 2181).
  const removed = [...present].filter(([key, { ttl }]) => wanted.get(key)?.ttl !== ttl).map(([, record]) => record)
  const added = [...wanted].filter(([key, { ttl }]) => present.get(key)?.ttl !== ttl).map(([, record]) => record)
  const soa = changedSoa(content, there)
  const steps = [...(soa ? [[soa]] : []), ...toSteps(content, removed, added)]
  return { steps, added: added.length, removed: removed.length, changedSoa: soa !== undefined }
}

const keyOf = ({ name, type, data }: WireRecord) => `${name} ${type} ${data.toString('latin1')}`

function toSteps(content: ZoneContent, removed: readonly WireRecord[], added: readonly WireRecord[]): WireRecord[][] {
  const byName = new Map<string, WireRecord[]>()
  const put = (record: WireRecord) => {
    const own = byName.get(record.name)
    if (own) own.push(record)
    else byName.set(record.name, [record])
  }
  const removal = (record: WireRecord): WireRecord => ({ ...record, class: classes.NONE, ttl: 0 })
  // Where a CNAME gives way to an address, it must be gone before. The last name server of a zone is never removed
  // (RFC 2136, section 3.4.2.4), so at the zone itself it is the other way round.
  const apex = ({ name, type }: WireRecord) => name === content.name && type === types.NS
  const isGoneFor = (record: WireRecord) => added.some(one => keyOf(one) === keyOf(record))
  for (const record of removed) if (!apex(record)) put(removal(record))
  for (const record of added) put(record)
  for (const record of removed) if (apex(record) && !isGoneFor(record)) put(removal(record))
  // Between two messages too, the zone's name servers must have addresses: those come first, and go last.
  const turn = (records: readonly WireRecord[]) =>
    records[0]?.name === content.name ? 1 : records.some(record => record.class === classes.IN) ? 0 : 2
  return [...byName.values()].sort((one, two) => turn(one) - turn(two))
}

/** The SOA when its timings are others; its serial is the name server's, which takes none that is not newer. */
function changedSoa({ name, ttl, soa }: ZoneContent, there: readonly WireRecord[]): WireRecord | undefined {
  const before = there.find(record => record.type === types.SOA)
  if (!before) return undefined
  const serial = before.data.readUInt32BE(before.data.length - 20)
  const isSame = before.ttl === ttl && soaBytes(soa, serial).equals(before.data)
  if (isSame) return undefined
  const next = (serial + 1) % 2 ** 32 || 1
  if (!isNewerSerial(next, serial)) return undefined
  return { name, type: types.SOA, class: classes.IN, ttl, data: soaBytes(soa, next) }
}

/** Steps packed into messages of so many octets at the most. */
export function packSteps(steps: readonly (readonly WireRecord[])[], most: number): WireRecord[][] {
  const messages: WireRecord[][] = []
  let room = 0
  for (const step of steps) {
    const size = step.reduce((sum, record) => sum + recordBytes(record).length, 0)
    if (size > room || !messages.length) {
      messages.push([])
      room = most
    }
    messages.at(-1)?.push(...step)
    room -= size
  }
  return messages
}
