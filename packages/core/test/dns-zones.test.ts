import { ipBytes, parseIp } from '@contractor/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { composeZones } from '../src/dns/compose-zones.ts'
import type { DnsSource, SourceAddress, SourceZone } from '../src/dns/dns-source.ts'
import { pointerName, reverseZones } from '../src/dns/reverse-zone.ts'
import { isNewerSerial, nextSerial } from '../src/dns/serial.ts'
import { dataText } from '../src/dns/zone-record.ts'
import { renderZone } from '../src/dns/zone-text.ts'

const zone = (name: string, more: Partial<SourceZone> = {}): SourceZone => ({
  ...{ name, parent: null, email: 'host.master@example.com', nameservers: [`ns1.${name}`], ttl: 3600 },
  ...{ refresh: 3600, retry: 600, expire: 1_209_600, minimum: 300, ...more },
})
let nextId = 1
const host = (hostname: string, inZone: string, addresses: [ip: string, more?: Partial<SourceAddress>][]) => {
  const structure = nextId++
  return addresses.map(
    ([ip, more], index): SourceAddress => ({
      ...{ structure, hostname, zone: inZone, ip, interface: 'eth0', alias: null, primary: index === 0, ...more },
    }),
  )
}
const source = (parts: Partial<DnsSource>): DnsSource => ({
  zones: [],
  entries: [],
  addresses: [],
  blocks: [],
  ...parts,
})
const textOf = (from: DnsSource, name: string) => {
  const content = composeZones(from).zones.find(one => one.name === name)
  return content && renderZone(content).withSerial(2026010100)
}
const entry = (
  name: string,
  type: DnsSource['entries'][number]['type'],
  data: Record<string, string | number>,
  ttl?: number,
) => ({
  ...{ zone: 'example.com', name, type, data, ttl: ttl ?? null },
})

