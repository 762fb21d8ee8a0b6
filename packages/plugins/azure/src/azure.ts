import { createDeviceFunctions, definePower, locationsOf, setInterfaceMacs, specOf } from '@contractor/driver'
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
import { azureComplex, type ComplexFields, connectionOf, resourceName } from './connection.ts'
import { tasks } from './tasks.ts'
import { nicsOf, specKeys, vmSpec } from './vm-spec.ts'

const fields = z.object({
  azure_resource_name: resourceName.optional().describe('The machine, once it is made'),
})
type Fields = z.output<typeof fields>
type Context = FunctionContext<Fields, ComplexFields>
type Foundation = FoundationContext<Fields, ComplexFields>

/** A locator that no machine can have is refused, and not changed into one that it can. */
function nameOf({ locator, fields: own }: Foundation): string {
  const name = own.azure_resource_name ?? locator
  const parsed = resourceName.safeParse(name)
  if (parsed.success) return name
  throw new Error(`'${name}' cannot be the name of a machine of Azure: it ${parsed.error.issues[0]?.message}`)
}

function target(foundation: Foundation) {
  const { complex, locator, fields: own } = foundation
  if (!complex) throw new Error(`Foundation '${locator}' has no Complex that provides it`)
  const isNamed = own.azure_resource_name !== undefined
  return { ...connectionOf(complex), name: nameOf(foundation), locator, is_named: isNamed }
}
const reach = ({ foundation }: Context) => target(foundation)
const ask = createDeviceFunctions(reach)
const none = z.object({})
const gone = { azure_resource_name: undefined }

const create = defineTaskFunction({
  description:
    'Makes a machine, with an interface for each of its Foundation, and waits until it runs. Gives its name.',
  args: z.object({ vm_spec: vmSpec }),
  readsConfig: true,
  task: tasks.create,
  params: ({ vm_spec: spec }, context: Context) => ({
    ...{ ...reach(context), spec, callId: context.callId },
    nics: nicsOf(spec, context.config('_foundation_interface_list')),
  }),
  result: resourceName,
  value: ({ name }) => name,
  fields: ({ name }) => ({ azure_resource_name: name }),
  macs: ({ interface_map }) => interface_map,
  message: ({ name }) => `Making machine ${name}`,
  // What an attempt before has made is found by its name and its tags, and gone on with.
  idempotent: true,
  undo: {
    task: tasks.destroy,
    params: ({ spec: _, nics: __, ...made }) => made,
    fields: gone,
    rollback: true,
  },
})

const destroy = defineTaskFunction({
  description: 'Deletes it, with its interfaces and its disk. Gone already: nothing happens.',
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
  description: 'Reads the MACs of its interfaces: a map by the physical locations of the Foundation’s.',
  args: none,
  readsConfig: true,
  task: tasks.interfaces,
  params: (_args, context: Context) => ({ ...reach(context), locations: locationsOf(context) }),
  result: z.record(z.string(), z.string()),
  value: ({ interface_map }) => interface_map,
  message: () => 'Reading the interfaces of the machine',
  idempotent: true,
})

/** A virtual machine of Azure. */
export const azure = defineFoundation({
  type: 'Azure',
  console: 'ttyS0',
  classes: ['VM', 'Azure'],
  complex: azureComplex,
  fields,
  tasks,
  values: {
    azure_resource_name: {
      get: ({ fields: own }) => own.azure_resource_name ?? null,
      set: value => ({ azure_resource_name: value === null ? undefined : resourceName.parse(value) }),
    },
    azure_complex: { get: ({ complex }) => complex?.name ?? null },
    azure_vmspec: {
      description: 'What the Structure on it wants of a machine, for azure.create().',
      readsConfig: true,
      get: (_foundation, { config }) => specOf(config, specKeys),
    },
  },
  config: ({ fields: own, complex, complexFields }) => ({
    _azure_resource_name: own.azure_resource_name ?? null,
    _azure_complex: complex,
    _azure_resource_group: complexFields?.azure_resource_group ?? null,
    _azure_location: complexFields?.azure_location ?? null,
  }),
  read: defineRead({
    task: tasks.state,
    params: (foundation: Foundation) => target(foundation),
    seen: ({ name, call: _, ...details }) => ({
      ...{ exists: name !== null, fields: { azure_resource_name: name ?? undefined }, details },
    }),
  }),
  discover: defineDiscover({
    task: tasks.list,
    identity: ['azure_resource_name'],
    params: ({ complex }: { site: string; complex?: ComplexContext<ComplexFields> }) => {
      if (!complex) throw new Error('Machines are found on a Complex: name one')
      return connectionOf(complex)
    },
    found: ({ machines }) =>
      machines
        .filter(({ name }) => resourceName.safeParse(name).success)
        .map(({ name, ...details }) => ({ locator: name, fields: { azure_resource_name: name }, details })),
  }),
  functions: {
    ...definePower({ tasks, connection: reach, exhausted: 'paused', softMs: 240_000, hardMs: 240_000, agreeing: 2 }),
    destroy,
    get_interface_map: getInterfaceMap,
    set_interface_macs: setInterfaceMacs,
    inspect: ask({
      description:
        'Looks at it: a map with name (None where there is none), power, provisioning and size, in Azure’s words.',
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
