import { powerTasks } from '@contractor/driver'
import { defineTasks, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { addressMap, connection, project, resourceName, vmId, zone } from './connection.ts'
import { nic, vmSpec } from './vm-spec.ts'

/** A machine is found by its name, of which there is one in a zone; its labels, or its id, say whose it is. */
const machine = connection.extend({
  ...{ project, zone, name: resourceName, locator: z.string().min(1), id: vmId.nullable() },
})
type Machine = z.output<typeof machine>

/** One change of a machine at a time. */
const rules = {
  timeoutMs: 600_000,
  retry: { attempts: 8, backoffMs: 5000, mostMs: 120_000 },
  limit: ({ project: own, zone: at, name }: Pick<Machine, 'project' | 'zone' | 'name'>) => ({
    key: `gce ${own} ${at} ${name}`,
  }),
} satisfies Partial<TaskRules<typeof machine>>

export const machineState = z.object({
  exists: z.boolean(),
  /** Compute Engine's own word: `RUNNING`, `TERMINATED`, which is off, … */
  status: z.string(),
  id: vmId.nullable(),
  machine_type: z.string(),
  interfaces: z.array(
    z.object({ network: z.string(), address: z.string().nullable(), external_address: z.string().nullable() }),
  ),
  /** Which call has made it. */
  call: z.string().nullable(),
})
export type MachineState = z.output<typeof machineState>

/** By the names of the Foundation's interfaces, in their order: the external address, or the internal one where there is none. */
export function toAddresses(names: readonly string[], interfaces: MachineState['interfaces']): Record<string, string> {
  const found = interfaces.map(({ address, external_address }, at) => [
    names[at] ?? `eth${at}`,
    external_address ?? address,
  ])
  return Object.fromEntries(found.filter((pair): pair is [string, string] => pair[1] !== null))
}

const made = z.object({ id: vmId, addresses: addressMap })

export const tasks = defineTasks({
  ...powerTasks(machine, rules),
  create: {
    ...rules,
    description: 'Makes a machine, and waits until it runs',
    params: machine.extend({ spec: vmSpec, nics: z.array(nic).min(1).max(8), callId: z.string() }),
    result: made,
    timeoutMs: 1_800_000,
  },
  state: { ...rules, description: 'Looks at the machine', params: machine, result: machineState },
  addresses: {
    ...rules,
    description: 'Reads its addresses, for the names of the Foundation’s interfaces',
    params: machine.extend({ names: z.array(z.string()) }),
    result: z.object({ addresses: addressMap }),
  },
  interfaces: {
    ...rules,
    description: 'Reads the MACs of its interfaces, where Compute Engine shows them',
    params: machine.extend({ locations: z.array(z.string()) }),
    result: z.object({ map: z.record(z.string(), z.string()) }),
  },
  destroy: {
    ...rules,
    description: 'Deletes the machine, and waits until it is gone; with a call, only what that call has made',
    params: machine.extend({ callId: z.string().nullable() }),
    result: z.object({ destroyed: z.boolean() }),
    timeoutMs: 1_800_000,
  },
  list: {
    timeoutMs: 300_000,
    retry: rules.retry,
    description: 'Lists the machines of a project, in all zones',
    params: connection.extend({ project: project.nullable() }),
    result: z.object({
      project: project,
      machines: z.array(z.object({ name: resourceName, zone, id: vmId, status: z.string(), machine_type: z.string() })),
    }),
  },
})
