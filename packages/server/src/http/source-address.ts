import { BlockList, isIP } from 'node:net'
import { ContractorError } from '@contractor/core'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'

/**
 * From which address a request comes. `X-Forwarded-For` counts only where the one that it came through is a proxy that
 * was configured: read from the right, the first address that is no such proxy is the machine's own, and what stands
 * before it may be anybody's invention.
 */
export type SourceAddress = (c: Context) => string | undefined

/** Proxies as addresses or subnets (`10.0.0.0/8`); throws VALIDATION_FAILED for anything else. */
export function createSourceAddress(trustedProxies: readonly string[]): SourceAddress {
  const proxies = new BlockList()
  for (const proxy of trustedProxies) addProxy(proxies, proxy)
  const isProxy = (address: string) => proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

  return c => {
    const direct = plainAddress(connectedAddress(c))
    if (direct === undefined || !isProxy(direct)) return direct
    const forwarded = (c.req.header('x-forwarded-for') ?? '').split(',').map(plainAddress)
    let found: string | undefined = direct
    for (const address of forwarded.reverse()) {
      // Something that is no address was not written by a proxy of ours.
      if (address === undefined) return undefined
      found = address
      if (!isProxy(address)) return address
    }
    return found
  }
}

/** Undefined where the app is not served by Node: mounted in something else, it has no socket to ask. */
function connectedAddress(c: Context): string | undefined {
  const { incoming } = (c.env ?? {}) as { incoming?: { socket?: unknown } }
  return incoming?.socket ? getConnInfo(c).remote.address : undefined
}

function addProxy(proxies: BlockList, proxy: string): void {
  const [address = '', prefix] = proxy.split('/')
  const family = isIP(address)
  const bits = prefix === undefined ? undefined : Number(prefix)
  const mostBits = family === 6 ? 128 : 32
  if (!family || (bits !== undefined && !(Number.isInteger(bits) && bits >= 0 && bits <= mostBits))) {
    throw new ContractorError('VALIDATION_FAILED', `'${proxy}' is neither an address nor a subnet of a proxy`, {
      issues: [{ path: 'trustedProxies', message: `'${proxy}' is neither an address nor a subnet` }],
    })
  }
  const type = family === 6 ? 'ipv6' : 'ipv4'
  if (bits === undefined) proxies.addAddress(address, type)
  else proxies.addSubnet(address, bits, type)
}

/** Without the brackets, the port, the zone, and the mapping of IPv4 into IPv6; undefined for what is no address. */
function plainAddress(written: string | undefined): string | undefined {
  const text = written?.trim() ?? ''
  const bare = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text
  const address = bare.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
  return isIP(address) ? address : undefined
}
