import { host, hostKey, port, snmpConnection, sshConnection, userName } from '@contractor/driver'
import { type FoundationContext, secret } from '@contractor/plugin'
import { z } from 'zod'
import { modelNames } from './models.ts'

const key = secret(z.string().min(8).max(100))

export const fields = z.object({
  switch_ip_address: host.describe('Its address or host name, as the agent reaches it'),
  switch_snmp_port: port.default(161),
  switch_protocol: z.enum(['SNMPv1', 'SNMPv2c', 'SNMPv3']).default('SNMPv2c'),
  switch_community: secret(z.string().min(1).max(100)).optional().describe('Of SNMPv1 and SNMPv2c: one that may write'),
  switch_user: z.string().min(1).max(32).optional().describe('Of SNMPv3'),
  switch_auth_key: key.optional(),
  switch_priv_key: key.optional(),
  switch_model: z.enum(modelNames).optional().describe('Whose command line it has, for its configuration'),
  switch_ssh_port: port.default(22),
  switch_username: userName.optional().describe('Who logs in by SSH'),
  switch_password: secret(z.string().min(1).max(200)).optional(),
  switch_private_key: secret(z.string().min(1).max(50_000)).optional(),
  switch_host_key: hostKey.optional().describe('The fingerprint of its SSH host key'),
})
export type Fields = z.output<typeof fields>
type Foundation = Pick<FoundationContext<Fields>, 'fields' | 'locator'>

/** What leads to its SNMP agent. */
export const connection = snmpConnection
export type Connection = z.output<typeof connection>

export const connectionOf = ({ fields: own }: Foundation): z.input<typeof connection> => ({
  host: own.switch_ip_address,
  port: own.switch_snmp_port,
  protocol: own.switch_protocol,
  community: own.switch_community ?? null,
  user: own.switch_user ?? null,
  auth_key: own.switch_auth_key ?? null,
  priv_key: own.switch_priv_key ?? null,
})

/** What leads to its command line. */
export const terminal = sshConnection.extend({ model: z.enum(modelNames) })
export type Terminal = z.output<typeof terminal>

export function terminalOf({ fields: own, locator }: Foundation): z.input<typeof terminal> {
  const { switch_model: model, switch_username: username } = own
  if (model === undefined || username === undefined)
    throw new Error(`Foundation '${locator}' needs switch_model and switch_username for its configuration`)
  return {
    ...{ host: own.switch_ip_address, port: own.switch_ssh_port, username, model },
    password: own.switch_password ?? null,
    private_key: own.switch_private_key ?? null,
    host_key: own.switch_host_key ?? null,
  }
}
