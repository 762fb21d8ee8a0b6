import { host, password, port, userName } from '@contractor/driver'
import { z } from 'zod'
import { quirkNames } from './quirks.ts'

/** What a Foundation of this type has, in the names that scripts and resource files write. */
export const fields = z.object({
  ipmi_ip_address: host.describe('The address or host name of the BMC, as its agent reaches it'),
  ipmi_port: port.default(623),
  ipmi_username: userName.default('ADMIN'),
  ipmi_password: password,
  ipmi_sol_port: z
    .enum(['console', 'ttyS0', 'ttyS1', 'ttyS2', 'ttyS3'])
    .default('ttyS1')
    .describe('What the machine’s kernel calls the serial port that the BMC shows'),
  ipmi_cipher: z
    .number()
    .int()
    .min(1)
    .max(17)
    .nullable()
    .default(null)
    .describe('The cipher suite; by itself 17, and 3 where the BMC knows no 17'),
  ipmi_quirks: z.array(z.enum(quirkNames)).default([]).describe('What this BMC is known to do'),
})
export type Fields = z.output<typeof fields>

/** What leads to a BMC. */
export const connection = z.object({
  host,
  port,
  username: userName,
  password,
  cipher: z.number().int().min(1).max(17).nullable(),
  quirks: z.array(z.enum(quirkNames)),
})
export type Connection = z.output<typeof connection>

export const connectionOf = (own: Fields): Connection => ({
  host: own.ipmi_ip_address,
  port: own.ipmi_port,
  username: own.ipmi_username,
  password: own.ipmi_password,
  cipher: own.ipmi_cipher,
  quirks: own.ipmi_quirks,
})
