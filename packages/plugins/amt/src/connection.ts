import { fingerprint, host, password, port, userName } from '@contractor/driver'
import { z } from 'zod'

const pin = z.union([z.literal('any'), fingerprint])

/** What a Foundation of this type has, in the names that scripts and resource files write. */
export const fields = z.object({
  amt_ip_address: host.describe('The address or host name of the machine’s AMT, as its agent reaches it'),
  amt_username: userName.default('admin'),
  amt_password: password,
  amt_tls: z.boolean().default(false).describe('Whether it speaks TLS: from version 16.1 on it speaks nothing else'),
  amt_port: port.nullable().default(null).describe('By itself 16992, and 16993 with TLS'),
  amt_fingerprint: pin
    .nullable()
    .default(null)
    .describe('The SHA-256 of its certificate; any: whoever answers; by itself, one that the agent’s machine trusts'),
})
export type Fields = z.output<typeof fields>

/** What leads to a machine's AMT. */
export const connection = z.object({
  host,
  port,
  tls: z.boolean(),
  fingerprint: pin.nullable(),
  username: userName,
  password,
})
export type Connection = z.output<typeof connection>

export const connectionOf = (own: Fields): Connection => ({
  host: own.amt_ip_address,
  port: own.amt_port ?? (own.amt_tls ? 16993 : 16992),
  tls: own.amt_tls,
  fingerprint: own.amt_fingerprint,
  username: own.amt_username,
  password: own.amt_password,
})
