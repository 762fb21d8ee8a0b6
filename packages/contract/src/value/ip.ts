import { z } from 'zod'

/**
 * Addresses and subnets: as numbers, which neither PostgreSQL nor JavaScript's own ones can count with (IPv6 has 128
 * bits), and as texts in their one normal spelling (RFC 5952).
 */
export interface Ip {
  family: 4 | 6
  value: bigint
}

export interface Subnet {
  family: 4 | 6
  prefix: number
  first: bigint
  last: bigint
  size: bigint
}

const bitsOf = { 4: 32, 6: 128 } as const
const spelling = { 4: z.ipv4(), 6: z.ipv6() } as const

/** In one of the usual spellings, without prefix and without zone; undefined when it is none. */
export function findIp(text: string): Ip | undefined {
  const family = text.includes(':') ? 6 : 4
  if (!spelling[family].safeParse(text).success) return undefined
  return { family, value: family === 4 ? readIpv4(text) : readIpv6(text) }
}

const readIpv4 = (text: string): bigint => text.split('.').reduce((value, octet) => (value << 8n) | BigInt(octet), 0n)

/** RFC 4291, section 2.2: eight groups, of which `::` stands for as many zeros as there is room; the last two may be IPv4. */
function readIpv6(text: string): bigint {
  const [, head = '', tail = ''] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? []
  const whole = tail
    ? `${head}${(readIpv4(tail) >> 16n).toString(16)}:${(readIpv4(tail) & 0xffffn).toString(16)}`
    : text
  const [left = '', right] = whole.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const [before, after] = [groups(left), groups(right ?? '')]
  const between = Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...between, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** Of text that was checked before. */
export function parseIp(text: string): Ip {
  const found = findIp(text)
  if (!found) throw new Error(`'${text}' is no address`)
  return found
}

export const formatIp = ({ family, value }: Ip): string => (family === 4 ? formatIpv4(value) : formatIpv6(value))

const formatIpv4 = (value: bigint): string => [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 0xffn).join('.')

/** RFC 5952, section 4: lower case, no leading zeros, and the longest run of zeros, the first of equals, as `::`. */
function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16))
  if (value >> 32n === 0xffffn) return `::ffff:${formatIpv4(value & 0xffffffffn)}`
  const runs = groups.map((_, at) => {
    const end = groups.findIndex((group, other) => other >= at && group !== '0')
    return { at, length: (end < 0 ? groups.length : end) - at }
  })
  const longest = runs.reduce((one, other) => (other.length > one.length ? other : one))
  if (longest.length < 2) return groups.join(':')
  return `${groups.slice(0, longest.at).join(':')}::${groups.slice(longest.at + longest.length).join(':')}`
}

/** The 4 or 16 octets of an address. */
export function ipBytes({ family, value }: Ip): number[] {
  const bits = bitsOf[family]
  return Array.from({ length: bits / 8 }, (_, at) => Number((value >> BigInt(bits - 8 - 8 * at)) & 0xffn))
}

/** Also with host bits set, which `first` then lacks. */
export function findSubnet(text: string): Subnet | undefined {
  const [, base = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const ip = findIp(base)
  const prefix = Number(digits)
  if (!ip || prefix > bitsOf[ip.family]) return undefined
  const size = 1n << BigInt(bitsOf[ip.family] - prefix)
  const first = ip.value - (ip.value % size)
  return { family: ip.family, prefix, first, last: first + size - 1n, size }
}

export const formatSubnet = ({ family, first, prefix }: Subnet): string =>
  `${formatIp({ family, value: first })}/${prefix}`

const isMulticast = ({ family, value }: Ip) => (family === 4 ? value >> 28n === 0xen : value >> 120n === 0xffn)
const isMapped = ({ family, value }: Ip) => family === 6 && value >> 32n === 0xffffn

/** Why an address is none that a machine may have anywhere. */
function whyNoHost(ip: Ip): string | undefined {
  if (isMapped(ip)) return `is IPv4 in the clothes of IPv6: write ${formatIpv4(ip.value & 0xffffffffn)}`
  return isMulticast(ip) ? 'is a multicast address' : undefined
}

/** An address of a machine; gives its one normal spelling. */
export const ipText = z.string().transform((text, context) => {
  const ip = findIp(text)
  const wrong = ip ? whyNoHost(ip) : 'must be an IPv4 address such as 10.0.0.7, or an IPv6 address such as 2001:db8::7'
  if (ip && !wrong) return formatIp(ip)
  context.addIssue({ code: 'custom', message: wrong ?? '' })
  return z.NEVER
})

/** A subnet with its prefix; gives its one normal spelling. */
export const subnetText = z.string().transform((text, context) => {
  const subnet = findSubnet(text)
  const wrong = subnet
    ? whyNoSubnet(subnet, text)
    : 'must be a subnet with its prefix, such as 10.0.0.0/24 or 2001:db8::/64'
  if (subnet && !wrong) return formatSubnet(subnet)
  context.addIssue({ code: 'custom', message: wrong ?? '' })
  return z.NEVER
})

function whyNoSubnet(subnet: Subnet, text: string): string | undefined {
  const [base = ''] = text.split('/')
  if (parseIp(base).value !== subnet.first) {
    return `${base} is an address inside of a subnet: ${formatSubnet(subnet)} was probably meant`
  }
  return whyNoHost({ family: subnet.family, value: subnet.first })
}

/** Of an entry of a Zone. */
export const ipv4 = z.ipv4('must be an IPv4 address')
export const ipv6 = z.ipv6('must be an IPv6 address').overwrite(text => {
  const found = findIp(text)
  return found ? formatIp(found) : text
})
