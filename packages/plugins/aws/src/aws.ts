import {
  createDeviceFunctions,
  definePower,
  interfacesOf,
  locationOf,
  locationsOf,
  machineNameOf,
} from '@contractor/driver'
import {
  defineDiscover,
  defineFoundation,
  defineFunction,
  defineRead,
  defineTaskFunction,
  type FoundationContext,
  type FunctionContext,
} from '@contractor/plugin'
import { z } from 'zod'
import { addressMap, connectionOf, type Fields, fields, instanceId, ownConnection } from './connection.ts'
import { specOf } from './instance-spec.ts'
import { type InstanceState, tasks, toMade } from './tasks.ts'

type Context = FunctionContext<Fields>
type Foundation = FoundationContext<Fields>

const target = ({ locator, fields: own }: Foundation) => ({
  ...connectionOf(own),
  ...{ name: locator, id: own.awsec2_instance_id ?? null },
})
const reach = ({ foundation }: Context) => target(foundation)
const ask = createDeviceFunctions(reach)
const none = z.object({})
const gone = { awsec2_instance_id: undefined, awsec2_ip_address_map: undefined }

const create = defineTaskFunction({
  description:
    'Makes an instance of what the config says (awsec2_image_id, awsec2_type …), and waits until it runs. Gives instance_id, interface_list and ip_address_map.',
  args: none,
  readsConfig: true,
  task: tasks.create,
  params: (_args, context: Context) => {
    return { ...reach(context), name: machineNameOf(context.foundation), spec: specOf(context), callId: context.callId }
  },
  result: z.object({
    instance_id: instanceId,
    interface_list: z.array(z.object({ name: z.string(), mac: z.string() })),
    ip_address_map: addressMap,
  }),
  value: ({ id, ...rest }) => ({ instance_id: id, ...rest }),
  fields: ({ id, ip_address_map }) => ({ awsec2_instance_id: id, awsec2_ip_address_map: ip_address_map }),
  message: ({ name }) => `Making instance ${name}`,
  undo: {
    task: tasks.destroy,
    params: ({ spec: _, ...made }, reply) => ({ ...made, id: reply?.id ?? made.id }),
    fields: gone,
    rollback: true,
  },
  // One that is not ready yet is gone on with by the repeated Task, which knows its own by the call.
  observe: {
    task: tasks.state,
    params: ({ spec: _, callId: __, ...found }) => found,
    conclude: ({ state, call, id, interfaces }: InstanceState, { callId, spec }) =>
      call === callId && state === 'running' && id !== null && spec.elastic_ip === null
        ? { done: toMade(id, interfaces) }
        : { repeat: true },
  },
})

const destroy = defineTaskFunction({
  description: 'Terminates it, and waits until it is terminated. Gone already: nothing happens.',
  args: none,
  task: tasks.destroy,
  params: (_args, context: Context) => ({ ...reach(context), callId: null }),
  result: z.null(),
  value: () => null,
  fields: () => gone,
  message: ({ name }) => `Terminating instance ${name}`,
  idempotent: true,
})

const setInterfaceMacs = defineFunction({
  description: 'Keeps MACs at the Foundation’s interfaces, by their names: those that aws.create() gives.',
  args: z.object({ interface_list: z.array(z.looseObject({ name: z.string(), mac: z.string() })) }),
  readsConfig: true,
  state: z.record(z.string(), z.string()),
  result: z.null(),
  start({ interface_list }, { foundation, config }: Context) {
    const present = interfacesOf({ config })
    const macs = interface_list.map(({ name, mac }) => {
      const found = present.find(one => one.name === name)
      if (found) return [locationOf(found), mac] as const
      const known = present.map(one => one.name).join(', ') || 'none'
      throw new Error(`Foundation '${foundation.locator}' has no interface '${name}': it has ${known}`)
    })
    return Object.fromEntries(macs)
  },
  outcome: macs => ({ kind: 'done', value: null, macs }),
})

const setIpAddresses = defineFunction({
  description:
    'Moves the Addresses that the Structure on it has on these interfaces to the addresses that aws.create() gives: each within an AddressBlock that there is.',
  args: z.object({ ip_address_map: z.record(z.string(), z.union([z.ipv4(), z.ipv6()])) }),
  state: addressMap,
  result: z.null(),
  start: ({ ip_address_map }) => ip_address_map,
  outcome: addresses => ({ kind: 'done', value: null, addresses, fields: { awsec2_ip_address_map: addresses } }),
})

const getInterfaceMap = defineTaskFunction({
  description: 'Reads the MACs of its interfaces: a map by the physical locations of the Foundation’s, in their order.',
  args: none,
  readsConfig: true,
  task: tasks.interfaces,
  params: (_args, context: Context) => ({ ...reach(context), locations: locationsOf(context) }),
  result: z.record(z.string(), z.string()),
  value: ({ map }) => map,
  message: () => 'Reading the interfaces of the instance',
  idempotent: true,
})

const isLocator = (name: string) => /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$/.test(name)

/** An instance of Amazon EC2, named as its Foundation. */
export const aws = defineFoundation({
  type: 'AWSEC2',
  module: 'aws',
  classes: ['AWSEC2'],
  fields,
  tasks,
  values: {
    awsec2_instance_id: {
      get: ({ fields: own }) => own.awsec2_instance_id ?? null,
      set: value => ({ awsec2_instance_id: value === null ? undefined : instanceId.parse(value) }),
    },
  },
  config: ({ fields: { awsec2_instance_id, awsec2_ip_address_map } }) => ({
    _awsec2_instance_id: awsec2_instance_id ?? null,
    ...(awsec2_ip_address_map && { ip_address_map: awsec2_ip_address_map }),
  }),
  read: defineRead({
    task: tasks.state,
    params: (foundation: Foundation) => target(foundation),
    seen: ({ id, state, call: _, ...details }) => ({
      exists: state !== 'gone',
      fields: { awsec2_instance_id: id ?? undefined },
      details: { state, ...details },
    }),
  }),
  discover: defineDiscover({
    task: tasks.list,
    identity: ['awsec2_instance_id'],
    // No Complex stands for an account: it is looked with what the agent itself has.
    params: () => ownConnection,
    found: ({ region, instances }) =>
      instances.map(({ name, id, call: _, ...details }) => {
        const isOnly = instances.filter(one => one.name === name).length === 1
        return {
          locator: name !== null && isOnly && isLocator(name) ? name : id,
          fields: { awsec2_instance_id: id, awsec2_region: region },
          details,
        }
      }),
  }),
  functions: {
    // An instance takes its time to stop: minutes, where its operating system does.
    ...definePower({ tasks, connection: reach, exhausted: 'paused', softMs: 240_000, hardMs: 240_000, agreeing: 2 }),
    destroy,
    get_interface_map: getInterfaceMap,
    set_interface_macs: setInterfaceMacs,
    set_ip_addresses: setIpAddresses,
    inspect: ask({
      description:
        'Looks at it: a map with state (pending, running, stopping, stopped, shutting-down, gone), id, type, image_id, zone and interfaces.',
      ...{
        args: none,
        task: tasks.state,
        result: z.record(z.string(), z.unknown()),
        message: 'Looking at the instance',
      },
      value: ({ call: _, ...seen }) => seen,
    }),
  },
  moduleFunctions: { create },
})
