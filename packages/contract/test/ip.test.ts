import { isIPv4, isIPv6 } from 'node:net'
import { findIp, findSubnet, formatIp, formatSubnet } from '@contractor/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** RFC 5952 by another hand: the URL standard writes hosts so, but for IPv4 within IPv6. */
const byUrl = (text: string) => new URL(`http://[${text}]`).hostname.slice(1, -1)

describe('an address', () => {
  it('of IPv6 is read in every spelling, and written in the one of RFC 5952', () => {
    // Groups that are often zero, so that runs of zeros are too.
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), values => {
        const value = values.reduce((sum, one) => (sum << 16n) | BigInt(one), 0n)
        const long = values.map(one => one.toString(16).padStart(4, '0').toUpperCase()).join(':')
        const written = formatIp({ family: 6, value })
        expect(findIp(long)).toEqual({ family: 6, value })
        expect(findIp(written)).toEqual({ family: 6, value })
        expect(isIPv6(written)).toBe(true)
        if (value >> 32n !== 0xffffn) expect(written).toBe(byUrl(long))
      }),
      { numRuns: 500 },
    )
  })

  it('of IPv4 is read and written as four numbers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), number => {
        const written = formatIp({ family: 4, value: BigInt(number) })
        expect(isIPv4(written)).toBe(true)
        expect(findIp(written)).toEqual({ family: 4, value: BigInt(number) })
      }),
    )
  })

  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.1/8',
    'fe80::1%eth0',
    '1::2::3',
    ':::',
    '1:2:3:4:5:6:7',
    'x',
  ])("is none in '%s'", text => {
    expect(findIp(text)).toBeUndefined()
  })

  it('of IPv4 within IPv6 keeps its dots', () => {
    expect(formatIp(findIp('::FFFF:192.0.2.1') ?? { family: 6, value: 0n })).toBe('::ffff:192.0.2.1')
    expect(findIp('64:ff9b::192.0.2.33')?.value).toBe(findIp('64:ff9b::c000:221')?.value)
  })
})

describe('a subnet', () => {
  it.each([
    ['10.1.2.3/8', '10.0.0.0/8', 2n ** 24n],
    ['0.0.0.0/0', '0.0.0.0/0', 2n ** 32n],
    ['2001:db8::1/127', '2001:db8::/127', 2n],
    ['::/0', '::/0', 2n ** 128n],
  ])('%s begins at %s', (text, written, size) => {
    const found = findSubnet(text)
    expect(found && [formatSubnet(found), found.size]).toEqual([written, size])
  })

  it.each(['10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/', '/8'])("is none in '%s'", text => {
    expect(findSubnet(text)).toBeUndefined()
  })
})