describe('a zone file', () => {
  const from = source({
    zones: [
      zone('example.com', { nameservers: ['ns1.example.com', 'ns.elsewhere.net'] }),
      zone('lab.example.com', { parent: 'example.com', nameservers: ['ns1.lab.example.com'] }),
    ],
    entries: [
      entry('@', 'MX', { priority: 10, target: 'mail.example.com' }),
      entry('mail', 'A', { address: '192.0.2.25' }, 60),
      entry('@', 'TXT', { text: 'v=spf1 "mx" -all \\ ü' }),
      entry('_sip._tcp', 'SRV', { priority: 0, weight: 5, port: 5060, target: 'web01.example.com' }),
      entry('www', 'CNAME', { target: 'web01.example.com' }),
      entry('@', 'CAA', { flags: 0, tag: 'issue', value: 'ca.example.net' }),
    ],
    addresses: [
      ...host('ns1', 'example.com', [['192.0.2.1']]),
      ...host('web01', 'example.com', [
        ['192.0.2.10'],
        ['2001:db8::10'],
        ['192.0.2.11', { alias: 1 }],
        ['10.0.0.10', { interface: 'Bond0.100' }],
        ['203.0.113.5', { interface: null }],
      ]),
      ...host('ns1', 'lab.example.com', [['192.0.2.130']]),
    ],
    blocks: [
      { subnet: '10.0.0.0/23', zone: 'example.com' },
      { subnet: '192.0.2.0/25', zone: 'example.com' },
      { subnet: '192.0.2.128/25', zone: 'lab.example.com' },
      { subnet: '2001:db8::/64', zone: 'example.com' },
    ],
  })

  it('has SOA, name servers, the names of Structures, entries, and delegations with glue, in order', () => {
    expect(textOf(from, 'example.com')).toBe(`; Written by Contractor: changes made here are lost.
$ORIGIN example.com.
$TTL 3600
@ IN SOA ns1.example.com. host\\.master.example.com. 2026010100 3600 600 1209600 300
@ IN NS ns.elsewhere.net.
@ IN NS ns1.example.com.
@ IN MX 10 mail.example.com.
@ IN TXT "v=spf1 \\"mx\\" -all \\\\ \\195\\188"
@ IN CAA 0 issue "ca.example.net"
_sip._tcp IN SRV 0 5 5060 web01.example.com.
lab IN NS ns1.lab.example.com.
ns1.lab IN A 192.0.2.130
mail 60 IN A 192.0.2.25
ns1 IN A 192.0.2.1
eth0.ns1 IN A 192.0.2.1
web01 IN A 192.0.2.10
web01 IN AAAA 2001:db8::10
bond0-100.web01 IN A 10.0.0.10
eth0.web01 IN A 192.0.2.10
eth0.web01 IN AAAA 2001:db8::10
eth0-1.web01 IN A 192.0.2.11
www IN CNAME web01.example.com.
`)
    expect(composeZones(from).warnings).toEqual([])
  })

  it.each([
    ['eth0.100', null, 'eth0-100'],
    ['eth0.100', 1, 'eth0-100-1'],
    ['Ethernet 2', null, 'ethernet-2'],
    ['vEthernet (Default Switch)', 3, 'vethernet-default-switch-3'],
    ['Gi1/0/1', null, 'gi1-0-1'],
    ['以太网 2', null, '2'],
    ['以太网', 1, undefined],
    [`${'e'.repeat(60)}.100`, null, `${'e'.repeat(60)}-10`],
    [`${'e'.repeat(100)}.100`, 12, `${'e'.repeat(60)}-12`],
  ])('names an address after its interface: %s with alias %s', (port, alias, label) => {
    const addresses = host('web01', 'example.com', [['192.0.2.10'], ['192.0.2.11', { interface: port, alias }]])
    const text = textOf(source({ zones: [zone('example.com')], addresses }), 'example.com')
    const named = /^(?:(.*)\.web01) IN A 192\.0\.2\.11$/m.exec(text ?? '')?.[1]
    expect(named).toBe(label)
  })

  it('leads back from addresses: one name each, numbers by value, shared by the blocks of one /24', () => {
    expect(textOf(from, '2.0.192.in-addr.arpa')?.split('\n').slice(3)).toEqual([
      '@ IN SOA ns1.example.com. host\\.master.example.com. 2026010100 3600 600 1209600 300',
      '@ IN NS ns.elsewhere.net.',
      '@ IN NS ns1.example.com.',
      '1 IN PTR ns1.example.com.',
      '10 IN PTR web01.example.com.',
      '11 IN PTR eth0-1.web01.example.com.',
      '130 IN PTR ns1.lab.example.com.',
      '',
    ])
    expect(textOf(from, '0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa')).toContain(
      '\n0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0 IN PTR web01.example.com.\n',
    )
    expect(composeZones(from).zones.map(one => one.name)).toEqual([
      'example.com',
      'lab.example.com',
      '0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
      '0.0.10.in-addr.arpa',
      '1.0.10.in-addr.arpa',
      '2.0.192.in-addr.arpa',
    ])
  })

  it('splits text into strings of 255 octets', () => {
    const text = dataText({ type: 'TXT', text: 'x'.repeat(600) })
    expect(text.match(/"x*"/g)?.map(part => part.length - 2)).toEqual([255, 255, 90])
    expect(dataText({ type: 'TXT', text: '' })).toBe('""')
  })

  it('of a block within a larger one takes its addresses over, and is delegated by it', () => {
    const nested = source({
      zones: [zone('a.test', { nameservers: ['ns.a.test'] }), zone('b.test', { nameservers: ['ns.b.test'] })],
      addresses: [...host('ns', 'a.test', [['10.1.2.3']]), ...host('ns', 'b.test', [['10.1.5.3']])],
      blocks: [
        { subnet: '10.1.0.0/16', zone: 'a.test' },
        { subnet: '10.1.5.0/24', zone: 'b.test' },
      ],
    })
    expect(textOf(nested, '1.10.in-addr.arpa')).toContain('3.2 IN PTR ns.a.test.\n5 IN NS ns.b.test.\n')
    expect(textOf(nested, '5.1.10.in-addr.arpa')).toContain('\n3 IN PTR ns.b.test.\n')
  })

  it('warns of what a name server would complain of, and leaves out what cannot stand', () => {
    const broken = source({
      zones: [zone('example.com')],
      entries: [
        entry('@', 'MX', { priority: 1, target: 'gone.example.com' }),
        entry('eth0.web', 'CNAME', { target: 'x.test' }),
        entry('far', 'NS', { target: 'ns.far.example.com' }),
        entry('*.any', 'A', { address: '192.0.2.9' }),
        entry('@', 'MX', { priority: 2, target: 'some.any.example.com' }),
      ],
      addresses: host('web', 'example.com', [['192.0.2.1']]),
    })
    expect(composeZones(broken).warnings).toEqual([
      'eth0.web.example.com does not get the address 192.0.2.1: a CNAME of that name stands in its way',
      'Zone example.com: the NS of example.com leads to ns1.example.com, which has no address',
      'Zone example.com: the MX of example.com leads to gone.example.com, which has no address',
    ])
    expect(textOf(broken, 'example.com')).not.toContain('eth0.web IN A')
  })
})

