import { fingerprint, host, password, port, userName } from '@contractor/driver'
import { defineComplex } from '@contractor/plugin'
import { z } from 'zod'

const pin = z.union([z.literal('any'), fingerprint])
/** As vSphere takes names of what is in its inventory. */
export const vimName = z
  .string()
  .min(1)
  .max(80)
  .regex(/^[^\p{Cc}]+$/u, 'must be without control characters')

export const vcenterComplex = defineComplex({
  type: 'VCenter',
  description: 'A cluster of a vCenter, or a single ESX host, as its agent reaches it',
  fields: z.object({
    vcenter_host: host.describe('The vCenter, or a single ESX host'),
    vcenter_port: port.default(443),
    vcenter_username: userName,
    vcenter_password: password,
    vcenter_fingerprint: pin
      .nullable()
      .default(null)
      .describe('The SHA-256 of its certificate; any: whoever answers; by itself, one that the agent’s machine trusts'),
    vcenter_datacenter: vimName.default('ha-datacenter').describe('That of a single ESX host unless said'),
    vcenter_cluster: vimName.describe('The cluster, or the host where it is in none'),
  }),
})
export type ComplexFields = z.output<typeof vcenterComplex.fields>

/** What leads to a cluster. */
export const connection = z.object({
  host,
  port,
  fingerprint: pin.nullable(),
  username: userName,
  password,
  datacenter: vimName,
  cluster: vimName,
})
export type Connection = z.output<typeof connection>

export const connectionOf = (own: ComplexFields): Connection => ({
  host: own.vcenter_host,
  port: own.vcenter_port,
  fingerprint: own.vcenter_fingerprint,
  username: own.vcenter_username,
  password: own.vcenter_password,
  datacenter: own.vcenter_datacenter,
  cluster: own.vcenter_cluster,
})
