import { Address4, Address6 } from 'ip-address'
import { z } from 'zod'

/** Addresses and subnets as numbers: what PostgreSQL cannot count, since its own sums end at 64 bits. */
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

/** In one of the usual spellings, without prefix and without zone; undefined when it is none. */
export function findIp(text: string): Ip | undefined {
  if (text.includes('/') || text.includes('%')) return undefined
  if (Address4.isValid(text)) return { family: 4, value: new Address4(text).bigInt() }
  if (Address6.isValid(text)) return { family: 6, value: new Address6(text).bigInt() }
  return undefined
}

/** Of text that was checked before. */
export function parseIp(text: string): Ip {
  const found = findIp(text)
  if (!found) throw new Error(`'${text}' is no address`)
  return found
}

/** IPv6 in the form of RFC 5952. */
export function formatIp({ family, value }: Ip): string {
  return family === 4 ? Address4.fromBigInt(value).correctForm() : Address6.fromBigInt(value).correctForm()
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

export function parseSubnet(text: string): Subnet {
  const found = findSubnet(text)
  if (!found) throw new Error(`'${text}' is no subnet`)
  return found
}

export const formatSubnet = ({ family, first, prefix }: Subnet): string =>
  `${formatIp({ family, value: first })}/${prefix}`

/** `255.255.255.0`; null for IPv6, which has prefixes only. */
export function netmaskOf({ family, size }: Subnet): string | null {
  return family === 4 ? formatIp({ family, value: (1n << 32n) - size }) : null
}

export const contains = (outer: Subnet, inner: { family: 4 | 6; first: bigint; last: bigint }): boolean =>
  outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last

export const containsIp = (outer: Subnet, { family, value }: Ip): boolean =>
  contains(outer, { family, first: value, last: value })

/**
 * What machines may have: without the network and the broadcast address in IPv4 (a /31 has neither: RFC 3021), and
 * without the subnet-router anycast address in IPv6 (RFC 4291, section 2.6.1; a /127 does without: RFC 6164).
 */
export function usableRange({ family, first, last, size }: Subnet): { first: bigint; last: bigint } {
  if (size <= 2n) return { first, last }
  return { first: first + 1n, last: family === 4 ? last - 1n : last }
}

/** Why nothing may have this address of the subnet; undefined when something may. */
export function whyUnusable(subnet: Subnet, ip: Ip, gateway: string | null): string | undefined {
  const usable = usableRange(subnet)
  if (!containsIp(subnet, ip)) return `is not in ${formatSubnet(subnet)}`
  if (ip.value < usable.first) return subnet.family === 4 ? 'is its network address' : 'is its router anycast address'
  if (ip.value > usable.last) return 'is its broadcast address'
  if (gateway === formatIp(ip)) return 'is its gateway'
  return undefined
}

const isMulticast = ({ family, value }: Ip) => (family === 4 ? value >> 28n === 0xen : value >> 120n === 0xffn)
const isMapped = ({ family, value }: Ip) => family === 6 && value >> 32n === 0xffffn

/** Why an address is none that a machine may have anywhere. */
function whyNoHost(ip: Ip): string | undefined {
  if (isMapped(ip))
    return `is IPv4 in the clothes of IPv6: write ${formatIp({ family: 4, value: ip.value & 0xffffffffn })}`
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
