import {
  connectedInterfacesOf,
  createDeviceFunctions,
  defineInterfaceMap,
  definePower,
  locationOf,
  pairMacs,
  specOf,
} from '@contractor/driver'
import {
  type ComplexContext,
  defineDiscover,
  defineFoundation,
  defineRead,
  defineTaskFunction,
  type FoundationContext,
  type FunctionContext,
} from '@contractor/plugin'
import { z } from 'zod'
import { type ComplexFields, connectionOf, nodeName, proxmoxComplex, vmId } from './connection.ts'
import { snapshot, snapshotName, type Target, tasks } from './tasks.ts'
import { specDefaults, specKeys, vmName, vmSpec } from './vm-spec.ts'

const fields = z.object({
  proxmox_id: vmId.optional().describe('The machine, once it is made'),
  proxmox_node: nodeName.optional().describe('The node that it was seen on last'),
})
type Fields = z.output<typeof fields>
type Context = FunctionContext<Fields, ComplexFields>
type Foundation = FoundationContext<Fields, ComplexFields>

const complexOf = ({ complex, locator }: Foundation): ComplexFields => {
  if (!complex) throw new Error(`Foundation '${locator}' has no Complex that provides it`)
  return complex.fields
}
const reach = (foundation: Foundation): Target => ({
  ...connectionOf(complexOf(foundation)),
  name: foundation.locator,
  id: foundation.fields.proxmox_id ?? null,
})
const reachOf = ({ foundation }: Context) => reach(foundation)

const ask = createDeviceFunctions(reachOf)
const gone = { proxmox_id: undefined, proxmox_node: undefined }

const create = defineTaskFunction({
  description:
    'Makes the machine, of nothing or of a template, switched off; its adapters are the interfaces of its Foundation, each on the bridge that its Network is named for. Gives its id.',
  args: z.object({ vm_spec: vmSpec }),
  task: tasks.create,
  readsConfig: true,
  params: ({ vm_spec: spec }, context: Context) => {
    const { foundation, callId } = context
    const { locator: name } = foundation
    const checked = vmName.safeParse(name)
    if (!checked.success) throw new Error(`Foundation '${name}': its locator ${checked.error.issues[0]?.message}`)
    const own = complexOf(foundation)
    return {
      ...{ ...connectionOf(own), name, callId, spec, interfaces: connectedInterfacesOf(context) },
      defaults: { node: own.proxmox_node ?? null, storage: own.proxmox_storage },
    }
  },
  result: vmId,
  value: ({ id }) => id,
  fields: ({ id, node }) => ({ proxmox_id: id, proxmox_node: node }),
  macs: ({ places, macs }) => pairMacs(places, macs),
  message: ({ name }) => `Making machine ${name}`,
  undo: {
    task: tasks.destroy,
    params: ({ spec: _, interfaces: __, defaults: ___, callId: ____, ...rest }, made) => ({
      ...rest,
      id: made?.id ?? null,
    }),
    fields: gone,
  },
  observe: {
    task: tasks.state,
    params: ({ spec: _, interfaces: __, defaults: ___, callId: ____, ...rest }) => ({ ...rest, id: null }),
    conclude: ({ id, node, call, isWhole, macs }, { callId, interfaces }) =>
      call === callId && isWhole && id !== null && node !== null
        ? { done: { id, node, macs, places: interfaces.map(locationOf) } }
        : { repeat: true },
  },
})

const createSnapshot = defineTaskFunction({
  description:
    'Takes a snapshot, with memory that of what runs besides. One of that name that another call has taken: an error.',
  args: z.object({
    name: snapshotName,
    description: z.string().max(4000).default(''),
    memory: z.boolean().default(false),
  }),
  task: tasks.create_snapshot,
  params: ({ name, description, memory }, context: Context) => ({
    ...reachOf(context),
    ...{ snapshot: name, description, memory, callId: context.callId },
  }),
  result: z.null(),
  value: () => null,
  message: ({ snapshot: name }) => `Taking snapshot ${name}`,
  // A second try finds what this call has taken.
  idempotent: true,
})

const nodeList = defineTaskFunction({
  description: 'The nodes with so much free memory, in MiB, and so many cores; that with most free before others.',
  args: z.object({ min_memory: z.number().min(0).default(0), min_cores: z.number().min(0).default(0) }),
  task: tasks.list_nodes,
  params: (args, { foundation }: Context) => ({ ...connectionOf(complexOf(foundation)), ...args }),
  result: z.array(z.string()),
  value: ({ nodes }) => nodes,
  message: () => 'Looking for a node',
  idempotent: true,
})

