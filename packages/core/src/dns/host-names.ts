import { longestName } from '@contractor/contract'
import { absolute } from './dns-name.ts'
import type { SourceAddress } from './dns-source.ts'

/** An address and the full name that it is known by. */
export interface HostName {
  readonly name: string
  readonly zone: string
  readonly ip: string
  /** Whether the address leads back to this name: each has one such name. */
  readonly canonical: boolean
}

/**
 * The names of a Structure's addresses:
 * - HOSTNAME has the primary address, and the first of the other family on the same interface;
 * - INTERFACE.HOSTNAME has the addresses of that interface, and INTERFACE-1.HOSTNAME that of its alias 1. Interfaces that
 *   are the same as labels share the name.
 * A name under the hostname can be no other Structure's. An address that points to another one has a name only as the
 * primary one: under any other, clients would be led around it.
 */
export function hostNames(addresses: readonly SourceAddress[]): HostName[] {
  const primary = addresses.find(address => address.primary)
  const other = primary && addresses.find(address => isPeer(address, primary))
  return addresses.flatMap(address => {
    const { hostname, zone, ip } = address
    const isMain = address === primary || address === other
    const port = portLabel(address)
    const names = [...(isMain ? [hostname] : []), ...(port ? [`${port}.${hostname}`] : [])]
    return names
      .map(relative => absolute(relative, zone))
      .filter(name => name.length <= longestName)
      .map((name, index) => ({ name, zone, ip, canonical: index === 0 }))
  })
}

function isPeer(address: SourceAddress, primary: SourceAddress): boolean {
  if (address.interface === null || address.interface !== primary.interface) return false
  return address.ip.includes(':') !== primary.ip.includes(':')
}

/** The interface as a label: `eth0.100` is `eth0-100`. Empty for one without a letter or digit of ASCII, whatever its alias. */
function portLabel({ interface: port, alias }: SourceAddress): string {
  const letters = port?.toLowerCase().match(/[a-z0-9]+/g)
  if (!letters) return ''
  const end = alias === null ? '' : `-${alias}`
  return (
    letters
      .join('-')
      .slice(0, 63 - end.length)
      .replace(/-$/, '') + end
  )
}
