import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  classes,
  dataBytes,
  decodeMessage,
  encodeMessage,
  recordBytes,
  types,
  type WireRecord,
} from '../src/dns/publication/message.ts'
import { parseServer } from '../src/dns/publication/name-server.ts'
import { createVerifier, signMessage } from '../src/dns/publication/tsig.ts'
import { parseKeyFile, parseKeyText } from '../src/dns/publication/tsig-key.ts'
import { differZone, packSteps } from '../src/dns/publication/zone-difference.ts'
import type { ZoneRecord } from '../src/dns/zone-record.ts'

const keyFile = `# of the name server
key "contractor" { algorithm hmac-sha256; secret "c2VjcmV0IG9mIHRoZSBjb250cmFjdG9yIGtleSwgMzIgYnl0ZXM="; };
`
const key = parseKeyFile(keyFile, 'contractor.key')

/** What nsupdate 9.18 sent with that key, and what dig asked and named answered, as they were on the wire. */
const update = Buffer.from(
  '708328000001000000010001076578616d706c6503636f6d0000060001057765623031c00c0001000100000e100004c000020a0a636f6e74726163746f720000fa00ff00000000003d0b686d61632d7368613235360000006b035cc3012c0020687622b9440b27f73e8038f287dad7d6ecb8aa93c654949b02345fa93260d803708300000000',
  'hex',
)
const answer = Buffer.from(
  'd0eb84000001000500000002076578616d706c6503636f6d0000fc0001c00c000600010000012c0027036e7331c00c0a686f73746d6173746572c00c000000070000003c0000001e000002580000003cc00c000200010000012c0002c029c00c000f00010000012c0004000ac029c029000100010000012c0004c0000201c00c000600010000012c0018c029c02f000000070000003c0000001e000002580000003c00002904d00000000000000a636f6e74726163746f720000fa00ff00000000003d0b686d61632d7368613235360000006b035ce5012c0020ecea20310bb6d466dffd4510751bdc6eaa976d6e950fcd51cc32cb0c5a4f184ad0eb00000000',
  'hex',
)
const answered = 0x6b035ce5
const request = {
  bytes: Buffer.alloc(0),
  mac: Buffer.from('f0a2ceb3007dfde947be7581a78f12be00042ae825de077951c8ee61b10587e2', 'hex'),
}

