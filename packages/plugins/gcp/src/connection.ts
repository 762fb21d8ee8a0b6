import { fingerprint } from '@contractor/driver'
import { secret } from '@contractor/plugin'
import { z } from 'zod'

/** RFC 1035, as Compute Engine wants the names of what it makes. */
export const resourceName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be small letters, digits and dashes, beginning with a letter, 63 at the most',
  )
export const project = z
  .string()
  .regex(/^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'must be the id of a project, as web-1234')
export const zone = z.string().regex(/^[a-z]+-[a-z]+\d+-[a-z]$/, 'must be a zone, as europe-west3-a')
/** A number of 64 bits, and so a text. */
export const vmId = z.string().regex(/^\d{1,20}$/, 'must be the number that Compute Engine gives a machine')

/** The JSON text that Google gives for a service account's key. */
const accountKey = secret(
  z
    .string()
    .max(20_000)
    .refine(isAccountKey, 'must be the JSON text of a service account’s key, with client_email and private_key'),
)

function isAccountKey(text: string): boolean {
  try {
    const { client_email: mail, private_key: key } = (JSON.parse(text) ?? {}) as Record<string, unknown>
    return typeof mail === 'string' && typeof key === 'string'
  } catch {
    return false
  }
}

const endpoint = z.url({ protocol: /^https$/ })
const pin = z.union([z.literal('any'), fingerprint])
export const googleEndpoint = 'https://compute.googleapis.com'

/** The addresses of a machine, by its interfaces: `eth0`, `eth1` … */
export const addressMap = z.record(z.string(), z.string())

/** What a Foundation of this type has, in the names that scripts and resource files write. */
export const fields = z.object({
  gce_project: project,
  gce_zone: zone,
  gce_instance_name: resourceName.optional().describe('What it is called there, where that is not its locator'),
  gce_id: vmId.optional().describe('The machine, once it is made'),
  gce_service_account_key: accountKey
    .optional()
    .describe('Without one, the agent’s own machine is one of Google’s, whose service account is used'),
  gce_endpoint: endpoint.default(googleEndpoint),
  gce_fingerprint: pin
    .nullable()
    .default(null)
    .describe(
      'The SHA-256 of the certificate of the endpoint and of who gives tokens, where the agent does not trust it',
    ),
  gce_ip_address_map: addressMap.optional().describe('Its addresses, as they were read last'),
})
export type Fields = z.output<typeof fields>

/** What leads to Compute Engine. */
export const connection = z.object({
  endpoint,
  fingerprint: pin.nullable(),
  /** Null for the service account of the agent's machine. */
  key: accountKey.nullable(),
})
export type Connection = z.output<typeof connection>

export const connectionOf = (own: Fields): Connection => ({
  endpoint: own.gce_endpoint,
  fingerprint: own.gce_fingerprint,
  key: own.gce_service_account_key ?? null,
})

/** The agent's own. */
export const ownConnection: Connection = { endpoint: googleEndpoint, fingerprint: null, key: null }
