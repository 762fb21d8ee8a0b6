import { secret } from '@contractor/plugin'
import { z } from 'zod'

/** As EC2 gives it: `i-` and 8 or 17 hexadecimal digits. */
export const instanceId = z.string().regex(/^i-[0-9a-f]{8,17}$/, 'must be an instance’s id, as i-0123456789abcdef0')

const region = z.string().regex(/^[a-z][a-z0-9-]{1,39}$/, 'must be a region, as eu-central-1')
const accessKeyId = z.string().regex(/^\w{16,128}$/, 'must be the id of an access key')
const endpoint = z.url({ protocol: /^https?$/ })

/** The addresses of an instance, by its interfaces: `eth0`, `eth1` … */
export const addressMap = z.record(z.string(), z.string())

/** What a Foundation of this type has, in the names that scripts and resource files write. */
export const fields = z.object({
  awsec2_instance_id: instanceId.optional().describe('The instance, once it is made'),
  awsec2_region: region.optional().describe('Where it is; by itself, what the agent’s own environment says'),
  awsec2_access_key_id: accessKeyId
    .optional()
    .describe('Without one, the agent’s own credentials are used: its environment, files, or instance role'),
  awsec2_secret_access_key: secret(z.string().min(16).max(200)).optional(),
  awsec2_session_token: secret(z.string().min(1).max(4096)).optional(),
  awsec2_endpoint: endpoint.optional().describe('Another endpoint than the region’s: of a VPC, or of another cloud'),
  awsec2_ip_address_map: addressMap.optional().describe('Its addresses, as they were when it was made'),
})
export type Fields = z.output<typeof fields>

/** What leads to EC2; null for what the agent's own environment says. */
export const connection = z.object({
  region: region.nullable(),
  access_key_id: accessKeyId.nullable(),
  secret_access_key: secret(z.string().min(1)).nullable(),
  session_token: secret(z.string().min(1)).nullable(),
  endpoint: endpoint.nullable(),
})
export type Connection = z.output<typeof connection>

export const connectionOf = (own: Fields): Connection => ({
  region: own.awsec2_region ?? null,
  access_key_id: own.awsec2_access_key_id ?? null,
  secret_access_key: own.awsec2_secret_access_key ?? null,
  session_token: own.awsec2_session_token ?? null,
  endpoint: own.awsec2_endpoint ?? null,
})

/** The agent's own. */
export const ownConnection: Connection = {
  ...{ region: null, access_key_id: null, secret_access_key: null, session_token: null, endpoint: null },
}