describe('reverse zones', () => {
  it.each([
    ['10.0.0.0/8', ['10.in-addr.arpa']],
    ['172.16.0.0/15', ['16.172.in-addr.arpa', '17.172.in-addr.arpa']],
    ['192.168.4.0/23', ['4.168.192.in-addr.arpa', '5.168.192.in-addr.arpa']],
    ['192.0.2.64/26', ['2.0.192.in-addr.arpa']],
    ['2001:db8::/32', ['8.b.d.0.1.0.0.2.ip6.arpa']],
    ['2001:db8::/31', ['8.b.d.0.1.0.0.2.ip6.arpa', '9.b.d.0.1.0.0.2.ip6.arpa']],
    ['2001:db8::10/127', ['1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa']],
  ])('of %s are %j', (subnet, zones) => {
    expect(reverseZones(subnet)).toEqual(zones)
  })

  it('hold every address of their block in exactly one', () => {
    const block = fc.tuple(fc.integer({ min: 12, max: 32 }), fc.bigInt(0n, 2n ** 32n - 1n))
    fc.assert(
      fc.property(block, ([prefix, value]) => {
        const text = (of: bigint) => [24n, 16n, 8n, 0n].map(shift => (of >> shift) & 255n).join('.')
        const base = (value >> BigInt(32 - prefix)) << BigInt(32 - prefix)
        const zones = reverseZones(`${text(base)}/${prefix}`)
        expect(new Set(zones).size).toBe(zones.length)
        expect(zones.filter(name => pointerName(text(value)).endsWith(`.${name}`))).toHaveLength(1)
      }),
    )
  })

  it('read every spelling of an IPv6 address', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(groups, values => {
        const bytes = values.flatMap(group => [group >> 8, group & 255])
        const long = values.map(group => group.toString(16).padStart(4, '0')).join(':')
        expect(ipBytes(parseIp(long))).toEqual(bytes)
        expect(ipBytes(parseIp(new URL(`http://[${long}]`).hostname.slice(1, -1)))).toEqual(bytes)
      }),
    )
    expect(ipBytes(parseIp('::ffff:192.0.2.1')).slice(10)).toEqual([255, 255, 192, 0, 2, 1])
    expect(ipBytes(parseIp('::'))).toEqual(Array(16).fill(0))
  })
})

describe('serials', () => {
  it('look like dates, rise by one within a day, and rise on when the date does not', () => {
    expect(nextSerial(undefined, 20260101)).toBe(2026010100)
    expect(nextSerial(2026010100, 20260101)).toBe(2026010101)
    expect(nextSerial(2026010105, 20260102)).toBe(2026010200)
    expect(nextSerial(2026010199, 20260101)).toBe(2026010200)
    expect(nextSerial(2026010105, 20251231)).toBe(2026010106)
    expect(nextSerial(2 ** 32 - 1, 20260101)).toBe(2026010100)
  })

  it('are newer than the one before, wherever that is on the circle', () => {
    const day = fc.integer({ min: 20260101, max: 20991231 })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), day, (before, on) => {
        const next = nextSerial(before, on)
        expect(isNewerSerial(next, before)).toBe(true)
        expect(isNewerSerial(before, next)).toBe(false)
        expect(next).toBeGreaterThan(0)
        expect(next).toBeLessThan(2 ** 32)
      }),
    )
  })
})

describe('every zone', () => {
  const label = fc.constantFrom('a', 'b', 'c', 'web-1', 'web-10', 'web-2')
  const ip = fc.oneof(
    fc.integer({ min: 1, max: 254 }).map(last => `10.0.0.${last}`),
    fc.integer({ min: 1, max: 0xfffe }).map(last => `2001:db8::${last.toString(16)}`),
  )
  const port = fc.record({ interface: fc.constantFrom('eth0', 'eth1', null), alias: fc.constantFrom(null, 1) })
  const someHost = fc
    .tuple(label, fc.array(fc.tuple(ip, port), { minLength: 1, maxLength: 4 }))
    .map(([name, addresses]) => host(name, 'example.com', addresses))
  const someEntry = fc
    .tuple(label, ip, fc.constantFrom(undefined, 60, 120))
    .map(([name, address, ttl]) => entry(name, address.includes(':') ? 'AAAA' : 'A', { address }, ttl))

  it('is in order, has nothing twice, one TTL for each name and type, and is the same however its parts are shuffled', () => {
    fc.assert(
      fc.property(fc.array(someHost), fc.array(someEntry), fc.integer(), (hosts, entries, seed) => {
        const zones = [zone('example.com')]
        const blocks = ['10.0.0.0/24', '2001:db8::/64'].map(subnet => ({ subnet, zone: 'example.com' }))
        const made = composeZones({ zones, blocks, entries, addresses: hosts.flat() }).zones
        for (const { name, records } of made) {
          const lines = records.map(record => `${record.name} ${record.type} ${dataText(record)}`)
          expect(new Set(lines).size).toBe(lines.length)
          const ttls = new Map(records.map(record => [`${record.name} ${record.type}`, record.ttl]))
          for (const record of records) expect(record.ttl).toBe(ttls.get(`${record.name} ${record.type}`))
          const names = records.map(record => record.name)
          const keys = [...new Set(names)]
          // What belongs together stands together, and the zone itself is first.
          expect(names.filter((one, at) => one !== names[at - 1])).toEqual(keys)
          expect(keys[0]).toBe(name)
        }
        const turn = <T>(list: T[]) =>
          [
            ...list.slice(Math.abs(seed) % (list.length || 1)),
            ...list.slice(0, Math.abs(seed) % (list.length || 1)),
          ].reverse()
        const again = composeZones({ zones, blocks, entries: turn(entries), addresses: turn(hosts).flat() }).zones
        expect(again.map(one => renderZone(one).digest)).toEqual(made.map(one => renderZone(one).digest))
      }),
      { numRuns: 200 },
    )
  })
})
