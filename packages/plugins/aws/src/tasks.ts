import { powerTasks } from '@contractor/driver'
import { defineTasks, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { addressMap, connection, instanceId } from './connection.ts'
import { instanceSpec } from './instance-spec.ts'

/** An instance is found by its id, where that is known, and by the tags that `create` gives it. */
const instance = connection.extend({ name: z.string().min(1), id: instanceId.nullable() })
type Instance = z.output<typeof instance>

/** One change of an instance at a time. EC2 as a whole counts requests, and says itself when there are too many. */
const rules = {
  timeoutMs: 120_000,
  retry: { attempts: 8, backoffMs: 5000, mostMs: 120_000 },
  limit: ({ region, name }: Pick<Instance, 'region' | 'name'>) => ({ key: `ec2 ${region ?? ''} ${name}` }),
} satisfies Partial<TaskRules<typeof instance>>

const networkInterface = z.object({
  /** `eth0` for the first one, by its index. */
  name: z.string(),
  mac: z.string(),
  private_ip: z.string().nullable(),
  public_ip: z.string().nullable(),
  subnet_id: z.string().nullable(),
})

/** As EC2 has them, and `gone`, also for what it still shows as terminated. */
export const lifecycle = z.enum(['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'gone'])

export const instanceState = z.object({
  state: lifecycle,
  id: instanceId.nullable(),
  type: z.string(),
  image_id: z.string(),
  zone: z.string(),
  interfaces: z.array(networkInterface),
  /** Which call has made it. */
  call: z.string().nullable(),
})
export type InstanceState = z.output<typeof instanceState>

const made = z.object({
  id: instanceId,
  interface_list: z.array(z.object({ name: z.string(), mac: z.string() })),
  ip_address_map: addressMap,
})
export type Made = z.output<typeof made>

/** Where an interface has no public address, its private one is that by which it is reached. */
export const toMade = (id: string, interfaces: InstanceState['interfaces']): Made => ({
  id,
  interface_list: interfaces.map(({ name, mac }) => ({ name, mac })),
  ip_address_map: Object.fromEntries(
    interfaces.flatMap(({ name, public_ip, private_ip }) => {
      const address = public_ip ?? private_ip
      return address === null ? [] : [[name, address]]
    }),
  ),
})

export const tasks = defineTasks({
  ...powerTasks(instance, rules),
  create: {
    ...rules,
    description: 'Makes an instance, and waits until it runs with its addresses',
    params: instance.extend({ spec: instanceSpec, callId: z.string() }),
    result: made,
    timeoutMs: 1_800_000,
  },
  state: { ...rules, description: 'Looks at the instance', params: instance, result: instanceState },
  interfaces: {
    ...rules,
    description: 'Reads the MACs of its interfaces, for the locations of the Foundation’s',
    params: instance.extend({ locations: z.array(z.string()) }),
    result: z.object({ map: z.record(z.string(), z.string()) }),
  },
  destroy: {
    ...rules,
    description: 'Terminates the instance, and waits until it is terminated; with a call, only what that call has made',
    params: instance.extend({ callId: z.string().nullable() }),
    result: z.object({ destroyed: z.boolean() }),
    timeoutMs: 1_800_000,
  },
  list: {
    timeoutMs: 300_000,
    retry: rules.retry,
    description: 'Lists the instances of a region',
    params: connection,
    result: z.object({
      region: z.string(),
      instances: z.array(instanceState.extend({ id: instanceId, name: z.string().nullable() })),
    }),
  },
})
