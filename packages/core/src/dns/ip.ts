import { isIP, SocketAddress } from 'node:net'
import { z } from 'zod'

export const ipv4 = z.ipv4('must be an IPv4 address')

/** Kept in the one short form (RFC 5952). */
export const ipv6 = z
  .ipv6('must be an IPv6 address')
  .overwrite(text => (isIP(text) === 6 ? new SocketAddress({ address: text, family: 'ipv6' }).address : text))

/** The 4 or 16 octets of an address. */
export function ipBytes(address: string): number[] {
  if (!address.includes(':')) return address.split('.').map(Number)
  // An IPv4 tail, as in ::ffff:192.0.2.1, is two groups.
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [left = '', right] = text.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16)))
  const head = groups(left)
  const tail = right === undefined ? [] : groups(right)
  const between = Array<number>(8 - head.length - tail.length).fill(0)
  return [...head, ...between, ...tail].flatMap(group => [group >> 8, group & 255])
}
