import { powerTasks } from '@contractor/driver'
import { defineTasks, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { type Connection, connection } from './connection.ts'

/** One request at a time for each machine; its management engine sleeps, and refuses what wakes it. */
const rules = {
  timeoutMs: 120_000,
  retry: { attempts: 6, backoffMs: 3000, mostMs: 20_000 },
  limit: ({ host, port }: Connection) => ({ key: `amt ${host}:${port}` }),
} satisfies Partial<TaskRules<typeof connection>>

export const inventory = z.object({
  manufacturer: z.string(),
  model: z.string(),
  serial: z.string(),
  /** Of AMT itself. */
  version: z.string(),
})

export const tasks = defineTasks({
  ...powerTasks(connection, rules),
  link_test: {
    ...rules,
    description: 'Logs in, and reads the power state',
    params: connection,
    result: z.object({ good: z.boolean(), last: z.string() }),
  },
  read_inventory: { ...rules, params: connection, result: inventory },
})
