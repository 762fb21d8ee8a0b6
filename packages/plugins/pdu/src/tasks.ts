import { powerState, powerTasks } from '@contractor/driver'
import { defineTasks, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { type Connection, connection, outletNumber } from './connection.ts'

/** One command at a time for each PDU: several lose what comes at once. */
const rules = {
  timeoutMs: 60_000,
  retry: { attempts: 4, backoffMs: 2000, mostMs: 30_000 },
  limit: ({ host, port }: Connection) => ({ key: `pdu ${host}:${port}` }),
} satisfies Partial<TaskRules<typeof connection>>

export const outlet = z.object({ outlet: z.number().int(), name: z.string(), state: powerState })

export const tasks = defineTasks({
  /** Of one or more outlets: a machine with two power supplies is on while one is, and off when all are. */
  ...powerTasks(connection.extend({ outlets: z.array(outletNumber).min(1).max(8) }), rules),
  list: {
    ...rules,
    description: 'Reads all outlets',
    params: connection,
    result: z.object({ outlets: z.array(outlet) }),
  },
})
