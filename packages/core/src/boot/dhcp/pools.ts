import { type DhcpPool, parseIp } from '@contractor/contract'

/** Dynamic addresses of one block, in their order, as ranges: each address follows the one before and boots the same. */
export function poolsOf(addresses: readonly { ip: string; pxe: string | null }[]): DhcpPool[] {
  const pools: DhcpPool[] = []
  let end: bigint | undefined
  for (const { ip, pxe } of addresses) {
    const { value } = parseIp(ip)
    const last = pools.at(-1)
    if (last && end !== undefined && value === end + 1n && last.pxe === pxe) last.last = ip
    else pools.push({ first: ip, last: ip, pxe })
    end = value
  }
  return pools
}
