import { machineTasks, powerTasks, snapshotTasks } from '@contractor/driver'
import { defineTasks, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { host, machine, uuid } from './connection.ts'
import { isoPath, machineSpec } from './machine-spec.ts'

/** One operation at a time for each machine, whose state is locked while one is at it. */
const rules = {
  timeoutMs: 180_000,
  retry: { attempts: 8, backoffMs: 1000, mostMs: 15_000 },
  limit: ({ uri, name }: { uri: string; name: string }) => ({ key: `libvirt ${name} ${uri}`.slice(0, 200) }),
} satisfies Partial<TaskRules<typeof machine>>

export const tasks = defineTasks({
  ...powerTasks(machine, rules),
  ...machineTasks({ host, machine, spec: machineSpec, id: uuid, rules }),
  ...snapshotTasks(machine, rules),
  addresses: {
    ...rules,
    description: 'Reads its addresses, of its guest agent or of the host’s own DHCP; where neither knows any, none',
    params: machine.extend({ locations: z.array(z.string()) }),
    result: z.object({ address_map: z.record(z.string(), z.array(z.string())) }),
  },
  set_iso: {
    ...rules,
    description: 'Puts an ISO into the machine’s drive, or takes it out',
    params: machine.extend({ iso: isoPath.nullable() }),
    result: z.object({ changed: z.boolean() }),
  },
})
