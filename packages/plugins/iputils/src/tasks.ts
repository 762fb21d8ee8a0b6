import { host, oid, port, snmpConnection } from '@contractor/driver'
import { defineTasks } from '@contractor/plugin'
import { z } from 'zod'

const variable = z.object({ oid: z.string(), value: z.string(), type: z.string() })
const snmpRules = { timeoutMs: 60_000, retry: { attempts: 3, backoffMs: 2000 } }

export const recordType = z.enum(['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SRV', 'TXT'])

export const tasks = defineTasks({
  ping: {
    description: 'Sends ICMP echo requests, one a second',
    params: z.object({ target: host, count: z.number().int().min(1).max(100) }),
    /** Of a hundred; the mean time of an answer in milliseconds, null without one. */
    result: z.object({ percent: z.number().min(0).max(100), meanMs: z.number().nullable() }),
    timeoutMs: ({ count }) => count * 1000 + 30_000,
  },
  wait_for_port: {
    description: 'Tries to connect again and again, for one slice of the whole wait',
    params: z.object({
      target: host,
      port,
      /** At least one attempt is made, also in no time. */
      waitMs: z.number().int().min(0).max(60_000),
      delayMs: z.number().int().min(1),
    }),
    /** `last`: why the last attempt failed. */
    result: z.object({ open: z.boolean(), last: z.string() }),
    timeoutMs: ({ waitMs }) => waitMs + 30_000,
  },
  http_check: {
    description: 'Asks a URL once',
    params: z.object({
      url: z.url({ protocol: /^https?$/ }),
      status: z.number().int().min(100).max(599),
      contains: z.string().nullable(),
    }),
    /** `seen`: what came in place of what was expected. */
    result: z.object({ good: z.boolean(), seen: z.string() }),
    timeoutMs: 60_000,
  },
  dns_check: {
    description: 'Asks for a name once',
    params: z.object({
      name: z.string().min(1).max(253),
      type: recordType,
      server: z.string().nullable(),
      /** What it is to have, in any order; null: anything. */
      expected: z.array(z.string()).nullable(),
    }),
    /** In the order of their texts; none where there is no such name. */
    result: z.object({ records: z.array(z.string()), seen: z.string() }),
    timeoutMs: 60_000,
  },
  snmp_get: {
    ...snmpRules,
    params: snmpConnection.extend({ oid }),
    result: z.object({ value: z.string().nullable() }),
  },
  snmp_set: { ...snmpRules, params: snmpConnection.extend({ oid, value: z.string() }), result: z.object({}) },
  snmp_walk: {
    ...snmpRules,
    params: snmpConnection.extend({ oid, most: z.number().int().min(1).max(100_000) }),
    result: z.object({ variables: z.array(variable) }),
    timeoutMs: 600_000,
  },
})
