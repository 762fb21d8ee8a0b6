import { secret } from '@contractor/plugin'
import { z } from 'zod'
import { host, port } from './connection.ts'

/** An object identifier: `1.3.6.1.2.1.1.5.0`. */
export const oid = z
  .string()
  .transform(text => text.replace(/^\./, ''))
  .pipe(z.string().regex(/^[0-2](\.\d{1,10}){1,127}$/, 'must be an object identifier, as 1.3.6.1.2.1.1.5.0'))

const community = secret(z.string().min(1).max(100))
/** RFC 3414, section 11.2: passwords have eight characters at least. */
const key = secret(z.string().min(8).max(100))

/** What leads to an SNMP agent: SNMPv1 and SNMPv2c by a community, SNMPv3 by a user, whose keys say how safely. */
export const snmpConnection = z.object({
  host,
  port: port.default(161),
  protocol: z.enum(['SNMPv1', 'SNMPv2c', 'SNMPv3']).default('SNMPv2c'),
  community: community.nullable().default(null),
  user: z.string().min(1).max(32).nullable().default(null),
  auth_key: key.nullable().default(null),
  priv_key: key.nullable().default(null),
  auth_protocol: z.enum(['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512']).default('sha'),
  priv_protocol: z.enum(['des', 'aes', 'aes256b', 'aes256r']).default('aes'),
})
export type SnmpConnection = z.output<typeof snmpConnection>

/** Why it leads nowhere: what a protocol needs besides. */
export function whyNoConnection({
  protocol,
  community: name,
  user,
  auth_key,
  priv_key,
}: SnmpConnection): string | undefined {
  if (protocol !== 'SNMPv3') return name === null ? `${protocol} needs a community` : undefined
  if (user === null) return 'SNMPv3 needs a user'
  return priv_key !== null && auth_key === null ? 'a priv_key needs an auth_key' : undefined
}
