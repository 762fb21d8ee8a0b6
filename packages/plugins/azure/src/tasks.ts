import { powerTasks } from '@contractor/driver'
import { defineTasks, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { connection, resourceName } from './connection.ts'
import { nic, vmSpec } from './vm-spec.ts'

const machine = connection.extend({
  name: resourceName,
  /** Whose it is: its tag says so. */
  locator: z.string().min(1),
  /** Whether the Foundation names it: one that was taken in has no tag of ours. */
  is_named: z.boolean(),
})
type Machine = z.output<typeof machine>

/** One change of a machine at a time. */
const rules = {
  timeoutMs: 180_000,
  retry: { attempts: 8, backoffMs: 5000, mostMs: 200_000 },
  limit: ({ subscription_id, resource_group, name }: Pick<Machine, 'subscription_id' | 'resource_group' | 'name'>) => ({
    key: `azure ${subscription_id} ${resource_group} ${name}`,
  }),
} satisfies Partial<TaskRules<typeof machine>>

const power = powerTasks(machine, rules)

export const machineState = z.object({
  /** Null where there is none. */
  name: resourceName.nullable(),
  /** Azure's own words: `running`, `deallocated` …, and `Succeeded`, `Failed` … */
  power: z.string(),
  provisioning: z.string(),
  size: z.string(),
  /** Which call has made it. */
  call: z.string().nullable(),
})
export type MachineState = z.output<typeof machineState>

const macMap = z.record(z.string(), z.string())

export const tasks = defineTasks({
  // Azure answers when the change is done: that takes minutes.
  set_power: { ...power.set_power, timeoutMs: 1_800_000 },
  power_state: power.power_state,
  create: {
    ...rules,
    description: 'Makes the interfaces and the machine, and waits until it runs',
    params: machine.extend({ spec: vmSpec, nics: z.array(nic).min(1).max(8), callId: z.string() }),
    result: z.object({ name: resourceName, interface_map: macMap }),
    timeoutMs: 3_600_000,
  },
  state: { ...rules, description: 'Looks at the machine', params: machine, result: machineState },
  interfaces: {
    ...rules,
    description: 'Reads the MACs of its interfaces, for the locations of the Foundation’s',
    params: machine.extend({ locations: z.array(z.string()) }),
    result: z.object({ interface_map: macMap }),
  },
  destroy: {
    ...rules,
    description: 'Deletes the machine, its interfaces and its disk; with a call, only what that call has made',
    params: machine.extend({ callId: z.string().nullable() }),
    result: z.object({ destroyed: z.boolean() }),
    timeoutMs: 3_600_000,
  },
  list: {
    timeoutMs: 300_000,
    retry: rules.retry,
    description: 'Lists the machines of the resource group',
    params: connection,
    result: z.object({ machines: z.array(z.object({ name: z.string(), size: z.string(), provisioning: z.string() })) }),
  },
})