describe('a signed message', () => {
  it('is octet by octet what nsupdate makes of the same', () => {
    const at = decodeMessage(update).tsig?.at ?? 0
    const unsigned = Buffer.from(update.subarray(0, at))
    unsigned.writeUInt16BE(0, 10)
    expect(signMessage(unsigned, key, 0x6b035cc3).bytes.toString('hex')).toBe(update.toString('hex'))
  })

  it('of a name server is accepted as it is, at its time and after its question, and in no other way', () => {
    const verify = (bytes: Buffer, time = answered, mac = request.mac, own = key) =>
      createVerifier(own, { ...request, mac }, () => time).verify(bytes)
    expect(() => verify(answer)).not.toThrow()
    expect(() => verify(answer, answered + 301)).toThrow('the answer was signed at another time')
    expect(() => verify(answer, answered, Buffer.alloc(32))).toThrow('the signature of the answer does not hold')
    expect(() => verify(answer, answered, request.mac, { ...key, name: 'other' })).toThrow('signed with another key')
    fc.assert(
      fc.property(fc.integer({ min: 0, max: answer.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const forged = Buffer.from(answer)
        forged[at] = (forged[at] ?? 0) ^ flip
        const isCase = flip === 0x20
        // Names are compared without regard to case, and the class and TTL of the signature are fixed by its type.
        const start = decodeMessage(answer).tsig?.at ?? 0
        const isFree = (isCase && at > start) || (at >= start + 14 && at < start + 22)
        if (!isFree) expect(() => verify(forged)).toThrow()
      }),
      { numRuns: 500 },
    )
    const without = Buffer.from(answer.subarray(0, decodeMessage(answer).tsig?.at))
    without.writeUInt16BE(1, 10)
    expect(() => verify(without)).toThrow('the answer is not signed')
  })

  it('is read with its names uncompressed', () => {
    const { answers } = decodeMessage(answer)
    const data = (type: number) => answers.find(record => record.type === type)?.data.toString('hex')
    expect(answers.map(record => record.name)).toEqual([
      ...Array(3).fill('example.com'),
      'ns1.example.com',
      'example.com',
    ])
    expect(data(types.MX)).toBe(dataBytes({ type: 'MX', priority: 10, target: 'ns1.example.com' }).toString('hex'))
    expect(() => decodeMessage(answer.subarray(0, 60))).toThrow(RangeError)
    const circle = Buffer.concat([answer.subarray(0, 12), Buffer.from([0xc0, 12, 0, 6, 0, 1])])
    expect(() => decodeMessage(circle)).toThrow('a name goes in circles')
  })
})

describe('keys', () => {
  it('are read from a file of BIND or from text, and never told', () => {
    expect(key).toMatchObject({ name: 'contractor', algorithm: 'hmac-sha256' })
    expect(key.secret.toString()).toBe('secret of the contractor key, 32 bytes')
    expect(parseKeyText('Contractor.:HMAC-SHA512:c2VjcmV0\n', 'X')).toMatchObject({
      name: 'contractor',
      algorithm: 'hmac-sha512',
    })
    const wrong: [() => unknown, string][] = [
      [() => parseKeyFile('', 'f'), 'The key in f cannot be used: it must hold one key "NAME" { … }; it holds 0'],
      [() => parseKeyFile(keyFile + keyFile, 'f'), 'it holds 2'],
      [() => parseKeyFile('key a { algorithm hmac-sha256; };', 'f'), 'it has no secret'],
      [
        () => parseKeyText('a:hmac-md5:c2VjcmV0', 'X'),
        "'hmac-md5' is no algorithm for it. There are: hmac-sha1, hmac-sha224",
      ],
      [() => parseKeyText('a:hmac-sha256:not!base64', 'X'), 'its secret is not Base64'],
      [() => parseKeyText('secret', 'X'), 'it must be NAME:ALGORITHM:SECRET'],
    ]
    for (const [parse, message] of wrong) {
      expect(parse, message).toThrow(message)
      expect(parse).not.toThrow(/not!base64|c2VjcmV0/)
    }
  })

  it('go to a name server by name, address or IPv6 address', () => {
    expect(parseServer('ns1.example.com')).toEqual({ host: 'ns1.example.com', port: 53 })
    expect(parseServer('192.0.2.1:5353')).toEqual({ host: '192.0.2.1', port: 5353 })
    expect(parseServer('[2001:db8::1]:5353')).toEqual({ host: '2001:db8::1', port: 5353 })
    expect(parseServer('2001:db8::1')).toEqual({ host: '2001:db8::1', port: 53 })
    for (const text of ['', 'ns1:0', 'ns1:99999', 'a b', 'ns1:dns'])
      expect(() => parseServer(text)).toThrow('is no name server')
  })
})

describe('the difference of a zone', () => {
  const soa = { primary: 'ns1.example.com', email: 'a@example.com', refresh: 1, retry: 1, expire: 1, minimum: 1 }
  const content = (records: ZoneRecord[]) => ({ name: 'example.com', ttl: 60, soa, records })
  const wire = (record: ZoneRecord): WireRecord => ({
    ...{ name: record.name, type: types[record.type], class: classes.IN, ttl: record.ttl, data: dataBytes(record) },
  })
  const someRecord: fc.Arbitrary<ZoneRecord> = fc
    .tuple(
      fc.constantFrom('example.com', 'a.example.com', 'b.example.com', 'c.d.example.com'),
      fc.integer({ min: 1, max: 5 }),
    )
    .chain(([name, number]) =>
      fc.constantFrom<ZoneRecord>(
        { name, ttl: 60, type: 'A', address: `192.0.2.${number}` },
        { name, ttl: 60, type: 'NS', target: `ns${number}.example.com` },
        { name, ttl: 60, type: 'TXT', text: 'x'.repeat(number * 100) },
      ),
    )
  const keyOf = (record: WireRecord) => `${record.name} ${record.type} ${record.data.toString('hex')}`

  it('makes of what is there what is to be, whatever the two are, in messages that are short enough', () => {
    fc.assert(
      fc.property(fc.array(someRecord), fc.array(someRecord), (wanted, there) => {
        const { steps } = differZone(content(wanted), there.map(wire), [])
        const messages = packSteps(steps, 1000)
        const state = new Set(there.map(wire).map(keyOf))
        for (const record of messages.flat())
          record.class === classes.NONE ? state.delete(keyOf(record)) : state.add(keyOf(record))
        expect(state).toEqual(new Set(wanted.map(wire).map(keyOf)))
        for (const message of messages) {
          const names = new Set(message.map(record => record.name))
          const size = message.reduce((sum, record) => sum + recordBytes(record).length, 0)
          expect(size <= 1000 || names.size === 1).toBe(true)
          expect(encodeMessage(1, 5, 'example.com', types.SOA, message).length).toBe(size + 12 + 13 + 4)
        }
      }),
    )
  })

  it('removes a CNAME before its address comes, and keeps the zone with a name server that has an address', () => {
    const there: ZoneRecord[] = [
      { name: 'example.com', ttl: 60, type: 'NS', target: 'old.example.com' },
      { name: 'old.example.com', ttl: 60, type: 'A', address: '192.0.2.1' },
      { name: 'www.example.com', ttl: 60, type: 'CNAME', target: 'old.example.com' },
    ]
    const wanted: ZoneRecord[] = [
      { name: 'example.com', ttl: 60, type: 'NS', target: 'new.example.com' },
      { name: 'new.example.com', ttl: 60, type: 'A', address: '192.0.2.2' },
      { name: 'www.example.com', ttl: 60, type: 'A', address: '192.0.2.3' },
    ]
    const said = (records: readonly WireRecord[]) =>
      records.map(one => `${one.class === classes.NONE ? '-' : '+'}${one.name.split('.')[0]}`).join(' ')
    const { steps } = differZone(content(wanted), there.map(wire), [])
    expect(steps.map(said)).toEqual(['-www +www', '+new', '+example -example', '-old'])
  })

  it('leaves alone what Contractor does not write, and the names that it is told to keep', () => {
    const other: WireRecord = { name: 'a.example.com', type: 44, class: classes.IN, ttl: 1, data: Buffer.from([1]) }
    const kept = wire({ name: '_acme-challenge.example.com', ttl: 1, type: 'TXT', text: 'x' })
    const below = { ...kept, name: 'x._acme-challenge.example.com' }
    const { removed } = differZone(content([]), [other, kept, below], ['_acme-challenge'])
    expect(removed).toBe(0)
    expect(differZone(content([]), [other, kept, below], []).removed).toBe(2)
  })
})
