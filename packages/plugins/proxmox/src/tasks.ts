import { connectedInterface, macList, powerTasks } from '@contractor/driver'
import { defineTasks, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { connection, nodeName, storageName, vmId } from './connection.ts'
import { vmName, vmSpec } from './vm-spec.ts'

/** A machine: by its id, and by whose it is, since ids are given to others once they are free. */
export const target = connection.extend({ name: z.string().min(1).max(100), id: vmId.nullable() })
export type Target = z.output<typeof target>

/** Proxmox does one thing at a time to each machine, and refuses what comes meanwhile. */
const limit = ({ host, port, name }: Pick<Target, 'host' | 'port' | 'name'>) => ({
  key: `proxmox ${host}:${port} ${name}`,
})
const retry = { attempts: 6, backoffMs: 5000, mostMs: 60_000 }
const changes = { timeoutMs: 600_000, retry, limit } satisfies Partial<TaskRules<typeof target>>
const looks = {
  timeoutMs: 120_000,
  retry: { attempts: 4, backoffMs: 2000, mostMs: 30_000 },
} satisfies Partial<TaskRules>

/** With the MACs of its adapters, and the physical locations that these are for. */
const made = z.object({ id: vmId, node: z.string(), macs: z.array(z.string()), places: z.array(z.string()) })

export const vmState = z.object({
  /** `gone`: there is none, or another's has its id. */
  state: z.enum(['on', 'off', 'gone']),
  id: vmId.nullable(),
  node: z.string().nullable(),
  /** Proxmox’s own word: `running`, `paused`, `prelaunch` … */
  status: z.string(),
  lock: z.string().nullable(),
  cpu_count: z.number().nullable(),
  /** In MiB. */
  memory_size: z.number().nullable(),
  macs: z.array(z.string()),
  /** By the guest's interfaces, as its agent tells them; empty where it has none. */
  address_map: z.record(z.string(), z.array(z.string())),
  /** Which call has made it, and whether that has come to its end. */
  call: z.string().nullable(),
  isWhole: z.boolean(),
})
export type VmState = z.output<typeof vmState>

export const snapshotName = z
  .string()
  .max(40)
  .regex(/^[a-zA-Z][a-zA-Z0-9_-]+$/, 'must be letters, digits, - and _, beginning with a letter')
export const snapshot = z.object({
  name: z.string(),
  description: z.string(),
  /** When it was taken, in seconds since the epoch. */
  at: z.number().nullable(),
  parent: z.string().nullable(),
  memory: z.boolean(),
})

export const tasks = defineTasks({
  ...powerTasks(target, changes),
  create: {
    description: 'Makes the machine, or goes on where an attempt before has ended',
    params: connection.extend({
      name: vmName,
      callId: z.string(),
      spec: vmSpec,
      interfaces: z.array(connectedInterface).max(32),
      /** Of the Complex. */
      defaults: z.object({ node: nodeName.nullable(), storage: storageName }),
    }),
    result: made,
    timeoutMs: 7_200_000,
    retry,
    limit,
  },
  destroy: {
    ...changes,
    description: 'Switches the machine off, and removes it with its disks and all that names it',
    params: target,
    result: z.object({ destroyed: z.boolean() }),
    timeoutMs: 1_800_000,
  },
  state: { ...looks, description: 'Looks at the machine', params: target, result: vmState },
  interfaces: { ...looks, description: 'Reads its adapters', params: target, result: macList },
  create_snapshot: {
    ...changes,
    description: 'Takes a snapshot; the one that an attempt before has taken is the answer',
    params: target.extend({
      snapshot: snapshotName,
      description: z.string().max(4096),
      memory: z.boolean(),
      callId: z.string(),
    }),
    result: z.object({ snapshot: z.string() }),
    timeoutMs: 3_600_000,
  },
  list_snapshots: { ...looks, params: target, result: z.object({ snapshots: z.array(snapshot) }) },
  rollback_snapshot: {
    ...changes,
    description: 'Makes the machine as it was at a snapshot',
    params: target.extend({ snapshot: snapshotName, start: z.boolean() }),
    result: z.object({}),
    timeoutMs: 3_600_000,
  },
  delete_snapshot: {
    ...changes,
    params: target.extend({ snapshot: snapshotName }),
    result: z.object({ deleted: z.boolean() }),
    timeoutMs: 3_600_000,
  },
  list: {
    ...looks,
    description: 'Lists all machines of the cluster',
    params: connection,
    result: z.object({
      machines: z.array(z.object({ id: vmId, name: z.string(), node: z.string(), status: z.string() })),
    }),
  },
  list_nodes: {
    ...looks,
    description: 'Lists the nodes that have so much free, that with most before others',
    params: connection.extend({ min_memory: z.number().min(0), min_cores: z.number().min(0) }),
    result: z.object({ nodes: z.array(z.string()) }),
  },
})
export type Made = z.output<typeof made>
export type Wanted = z.output<(typeof tasks)['create']['params']>
