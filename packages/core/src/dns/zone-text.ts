import { createHash } from 'node:crypto'
import { relative } from './dns-name.ts'
import { dataText, fullName, mailboxText, type ZoneContent, type ZoneRecord } from './zone-record.ts'

/** By its first line a file is known as one of ours: others are neither changed nor removed. */
export const zoneMarker = '; Written by Contractor: changes made here are lost.'

/** A zone as text, but for its serial. */
export interface ZoneText {
  /** Of everything but the serial. */
  readonly digest: string
  withSerial(serial: number): string
}

export function renderZone(content: ZoneContent): ZoneText {
  const body = content.records.map(record => line(record, content)).join('')
  const withSerial = (serial: number) => head(content, serial) + body
  return { digest: createHash('sha256').update(withSerial(0)).digest('hex'), withSerial }
}

function head({ name, ttl, soa }: ZoneContent, serial: number): string {
  const { primary, email, refresh, retry, expire, minimum } = soa
  return `${zoneMarker}
$ORIGIN ${name}.
$TTL ${ttl}
@ IN SOA ${fullName(primary)} ${mailboxText(email)} ${serial} ${refresh} ${retry} ${expire} ${minimum}
`
}

function line(record: ZoneRecord, { name, ttl }: ZoneContent): string {
  const own = record.ttl === ttl ? '' : `${record.ttl} `
  return `${relative(record.name, name)} ${own}IN ${record.type} ${dataText(record)}\n`
}

/** The serial in the text of a zone file of ours. */
export function serialOf(text: string): number | undefined {
  const found = /^@ IN SOA \S+ \S+ (\d+) /m.exec(text)
  return found ? Number(found[1]) : undefined
}
