import { absolute, isWithin } from './dns-name.ts'
import type { DnsSource, SourceZone } from './dns-source.ts'
import { type HostName, hostNames } from './host-names.ts'
import { pointerName, reverseZones } from './reverse-zone.ts'
import { normalize, type ZoneContent, type ZoneRecord } from './zone-record.ts'

export interface ComposedZones {
  /** Forward zones by name, then reverse ones. */
  readonly zones: readonly ZoneContent[]
  /** What is not as somebody wanted it, or what a name server will complain of. */
  readonly warnings: readonly string[]
}

interface Draft {
  readonly name: string
  /** Whose timings and name servers it has: its own, or for a reverse zone those of its block's Zone. */
  readonly from: SourceZone
  readonly records: ZoneRecord[]
  /** Names at which it ends: what is there belongs to another zone. */
  readonly cuts: Set<string>
}

/**
 * From what is known to what every zone holds. In five passes over all of it: entries; names of Structures, where no
 * entry forbids them; reverse zones with the names that lead back; delegations; and then glue, for which the addresses
 * of all zones must be known.
 */
export function composeZones(source: DnsSource): ComposedZones {
  const warnings: string[] = []
  const zones = new Map(source.zones.map(zone => [zone.name, draft(zone.name, zone)]))
  for (const { parent, name } of source.zones) if (parent !== null) zones.get(parent)?.cuts.add(name)

  const aliases = new Set<string>()
  for (const { zone, name, type, ttl, data } of source.entries) {
    const own = zones.get(zone)
    if (!own) continue
    const full = absolute(name, zone)
    if (type === 'CNAME') aliases.add(full)
    if (type === 'NS' && full !== zone) own.cuts.add(full)
    own.records.push({ name: full, ttl: ttl ?? own.from.ttl, type, ...data } as ZoneRecord)
  }

  const reverse = draftReverse(source, zones)
  for (const host of namesOf(source)) {
    const own = zones.get(host.zone)
    if (!own) continue
    const hidden = aliases.has(host.name) ? 'a CNAME of that name' : cutOver(own, host.name)
    if (hidden) warnings.push(`${host.name} does not get the address ${host.ip}: ${hidden} stands in its way`)
    else {
      own.records.push(addressRecord(host.name, host.ip, own.from.ttl))
      if (host.canonical) addPointer(reverse, host)
    }
  }
  warnings.push(...sharedPointers(reverse), ...ringsOf(zones))

  delegate(zones, source.zones)
  delegateReverse(reverse)
  const all = [...byName(zones), ...byName(reverse)]
  addGlue(all, warnings)
  return { zones: all.map(toContent), warnings }
}

const draft = (name: string, from: SourceZone): Draft => ({
  name,
  from,
  records: from.nameservers.map(target => ({ name, ttl: from.ttl, type: 'NS', target })),
  cuts: new Set(),
})

const byName = (zones: ReadonlyMap<string, Draft>) =>
  [...zones.values()].sort((one, two) => (one.name < two.name ? -1 : 1))

const addressRecord = (name: string, address: string, ttl: number): ZoneRecord => ({
  ...{ name, ttl, address },
  type: address.includes(':') ? 'AAAA' : 'A',
})

function* namesOf({ addresses }: DnsSource): Generator<HostName> {
  for (let from = 0; from < addresses.length; ) {
    let to = from + 1
    while (addresses[to]?.structure === addresses[from]?.structure && to < addresses.length) to++
    yield* hostNames(addresses.slice(from, to))
    from = to
  }
}

/** The cut of a zone that a name is at or under, said in words. */
function cutOver({ cuts, name: zone }: Draft, name: string): string | undefined {
  if (!cuts.size) return undefined
  for (let at = 0; at < name.length - zone.length; at = name.indexOf('.', at) + 1)
    if (cuts.has(name.slice(at))) return `the delegation of ${name.slice(at)}`
  return undefined
}

/** The first block in the order of subnets says whose a reverse zone is that several blocks share. */
function draftReverse({ blocks }: DnsSource, zones: ReadonlyMap<string, Draft>): Map<string, Draft> {
  const reverse = new Map<string, Draft>()
  for (const { subnet, zone } of blocks) {
    const from = zones.get(zone)?.from
    if (!from) continue
    for (const name of reverseZones(subnet)) if (!reverse.has(name)) reverse.set(name, draft(name, from))
  }
  return reverse
}

/** The nearest zone that a name is in; not the one of that name itself, when that is `above`. */
function zoneOver(zones: ReadonlyMap<string, Draft>, name: string, above = false): Draft | undefined {
  for (let at = above ? name.indexOf('.') + 1 : 0; ; ) {
    const found = zones.get(name.slice(at))
    const dot = name.indexOf('.', at)
    if (found || dot < 0) return found
    at = dot + 1
  }
}

function addPointer(reverse: ReadonlyMap<string, Draft>, { name: target, ip }: HostName): void {
  const name = pointerName(ip)
  const zone = zoneOver(reverse, name)
  zone?.records.push({ name, ttl: zone.from.ttl, type: 'PTR', target })
}

