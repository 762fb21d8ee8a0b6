import {
  type AnyFunction,
  type ComplexContext,
  type ConfigSource,
  defineDiscover,
  defineRead,
  defineTaskFunction,
  type FoundationContext,
  type FunctionContext,
  json,
  type TaskDefinition,
  type ValueDefinition,
} from '@contractor/plugin'
import { z } from 'zod'
import { defineInterfaceMap, interfacesOf, machineInterface, macList, specOf } from './virtual-machine.ts'

/**
 * Virtual machines, the same for every hypervisor: one is made, removed, looked at, and tells the MACs of its ports. What a lost
 * call has left is known by the call's id, which the driver puts into what it makes: the same call goes on with it, and taking the
 * call back removes it.
 */

const interfaceMap = z.record(z.string(), z.string())

export const machineSeen = z.object({
  state: z.enum(['on', 'off', 'unknown', 'gone']),
  /** Null where there is none. */
  id: z.union([z.string(), z.number()]).nullable(),
  /** Whatever else the hypervisor says. */
  details: z.record(z.string(), json),
})
export type MachineSeen = z.output<typeof machineSeen>

/**
 * The Tasks that these functions ask for; `host` is what leads to where machines are, and `machine` to one: its host, its `name`,
 * and its `id`, null where it is not known.
 */
export function machineTasks<
  Host extends z.ZodObject,
  Shape extends z.ZodRawShape,
  Spec extends z.ZodType,
  Id extends z.ZodType,
  Rules extends object,
>({ host, machine, spec, id, rules }: { host: Host; machine: z.ZodObject<Shape>; spec: Spec; id: Id; rules: Rules }) {
  const callId = z.string()
  return {
    create: {
      ...rules,
      description: 'Makes the machine, or goes on with what the same call has left of it',
      params: machine.extend({ spec, interface_list: z.array(machineInterface), callId }),
      result: z.object({ id, interface_map: interfaceMap }),
      timeoutMs: 3_600_000,
    },
    destroy: {
      ...rules,
      description: 'Removes the machine with its disks; with a call, only what that call has made',
      params: machine.extend({ callId: callId.nullable() }),
      result: z.object({ destroyed: z.boolean() }),
      timeoutMs: 1_800_000,
    },
    look: { ...rules, description: 'Looks at the machine', params: machine, result: machineSeen },
    interfaces: {
      ...rules,
      description: 'Reads the MACs of its adapters, in their order',
      params: machine,
      result: macList,
    },
    list: {
      timeoutMs: 120_000,
      description: 'Lists all machines that are there',
      params: host,
      result: z.object({ machines: z.array(z.object({ name: z.string(), id })) }),
    },
  }
}

export interface MachineOptions<Fields, ComplexFields> {
  // biome-ignore lint/suspicious/noExplicitAny: what leads to a machine is known to its driver alone
  tasks: Record<'create' | 'destroy' | 'look' | 'interfaces' | 'list', TaskDefinition<any, any>>
  /** What the names of its values begin with: `libvirt` of `libvirt_complex` and `libvirt_vmspec`. */
  prefix: string
  spec: z.ZodType
  /** Where the parts of a spec are in the Structure's config. */
  specKeys: Readonly<Record<string, string>>
  id: z.ZodType
  /** The field that has the machine's id. */
  idField: string & keyof Fields
  /** What leads to it, with its name and `id`. */
  reach(foundation: FoundationContext<Fields, ComplexFields>): object
  /** What leads to where machines are. */
  hostOf(complex: ComplexContext<ComplexFields>): object
}

/**
 * Most of a type of virtual machines: `create` for the module; `destroy`, `inspect`, `get_interface_map` and `set_interface_macs`
 * for the Foundation; its id, its Complex and its spec as values, the first two as attributes too; how it is looked what there is.
 */
