import { parseIp } from '@contractor/contract'

/**
 * Reverse zones end where a label does: IPv4 at /8, /16 and /24, IPv6 at every fourth bit. A block that ends elsewhere
 * makes as many zones as it holds of the next smaller size; one that is smaller than the smallest shares its zone.
 */
const ends = {
  4: { bits: 32, of: (prefix: number) => [8, 16, 24].find(end => end >= prefix) ?? 24 },
  6: { bits: 128, of: (prefix: number) => Math.min(Math.max(4, Math.ceil(prefix / 4) * 4), 124) },
}

/** The names of the reverse zones of a subnet, as `10.0.0.0/22`. */
export function reverseZones(subnet: string): string[] {
  const [base = '', length = ''] = subnet.split('/')
  const { bits, of } = ends[base.includes(':') ? 6 : 4]
  const prefix = length === '' ? bits : Number(length)
  const end = of(prefix)
  const first = parseIp(base).value >> BigInt(bits - end)
  const count = prefix < end ? 2 ** (end - prefix) : 1
  return Array.from({ length: count }, (_, index) => zoneNameOf(first + BigInt(index), end, bits))
}

function zoneNameOf(value: bigint, end: number, bits: number): string {
  if (bits === 128) {
    const nibbles = value.toString(16).padStart(end / 4, '0')
    return `${[...nibbles].reverse().join('.')}.ip6.arpa`
  }
  const octets = Array.from({ length: end / 8 }, (_, index) => String((value >> BigInt(8 * index)) & 255n))
  return `${octets.join('.')}.in-addr.arpa`
}

/** The name that an address is looked up by: RFC 1035, section 3.5, and RFC 3596, section 2.5. */
export function pointerName(address: string): string {
  const { family, value } = parseIp(address)
  return zoneNameOf(value, ends[family].bits, ends[family].bits)
}