/** Sites may have the same addresses; whoever asks for the name of one of these is given several. */
function* sharedPointers(reverse: ReadonlyMap<string, Draft>): Generator<string> {
  for (const { name: zone, records } of byName(reverse)) {
    const targets = new Map<string, Set<string>>()
    for (const record of records) {
      if (record.type !== 'PTR') continue
      const known = targets.get(record.name)
      if (known) known.add(record.target)
      else targets.set(record.name, new Set([record.target]))
    }
    const shared = [...targets].filter(([, names]) => names.size > 1).sort(([one], [two]) => (one < two ? -1 : 1))
    for (const [name, names] of shared)
      yield `Zone ${zone}: ${name} leads back to ${names.size} names: ${[...names].sort().join(', ')}`
  }
}

/** Rings that came to be before they were refused, or by two changes at once. Each is told once, from its first name. */
function ringsOf(zones: ReadonlyMap<string, Draft>): string[] {
  const targets = new Map<string, string>()
  for (const { records } of zones.values())
    for (const record of records) if (record.type === 'CNAME') targets.set(record.name, record.target)
  const rings = new Set<string>()
  const seen = new Set<string>()
  for (const start of [...targets.keys()].sort()) {
    const way: string[] = []
    let name: string | undefined = start
    for (; name !== undefined && !seen.has(name); name = targets.get(name)) {
      seen.add(name)
      way.push(name)
    }
    const at = name === undefined ? -1 : way.indexOf(name)
    if (at >= 0) rings.add(`CNAMEs lead in a ring: ${[...way.slice(at), name].join(' -> ')}`)
  }
  return [...rings]
}

function delegate(zones: ReadonlyMap<string, Draft>, sources: readonly SourceZone[]): void {
  for (const { name, parent, nameservers } of sources) {
    const above = parent === null ? undefined : zones.get(parent)
    if (above) for (const target of nameservers) above.records.push({ name, ttl: above.from.ttl, type: 'NS', target })
  }
}

function delegateReverse(reverse: ReadonlyMap<string, Draft>): void {
  for (const { name, from } of reverse.values()) {
    const above = zoneOver(reverse, name, true)
    if (!above) continue
    above.cuts.add(name)
    for (const target of from.nameservers) above.records.push({ name, ttl: above.from.ttl, type: 'NS', target })
  }
}

/**
 * Whoever is sent to a name server whose name lies under the zone, in a part that is delegated, cannot ask for its
 * address there yet: the zone tells it (RFC 1034, section 4.2.1). A name server, mail server or service of ours that has
 * no address is worth a warning; for a name server in its own zone BIND refuses the zone.
 */
function addGlue(all: readonly Draft[], warnings: string[]): void {
  const zones = new Map(all.map(zone => [zone.name, zone]))
  const addresses = addressesOf(all)
  for (const zone of all) {
    const glue = new Map<string, ZoneRecord[]>()
    for (const record of zone.records) {
      if (!leadsToHost(record)) continue
      const known = addresses.get(record.target)
      const home = zoneOver(zones, record.target)
      if (!known && home && !covered(home, record)) {
        const what = `the ${record.type} of ${record.name} leads to ${record.target}, which has no address`
        warnings.push(`Zone ${zone.name}: ${what}`)
      }
      if (record.type === 'NS' && known && home !== zone && isWithin(record.target, zone.name))
        glue.set(record.target, known)
    }
    for (const record of [...glue.values()].flat()) zone.records.push({ ...record, ttl: zone.from.ttl })
  }
}

/** The addresses, in all zones, of what records lead to. */
function addressesOf(all: readonly Draft[]): Map<string, ZoneRecord[]> {
  const records = all.flatMap(zone => zone.records)
  const targets = new Set<string>()
  for (const record of records) if (leadsToHost(record)) targets.add(record.target)
  const addresses = new Map<string, ZoneRecord[]>()
  for (const record of records) {
    if ((record.type !== 'A' && record.type !== 'AAAA') || !targets.has(record.name)) continue
    const known = addresses.get(record.name)
    if (known) known.push(record)
    else addresses.set(record.name, [record])
  }
  return addresses
}

const leadsToHost = (record: ZoneRecord): record is Extract<ZoneRecord, { target: string }> =>
  record.type === 'NS' || record.type === 'MX' || record.type === 'SRV'

/** Whether a zone need not know the address: it is none, of a wildcard, or of a part that somebody else serves. */
function covered(home: Draft, { target }: { target: string }): boolean {
  if (target === '.' || [...home.cuts].some(cut => isWithin(target, cut))) return true
  return home.records.some(({ name, type }) => {
    const wild = (type === 'A' || type === 'AAAA') && name.startsWith('*.')
    return wild && isWithin(target, name.slice(2))
  })
}

function toContent({ name, from, records }: Draft): ZoneContent {
  const { ttl, email, refresh, retry, expire, minimum } = from
  const soa = { primary: from.nameservers[0] ?? '', email, refresh, retry, expire, minimum }
  return { name, ttl, soa, records: normalize(records, name) }
}
