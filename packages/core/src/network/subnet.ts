import { findSubnet, formatIp, formatSubnet, type Ip, type Subnet } from '@contractor/contract'

export function parseSubnet(text: string): Subnet {
  const found = findSubnet(text)
  if (!found) throw new Error(`'${text}' is no subnet`)
  return found
}

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