export function defineMachine<Fields, ComplexFields>(options: MachineOptions<Fields, ComplexFields>) {
  const { tasks, prefix, spec, specKeys, id, idField, reach: lead, hostOf } = options
  const reach = ({ foundation }: FunctionContext) => lead(foundation as FoundationContext<Fields, ComplexFields>)

  const create = defineTaskFunction({
    description:
      'Makes the machine as its spec says, with the Foundation’s ports, and does not switch it on. What an attempt before has left is gone on with; a machine of this name that is not of this call is an error.',
    args: z.object({ vm_spec: spec }),
    readsConfig: true,
    task: tasks.create,
    params: ({ vm_spec }, context: FunctionContext) => ({
      ...reach(context),
      ...{ id: null, spec: vm_spec, interface_list: interfacesOf(context), callId: context.callId },
    }),
    result: id,
    value: reply => reply.id,
    fields: reply => ({ [idField]: reply.id }),
    macs: reply => reply.interface_map,
    message: () => 'Making the machine',
    idempotent: true,
    undo: {
      task: tasks.destroy,
      params: ({ spec: _, interface_list: __, ...made }) => made,
      fields: { [idField]: undefined },
      rollback: true,
    },
  }) as AnyFunction

  const destroy = defineTaskFunction({
    description: 'Removes the machine with its disks, running or not. Gone already: nothing happens.',
    args: z.object({}),
    task: tasks.destroy,
    params: (_args, context: FunctionContext) => ({ ...reach(context), callId: null }),
    result: z.null(),
    value: () => null,
    fields: () => ({ [idField]: undefined }),
    message: () => 'Removing the machine',
    idempotent: true,
  }) as AnyFunction

  const inspect = defineTaskFunction({
    description: 'Looks at it: a map with state (on, off, unknown or gone), id, and what the hypervisor says besides.',
    args: z.object({}),
    task: tasks.look,
    params: (_args, context: FunctionContext) => reach(context),
    result: z.record(z.string(), json),
    value: reply => {
      const { state, id: own, details } = machineSeen.parse(reply)
      return { ...details, state, id: own }
    },
    message: () => 'Looking at the machine',
    idempotent: true,
  }) as AnyFunction

  const values: Record<string, ValueDefinition<Fields>> = {
    [idField]: {
      description: 'The machine, once it is made.',
      get: ({ fields }) => json.parse(fields[idField] ?? null),
      set: value => ({ [idField]: value === null ? undefined : id.parse(value) }) as Partial<Fields>,
    },
    [`${prefix}_complex`]: { get: ({ complex }) => complex?.name ?? null },
    [`${prefix}_vmspec`]: {
      description: `What the Structure on it wants of a machine, for ${prefix}.create().`,
      readsConfig: true,
      get: (_foundation, { config }) => json.parse(spec.parse(specOf(config, specKeys))),
    },
  }

  const read = defineRead({
    task: tasks.look,
    params: foundation => lead(foundation as FoundationContext<Fields, ComplexFields>),
    seen: reply => {
      const { state, id: own, details } = machineSeen.parse(reply)
      return {
        exists: state !== 'gone',
        fields: { [idField]: own ?? undefined },
        details: { ...details, power: state },
      }
    },
  })

  const discover = defineDiscover({
    task: tasks.list,
    identity: [idField],
    params: ({ complex }: { site: string; complex?: ComplexContext<ComplexFields> }) => {
      if (!complex) throw new Error('Machines are found on a Complex: name one')
      return hostOf(complex)
    },
    found: ({ machines }: { machines: { name: string; id: unknown }[] }) =>
      machines
        .filter(({ name }) => /^[a-zA-Z][a-zA-Z0-9_-]{0,99}$/.test(name))
        .map(one => ({ locator: one.name, fields: { [idField]: one.id } })),
  })

  return {
    values,
    config: ({ fields, complex }: ConfigSource<Fields>) => ({
      [`_${idField}`]: json.parse(fields[idField] ?? null),
      [`_${prefix}_complex`]: complex,
    }),
    read,
    discover,
    moduleFunctions: { create },
    functions: {
      destroy,
      inspect,
      ...defineInterfaceMap({ task: tasks.interfaces, connection: reach }),
    },
  }
}
