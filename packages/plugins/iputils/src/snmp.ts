import { oid, snmpConnection } from '@contractor/driver'
import { defineTaskFunction } from '@contractor/plugin'
import { z } from 'zod'
import { tasks } from './tasks.ts'

const where = snmpConnection.shape

export const snmpGet = defineTaskFunction({
  description: 'Reads a variable of an SNMP agent, as text; None where it has none.',
  args: z.object({ ...where, oid }),
  task: tasks.snmp_get,
  params: args => args,
  result: z.string().nullable(),
  value: ({ value }) => value,
  message: ({ host, oid: what }) => `Reading ${what} of ${host}`,
  idempotent: true,
})

export const snmpSet = defineTaskFunction({
  description: 'Sets a variable of an SNMP agent, which has to be there.',
  args: z.object({ ...where, oid, value: z.union([z.string(), z.number()]).transform(String) }),
  task: tasks.snmp_set,
  params: args => args,
  result: z.null(),
  value: () => null,
  message: ({ host, oid: what }) => `Setting ${what} of ${host}`,
  idempotent: true,
})

export const snmpWalk = defineTaskFunction({
  description:
    'Reads all below an identifier: maps with oid, value and type, in order; an error where there are more than `most`.',
  args: z.object({ ...where, oid, most: z.number().int().min(1).max(100_000).default(1000) }),
  task: tasks.snmp_walk,
  params: args => args,
  result: z.array(z.object({ oid: z.string(), value: z.string(), type: z.string() })),
  value: ({ variables }) => variables,
  message: ({ host, oid: what }) => `Reading all below ${what} of ${host}`,
  idempotent: true,
})
