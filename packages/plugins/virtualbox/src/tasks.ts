import { machineTasks, powerTasks, snapshotTasks } from '@contractor/driver'
import { defineTasks, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { machine, uuid } from './connection.ts'
import { isoPath, machineSpec } from './machine-spec.ts'

/** One operation at a time for each machine, whose session is locked while one is at it. */
const rules = {
  timeoutMs: 180_000,
  retry: { attempts: 8, backoffMs: 1000, mostMs: 15_000 },
  limit: ({ host, name }: { host: string; name: string }) => ({ key: `virtualbox ${host} ${name}` }),
} satisfies Partial<TaskRules<typeof machine>>

export const tasks = defineTasks({
  ...powerTasks(machine, rules),
  ...machineTasks({ host: z.object({ host: z.string() }), machine, spec: machineSpec, id: uuid, rules }),
  ...snapshotTasks(machine, rules),
  set_iso: {
    ...rules,
    description: 'Puts an ISO into the machine’s drive, or takes it out',
    params: machine.extend({ iso: isoPath.nullable() }),
    result: z.object({ changed: z.boolean() }),
  },
})
