import { deviceError, pairMacs, tooFewAdapters } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import type { Domain } from './domain.ts'
import type { Virsh } from './virsh.ts'

export function mapAt(virsh: Virsh, { macs }: Domain, locations: readonly string[]): Record<string, string> {
  if (macs.length >= locations.length) return pairMacs(locations, macs)
  throw deviceError('DEVICE_REFUSED', virsh.name, tooFewAdapters(locations, macs))
}

/** Who knows a guest's addresses, the best first. */
const knowing = ['agent', 'lease', 'arp'] as const

/** Its addresses, by where its ports are; nothing where nobody knows any. */
export async function readAddresses(virsh: Virsh, domain: Domain, locations: readonly string[]) {
  const map = Object.entries(mapAt(virsh, domain, locations))
  for (const source of knowing) {
    const text = await virsh.run(['domifaddr', domain.id, '--full', '--source', source]).catch(noneKnown)
    const found = [...text.matchAll(/^\s*\S+\s+([0-9a-f:]{17})\s+ipv[46]\s+(\S+?)\/\d+\s*$/gim)]
    if (!found.length) continue
    const of = (mac: string) =>
      found.flatMap(([, at, address]) => (at?.toLowerCase() === mac ? [address as string] : []))
    return Object.fromEntries(map.map(([location, mac]) => [location, of(mac.toLowerCase())]))
  }
  return Object.fromEntries(map.map(([location]) => [location, []]))
}

/** Without an agent in the guest, or a guest at all, there is nobody to know; that libvirt cannot be reached is something else. */
function noneKnown(error: unknown): string {
  if (isContractorError(error) && !error.retryable) return ''
  throw error
}
