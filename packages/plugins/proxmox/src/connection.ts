import { fingerprint, host, password, port, userName } from '@contractor/driver'
import { defineComplex, secret } from '@contractor/plugin'
import { z } from 'zod'

const pin = z.union([z.literal('any'), fingerprint])
/** `root@pam`: Proxmox has users of several realms. */
const realmUser = userName.regex(/^[^@]+@[^@!]+$/, 'must be a user and its realm, as root@pam')
/** `contractor`, or as the web interface shows it: `root@pam!contractor`. */
const tokenId = z.string().regex(/^([^@!\s]+@[^@!\s]+!)?[a-zA-Z][a-zA-Z0-9._-]*$/, 'must be a token, as root@pam!name')
const tokenSecret = secret(z.string().min(1).max(200))

export const nodeName = z.string().regex(/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/, 'must be the name of a node')
export const storageName = z
  .string()
  .max(100)
  .regex(/^[a-zA-Z][a-zA-Z0-9._-]*$/, 'must be the name of a storage')
export const vmId = z.number().int().min(100).max(999_999_999)

export const proxmoxComplex = defineComplex({
  type: 'Proxmox',
  description: 'A node or a cluster of Proxmox VE, as its agent reaches it',
  fields: z.object({
    proxmox_host: host.describe('One of its nodes, which passes on what is for the others'),
    proxmox_port: port.default(8006),
    proxmox_username: realmUser.default('root@pam'),
    proxmox_password: password.optional().describe('Of that user; a token is better'),
    proxmox_token_id: tokenId.optional().describe('An API token of that user, or user@realm!token'),
    proxmox_token_secret: tokenSecret.optional(),
    proxmox_fingerprint: pin
      .nullable()
      .default(null)
      .describe('The SHA-256 of its certificate; any: whoever answers; by itself, one that the agent’s machine trusts'),
    proxmox_node: nodeName
      .optional()
      .describe('Where machines are made that do not say; else where most memory is free'),
    proxmox_storage: storageName.default('local-lvm').describe('Where the disks of machines are that do not say'),
  }),
})
export type ComplexFields = z.output<typeof proxmoxComplex.fields>

/** What leads to a cluster. */
export const connection = z.object({
  host,
  port,
  fingerprint: pin.nullable(),
  username: realmUser,
  password: password.nullable(),
  token_id: z.string().nullable(),
  token_secret: tokenSecret.nullable(),
})
export type Connection = z.output<typeof connection>

export const connectionOf = (own: ComplexFields): Connection => ({
  host: own.proxmox_host,
  port: own.proxmox_port,
  fingerprint: own.proxmox_fingerprint,
  username: own.proxmox_username,
  password: own.proxmox_password ?? null,
  token_id: own.proxmox_token_id ?? null,
  token_secret: own.proxmox_token_secret ?? null,
})
