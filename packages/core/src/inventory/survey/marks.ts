import { createHash } from 'node:crypto'
import type { Hardware } from '@contractor/contract'

/**
 * The marks of a machine: what its makers gave to it alone, or should have. Firmware that nobody filled in says the same
 * on every machine, cheap cards and copied disks of virtual machines carry each other's numbers: so a filler is no mark,
 * and whether two reports are of one machine is told by all marks together.
 */

/** Texts that boards, hypervisors and `dmidecode` show in place of a number, in lower case, without signs at their ends. */
const words =
  /^(none|null|nil|n\/?a|oem|o\.e\.m|unknown|undefined|uninitialized|invalid|empty|default( string)?|standard|test|tbd|eval|(no|not) \w+( \w+)?|(to be )?filled (in )?by.*|bad index|out of spec|((type\d+|system|chassis|base ?board|board|product|service|asset)[ -]*)*(serial|tag|s\/?n)?[ -]*(number|no|num|id|tag)?[ -]*\d?|(?:[a-z]+-)?(0?123456789|1234567890?))$/

/** UUIDs that firmware has shipped with on more than one machine; digits alone. */
const knownUuids = new Set([
  '03000200040005000006000700080009',
  '00020003000400050006000700080009',
  '03020100050407060809000000000000',
  '12345678123456781234567812345678',
  '12345678123412341234123456789abc',
  '000102030405060708090a0b0c0d0e0f',
  '4c4c4544000020108020802020202020',
])

/** Whether a serial number or UUID says nothing, as firmware that nobody has filled in. */
export function isFiller(text: string): boolean {
  const lower = text.toLowerCase().replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
  const plain = lower.replace(/[^a-z0-9]/g, '')
  return (
    words.test(lower) || /^(.)\1*$/.test(plain) || /^[0x]*$/.test(plain) || isCounting(plain) || knownUuids.has(plain)
  )
}

/** Digits each of which is one more than that before it, as 1234567890 and 0123456789. */
const isCounting = (text: string) =>
  /^\d{6,}$/.test(text) && [...text].every((digit, at) => at === 0 || (Number(text[at - 1]) + 1) % 10 === Number(digit))

/** As serial numbers and names of switches are compared: without regard to case and the space around them. */
export const fold = (text: string) => text.trim().toLowerCase()

export const serialsOf = ({ system, baseboard, chassis, bmc }: Hardware): string[] =>
  [system, baseboard, chassis, bmc].flatMap(part => (part?.serial && !isFiller(part.serial) ? [part.serial] : []))

export const cardMacsOf = ({ bootMac, networkInterfaces = [] }: Hardware): string[] =>
  [bootMac, ...networkInterfaces.map(one => one.mac)].flatMap(mac => mac ?? [])

const kinds = ['mac', 'bmc', 'uuid', 'serial'] as const
type Mark = `${(typeof kinds)[number]} ${string}`

export const macMark = (mac: string): Mark => `mac ${mac}`
export const bmcMark = (mac: string): Mark => `bmc ${mac}`
export const serialMark = (serial: string): Mark => `serial ${fold(serial)}`

/** Each with its kind before it, sorted. */
export function marksOf(report: Hardware): string[] {
  const uuid = report.system?.uuid
  const marks = [
    ...cardMacsOf(report).map(macMark),
    ...(report.bmc?.mac ? [bmcMark(report.bmc.mac)] : []),
    ...(uuid && !isFiller(uuid) ? [`uuid ${fold(uuid).replace(/[^0-9a-z]/g, '')}`] : []),
    ...serialsOf(report).map(serialMark),
  ]
  return [...new Set(marks)].sort()
}

/**
 * Whether two reports are of one machine; undefined where nothing tells. A common MAC, of a card
 * or of the BMC, says so, unless UUID and serial numbers both are others: a card that is plugged into one machine after
 * another. Where both have MACs and none in common they are two machines, even where the rest is alike: numbers are copied
 * more often than every card is changed. Without MACs the UUID tells, then the serial numbers.
 */
export function isSameMachine(one: readonly string[], other: readonly string[]): boolean | undefined {
  const [macs, bmc, uuid, serials] = kinds.map(kind => {
    const of = (marks: readonly string[]) => marks.filter(mark => mark.startsWith(`${kind} `))
    const [mine, theirs] = [of(one), of(other)]
    return mine.length && theirs.length ? mine.some(mark => theirs.includes(mark)) : undefined
  })
  if (macs || bmc) return !(uuid === false && serials === false)
  return macs ?? bmc ?? uuid ?? serials
}

/** A name of its own for another machine, where one that calls itself the same is there already. */
export function distinctName(called: string, marks: readonly string[], taken: readonly string[]): string {
  const mac = marks.find(mark => mark.startsWith('mac '))?.replace(/^mac |:/g, '')
  const digest = createHash('sha256').update(marks.join('\n')).digest('hex').slice(0, 12)
  const names = [mac ?? digest, digest].map(own => `${called.slice(0, 80)}.${own}`)
  return names.find(name => !taken.includes(name)) ?? called
}
