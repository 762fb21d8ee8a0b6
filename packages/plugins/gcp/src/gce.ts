import { createDeviceFunctions, definePower, interfacesOf, locationsOf, specOf } from '@contractor/driver'
import {
  defineDiscover,
  defineFoundation,
  defineRead,
  defineTaskFunction,
  type FoundationContext,
  type FunctionContext,
} from '@contractor/plugin'
import { z } from 'zod'
import { addressMap, connectionOf, type Fields, fields, ownConnection, resourceName, vmId } from './connection.ts'
import { type MachineState, tasks, toAddresses } from './tasks.ts'
import { nicsOf, specKeys, vmSpec } from './vm-spec.ts'

type Context = FunctionContext<Fields>
type Foundation = FoundationContext<Fields>

/** What it is called there. A locator that no machine can have is refused, and not changed into one that it can. */
function nameOf({ locator, fields: own }: Foundation): string {
  const name = own.gce_instance_name ?? locator
  const parsed = resourceName.safeParse(name)
  if (parsed.success) return name
  const why = parsed.error.issues[0]?.message
  throw new Error(`'${name}' cannot be the name of a machine there: it ${why}. Set gce_instance_name`)
}

const target = (foundation: Foundation) => ({
  ...connectionOf(foundation.fields),
  ...{ project: foundation.fields.gce_project, zone: foundation.fields.gce_zone },
  ...{ name: nameOf(foundation), locator: foundation.locator, id: foundation.fields.gce_id ?? null },
})
const reach = ({ foundation }: Context) => target(foundation)
const ask = createDeviceFunctions(reach)
const none = z.object({})
const gone = { gce_id: undefined, gce_ip_address_map: undefined }

const create = defineTaskFunction({
  description:
    'Makes a machine, with an interface for each of its Foundation, and waits until it runs. Gives gce_id and ip_address_map.',
  args: z.object({ vm_spec: vmSpec }),
  readsConfig: true,
  task: tasks.create,
  params: ({ vm_spec: spec }, { foundation, callId, config }: Context) => ({
    ...target(foundation),
    ...{ spec, callId, nics: nicsOf(spec, config('_foundation_interface_list')) },
  }),
  result: z.object({ gce_id: vmId, ip_address_map: addressMap }),
  value: ({ id, addresses }) => ({ gce_id: id, ip_address_map: addresses }),
  fields: ({ id, addresses }) => ({ gce_id: id, gce_ip_address_map: addresses }),
  message: ({ name, zone }) => `Making machine ${name} in ${zone}`,
  undo: {
    task: tasks.destroy,
    params: ({ spec: _, nics: __, ...made }) => made,
    fields: gone,
    rollback: true,
  },
  // One that is there is gone on with by the repeated Task, which knows its own by the call.
  observe: {
    task: tasks.state,
    params: ({ spec: _, nics: __, callId: ___, ...found }) => found,
    conclude: ({ id, status, call, interfaces }: MachineState, { callId, nics }) =>
      id !== null && call === callId && status === 'RUNNING'
        ? {
            done: {
              id,
              addresses: toAddresses(
                nics.map(one => one.name),
                interfaces,
              ),
            },
          }
        : { repeat: true },
  },
})

const destroy = defineTaskFunction({
  description: 'Deletes it, with its boot disk, and waits until it is gone. Gone already: nothing happens.',
  args: none,
  task: tasks.destroy,
  params: (_args, context: Context) => ({ ...reach(context), callId: null }),
  result: z.null(),
  value: () => null,
  fields: () => gone,
  message: ({ name }) => `Deleting machine ${name}`,
  idempotent: true,
})

const getInterfaceMap = defineTaskFunction({
  description: 'Reads the MACs of its interfaces. Compute Engine shows none today, and then that is an error.',
  args: none,
  readsConfig: true,
  task: tasks.interfaces,
  params: (_args, context: Context) => ({ ...reach(context), locations: locationsOf(context) }),
  result: z.record(z.string(), z.string()),
  value: ({ map }) => map,
  message: () => 'Reading the interfaces of the machine',
  idempotent: true,
})

const getIpAddressMap = defineTaskFunction({
  description:
    'Reads its addresses, which may be others after it was off: a map by the names of its interfaces. They are the config value ip_address_map then.',
  args: none,
  readsConfig: true,
  task: tasks.addresses,
  params: (_args, context: Context) => ({ ...reach(context), names: interfacesOf(context).map(one => one.name) }),
  result: addressMap,
  value: ({ addresses }) => addresses,
  fields: ({ addresses }) => ({ gce_ip_address_map: addresses }),
  message: () => 'Reading the addresses of the machine',
  idempotent: true,
})

/** A machine of Google Compute Engine. */
export const gce = defineFoundation({
  type: 'GCE',
  module: 'gcp',
  console: 'ttyS0',
  classes: ['VM', 'GCE'],
  fields,
  tasks,
  values: {
    gce_id: {
      get: ({ fields: own }) => own.gce_id ?? null,
      set: value => ({ gce_id: value === null ? undefined : vmId.parse(value) }),
    },
    gce_vmspec: {
      description: 'What the Structure on it wants of a machine, for gcp.create().',
      readsConfig: true,
      get: (_foundation, { config }) => specOf(config, specKeys),
    },
  },
  config: ({ fields: own }) => ({
    _gce_id: own.gce_id ?? null,
    _gce_project: own.gce_project,
    _gce_zone: own.gce_zone,
    ...(own.gce_ip_address_map && { ip_address_map: own.gce_ip_address_map }),
  }),
  read: defineRead({
    task: tasks.state,
    params: (foundation: Foundation) => target(foundation),
    seen: ({ exists, id, call: _, ...details }) => ({ exists, fields: { gce_id: id ?? undefined }, details }),
  }),
  discover: defineDiscover({
    task: tasks.list,
    identity: ['gce_id'],
    // No Complex stands for a project: it is looked with what the agent's machine has.
    params: () => ({ ...ownConnection, project: null }),
    found: ({ project, machines }) =>
      machines.map(({ name, zone, id, ...details }) => {
        const isOnly = machines.filter(one => one.name === name).length === 1
        return {
          locator: isOnly ? name : `${name}-${zone}`.slice(0, 100),
          fields: { gce_project: project, gce_zone: zone, gce_instance_name: name, gce_id: id },
          details,
        }
      }),
  }),
  functions: {
    // It gives the operating system 90 seconds to shut down, and there is no other way to stop it.
    ...definePower({ tasks, connection: reach, exhausted: 'paused', softMs: 240_000, hardMs: 240_000, agreeing: 2 }),
    destroy,
    get_interface_map: getInterfaceMap,
    get_ip_address_map: getIpAddressMap,
    inspect: ask({
      description: 'Looks at it: a map with exists, status, id, machine_type and interfaces.',
      ...{
        args: none,
        task: tasks.state,
        result: z.record(z.string(), z.unknown()),
        message: 'Looking at the machine',
      },
      value: ({ call: _, ...seen }) => seen,
    }),
  },
  moduleFunctions: { create },
})