const isLocator = (name: string) => /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$/.test(name)

/** A virtual machine on Proxmox VE, named as its Foundation. */
export const proxmox = defineFoundation({
  type: 'Proxmox',
  classes: ['VM', 'Proxmox'],
  complex: proxmoxComplex,
  fields,
  tasks,
  values: {
    proxmox_id: {
      get: ({ fields: own }) => own.proxmox_id ?? null,
      set: value => (value === null ? gone : { proxmox_id: vmId.parse(value) }),
    },
    proxmox_complex: { get: ({ complex }) => complex?.name ?? null },
    proxmox_vmspec: {
      description: 'What the Structure on it wants of a machine, for proxmox.create().',
      readsConfig: true,
      get: (_foundation, { config }) => specOf(config, specKeys, specDefaults),
    },
  },
  config: ({ fields: own, complex }) => ({
    _proxmox_id: own.proxmox_id ?? null,
    _proxmox_node: own.proxmox_node ?? null,
    _proxmox_complex: complex,
  }),
  read: defineRead({
    task: tasks.state,
    params: (foundation: Foundation) => reach(foundation),
    seen: ({ state, id, node, status, lock, address_map }) => ({
      exists: state !== 'gone',
      fields: { proxmox_id: id ?? undefined, proxmox_node: node ?? undefined },
      details: { power: state, status, lock, address_map },
    }),
  }),
  discover: defineDiscover({
    task: tasks.list,
    identity: ['proxmox_id'],
    params: ({ complex }: { site: string; complex?: ComplexContext<ComplexFields> }) => {
      if (!complex) throw new Error('Machines are found on a Complex: name one')
      return connectionOf(complex.fields)
    },
    found: ({ machines }) =>
      machines
        .filter(({ name }) => isLocator(name))
        .map(({ name, id, node, status }) => ({
          locator: name,
          fields: { proxmox_id: id, proxmox_node: node },
          details: { status },
        })),
  }),
  functions: {
    ...definePower({ tasks, connection: reachOf, exhausted: 'paused' }),
    ...defineInterfaceMap({ task: tasks.interfaces, connection: reachOf }),
    destroy: defineTaskFunction({
      description: 'Switches it off, and removes it with its disks. Gone already: nothing happens.',
      args: z.object({}),
      task: tasks.destroy,
      params: (_args, context: Context) => reachOf(context),
      result: z.null(),
      value: () => null,
      fields: () => gone,
      message: ({ name }) => `Removing machine ${name}`,
      idempotent: true,
    }),
    inspect: ask({
      description:
        'Looks at it: a map with state (on, off or gone), id, node, status, lock, cpu_count, memory_size and address_map.',
      args: z.object({}),
      task: tasks.state,
      result: z.record(z.string(), z.unknown()),
      value: ({ call: _, isWhole: __, macs: ___, ...seen }) => seen,
      message: 'Looking at the machine',
    }),
    create_snapshot: createSnapshot,
    snapshot_list: ask({
      description:
        'Its snapshots, in the order in which they were taken: maps with name, description, at, parent, memory.',
      args: z.object({}),
      task: tasks.list_snapshots,
      result: z.array(snapshot),
      value: ({ snapshots }) => snapshots,
      message: 'Reading its snapshots',
    }),
    rollback_snapshot: defineTaskFunction({
      description: 'Makes it as it was at a snapshot, and switches it on with start.',
      args: z.object({ name: snapshotName, start: z.boolean().default(false) }),
      task: tasks.rollback_snapshot,
      params: ({ name, start }, context: Context) => ({ ...reachOf(context), snapshot: name, start }),
      result: z.null(),
      value: () => null,
      message: ({ snapshot: name }) => `Going back to snapshot ${name}`,
      idempotent: true,
    }),
    delete_snapshot: defineTaskFunction({
      description: 'Removes a snapshot. Gone already: nothing happens.',
      args: z.object({ name: snapshotName }),
      task: tasks.delete_snapshot,
      params: ({ name }, context: Context) => ({ ...reachOf(context), snapshot: name }),
      result: z.null(),
      value: () => null,
      message: ({ snapshot: name }) => `Removing snapshot ${name}`,
      idempotent: true,
    }),
  },
  moduleFunctions: { create, node_list: nodeList },
})
