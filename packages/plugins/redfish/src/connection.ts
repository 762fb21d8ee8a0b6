import { fingerprint, host, password, port, userName } from '@contractor/driver'
import { z } from 'zod'

const pin = z.union([z.literal('any'), fingerprint])
const systemId = z.string().min(1).max(200)

/** What a Foundation of this type has, in the names that scripts and resource files write. */
export const fields = z.object({
  redfish_ip_address: host.describe('The address or host name of the BMC, as its agent reaches it'),
  redfish_port: port.default(443),
  redfish_username: userName.default('ADMIN'),
  redfish_password: password,
  redfish_sol_port: z
    .enum(['console', 'ttyS0', 'ttyS1', 'ttyS2', 'ttyS3'])
    .default('ttyS1')
    .describe('What the machine’s kernel calls the serial port that the BMC shows'),
  redfish_fingerprint: pin
    .nullable()
    .default(null)
    .describe('The SHA-256 of its certificate; any: whoever answers; by itself, one that the agent’s machine trusts'),
  redfish_system: systemId.nullable().default(null).describe('Which of its systems it is, where it has several'),
})
export type Fields = z.output<typeof fields>

/** What leads to a system. */
export const connection = z.object({
  host,
  port,
  username: userName,
  password,
  fingerprint: pin.nullable(),
  system: systemId.nullable(),
})
export type Connection = z.output<typeof connection>

export const connectionOf = (own: Fields): Connection => ({
  host: own.redfish_ip_address,
  port: own.redfish_port,
  username: own.redfish_username,
  password: own.redfish_password,
  fingerprint: own.redfish_fingerprint,
  system: own.redfish_system,
})
