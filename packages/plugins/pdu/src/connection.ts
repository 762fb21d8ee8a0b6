import { host, port, snmpConnection } from '@contractor/driver'
import { secret } from '@contractor/plugin'
import { z } from 'zod'
import { modelNames } from './models.ts'

const key = secret(z.string().min(8).max(100))

/** What a PDU has, whether it is a Foundation of its own or the Complex of its outlets. */
export const pduFields = z.object({
  pdu_ip_address: host,
  pdu_port: port.default(161),
  pdu_model: z.enum(modelNames).describe('Whose MIB it speaks'),
  pdu_protocol: z.enum(['SNMPv1', 'SNMPv2c', 'SNMPv3']).default('SNMPv2c'),
  pdu_community: secret(z.string().min(1).max(100)).optional().describe('Of SNMPv1 and SNMPv2c: one that may write'),
  pdu_user: z.string().min(1).max(32).optional().describe('Of SNMPv3'),
  pdu_auth_key: key.optional(),
  pdu_priv_key: key.optional(),
})
export type PduFields = z.output<typeof pduFields>

export const connection = snmpConnection.extend({ model: z.enum(modelNames) })
export type Connection = z.output<typeof connection>

export const connectionOf = (own: PduFields): z.input<typeof connection> => ({
  host: own.pdu_ip_address,
  port: own.pdu_port,
  protocol: own.pdu_protocol,
  community: own.pdu_community ?? null,
  user: own.pdu_user ?? null,
  auth_key: own.pdu_auth_key ?? null,
  priv_key: own.pdu_priv_key ?? null,
  model: own.pdu_model,
})

export const outletNumber = z.number().int().min(1).max(200)
