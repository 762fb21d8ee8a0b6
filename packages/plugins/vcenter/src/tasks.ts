import { connectedInterface, macList, powerTasks } from '@contractor/driver'
import { defineTasks, secret, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { connection, vimName } from './connection.ts'
import { vmName, vmSpec } from './vm-spec.ts'

export const vmUuid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'must be a UUID')
  .transform(text => text.toLowerCase())

/** A machine: by its uuid, or by whose it is where that is not known yet. */
export const target = connection.extend({ name: z.string().min(1).max(100), uuid: vmUuid.nullable() })
export type Target = z.output<typeof target>

const limit = ({ host, port, name }: Pick<Target, 'host' | 'port' | 'name'>) => ({
  key: `vcenter ${host}:${port} ${name}`,
})
const retry = { attempts: 6, backoffMs: 5000, mostMs: 60_000 }
const changes = { timeoutMs: 600_000, retry, limit } satisfies Partial<TaskRules<typeof target>>
const looks = {
  timeoutMs: 120_000,
  retry: { attempts: 4, backoffMs: 2000, mostMs: 30_000 },
} satisfies Partial<TaskRules>

/** With the MACs of its adapters, and the physical locations that these are for. */
const made = z.object({ uuid: vmUuid, macs: z.array(z.string()), places: z.array(z.string()) })

export const vmState = z.object({
  /** `gone`: there is none. One that is suspended is off. */
  state: z.enum(['on', 'off', 'unknown', 'gone']),
  uuid: vmUuid.nullable(),
  /** vSphere's own word: `poweredOn`, `suspended` … */
  status: z.string(),
  host: z.string().nullable(),
  cpu_count: z.number().nullable(),
  /** In MiB. */
  memory_size: z.number().nullable(),
  is_template: z.boolean(),
  macs: z.array(z.string()),
  /** Of the guest, as its tools tell them; empty where it has none. */
  address_list: z.array(z.string()),
  /** Which call has made it, and whether that has come to its end. */
  call: z.string().nullable(),
  isWhole: z.boolean(),
})
export type VmState = z.output<typeof vmState>

const guestLogin = { guest_username: z.string().min(1).max(200), guest_password: secret(z.string().max(500)) }
const names = z.object({ names: z.array(z.string()) })
const nameRegex = z.string().max(500).nullable()

export const tasks = defineTasks({
  ...powerTasks(target, changes),
  create: {
    description: 'Makes the machine, or goes on where an attempt before has ended',
    params: connection.extend({
      name: vmName,
      callId: z.string(),
      vmHost: vimName,
      datastore: vimName,
      spec: vmSpec,
      interfaces: z.array(connectedInterface).max(10),
    }),
    result: made,
    timeoutMs: 7_200_000,
    retry,
    limit,
  },
  destroy: {
    ...changes,
    description: 'Switches the machine off, and removes it with its disks',
    params: target,
    result: z.object({ destroyed: z.boolean() }),
  },
  state: { ...looks, description: 'Looks at the machine', params: target, result: vmState },
  interfaces: { ...looks, description: 'Reads its adapters', params: target, result: macList },
  execute: {
    description: 'Runs a command in the guest, through its tools; one that this call has begun is waited for',
    params: target.extend({
      ...guestLogin,
      command: z.string().min(1).max(10_000),
      dir: z.string().max(1000),
      runMs: z.number().int().min(1000).max(86_400_000),
      callId: z.string(),
    }),
    result: z.object({ rc: z.number().int() }),
    timeoutMs: ({ runMs }) => runMs + 120_000,
    retry,
    limit,
  },
  find_execution: {
    ...looks,
    description: 'Looks whether a call’s command was begun in the guest',
    params: target.extend({ ...guestLogin, callId: z.string() }),
    result: z.object({ isThere: z.boolean() }),
  },
  mark_template: {
    ...changes,
    description: 'Makes it a template, or a machine again',
    params: target.extend({ asTemplate: z.boolean() }),
    result: z.object({ changed: z.boolean() }),
  },
  export: {
    description: 'Writes its disks and their description to a URL, by HTTP PUT',
    params: target.extend({ url: z.url({ protocol: /^https?$/ }) }),
    result: z.object({ location: z.string() }),
    timeoutMs: 14_400_000,
    retry,
    limit,
  },
  list: {
    ...looks,
    description: 'Lists all machines of the datacenter that are no templates',
    params: connection,
    result: z.object({
      machines: z.array(z.object({ name: z.string(), uuid: vmUuid, status: z.string() })),
    }),
  },
  list_hosts: {
    ...looks,
    description: 'Lists the hosts that have so much, the best first',
    params: connection.extend({
      min_memory: z.number().min(0),
      min_cpu: z.number().min(0),
      cpu_scaler: z.number(),
      memory_scaler: z.number(),
    }),
    result: names,
  },
  list_datastores: {
    ...looks,
    description: 'Lists the datastores of a host that have so much free, that with most first',
    params: connection.extend({ vmHost: vimName, min_free_space: z.number().min(0), name_regex: nameRegex }),
    result: names,
  },
  list_networks: {
    ...looks,
    description: 'Lists the networks of a host',
    params: connection.extend({ vmHost: vimName, name_regex: nameRegex }),
    result: names,
  },
  create_datastore: {
    description: 'Makes a VMFS datastore of a host’s first free disk of a model; one of that name is the answer',
    params: connection.extend({ vmHost: vimName, datastore: z.string().min(1).max(42), model: z.string().min(1) }),
    result: z.object({ created: z.boolean() }),
    timeoutMs: 600_000,
    retry,
    limit: ({ host, port, vmHost }) => ({ key: `vcenter ${host}:${port} disks of ${vmHost}` }),
  },
})
export type Wanted = z.output<(typeof tasks)['create']['params']>
export type Made = z.output<typeof made>
