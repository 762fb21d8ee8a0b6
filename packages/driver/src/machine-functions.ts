import {
  type AnyFunction,
  defineTaskFunction,
  type FoundationContext,
  type FunctionContext,
  json,
  type TaskDefinition,
  type ValueDefinition,
} from '@contractor/plugin'
import { z } from 'zod'
import { interfacesOf, locationsOf, machineInterface, setInterfaceMacs } from './virtual-machine.ts'

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

/** The Tasks that these functions ask for; `machine` is what leads to one: its host, its `name`, and its `id`, null where it is not known. */
export function machineTasks<
  Shape extends z.ZodRawShape,
  Spec extends z.ZodType,
  Id extends z.ZodType,
  Rules extends object,
>(machine: z.ZodObject<Shape>, { spec, id, rules }: { spec: Spec; id: Id; rules: Rules }) {
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
      description: 'Reads the MACs of its ports, by where these are',
      params: machine.extend({ locations: z.array(z.string()) }),
      result: z.object({ interface_map: interfaceMap }),
    },
  }
}

export interface MachineOptions<Fields, ComplexFields> {
  // biome-ignore lint/suspicious/noExplicitAny: what leads to a machine is known to its driver alone
  tasks: Record<'create' | 'destroy' | 'look' | 'interfaces', TaskDefinition<any, any>>
  spec: z.ZodType
  id: z.ZodType
  /** The field that has the machine's id. */
  idField: string & keyof Fields
  /** What leads to it, with its name and `id`. */
  reach(foundation: FoundationContext<Fields, ComplexFields>): object
}

/** `create` for the module, `destroy`, `inspect`, `get_interface_map` and `set_interface_macs` for the Foundation, and its id as a value. */
export function defineMachine<Fields, ComplexFields>(options: MachineOptions<Fields, ComplexFields>) {
  const { tasks, spec, id, idField, reach: lead } = options
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

  const getInterfaceMap = defineTaskFunction({
    description: 'Reads the MACs of its ports: a map by their physical locations.',
    args: z.object({}),
    readsConfig: true,
    task: tasks.interfaces,
    params: (_args, context: FunctionContext) => ({ ...reach(context), locations: locationsOf(context) }),
    result: interfaceMap,
    value: reply => reply.interface_map,
    message: () => 'Reading its MACs',
    idempotent: true,
  }) as AnyFunction

  const idValue: ValueDefinition<Fields> = {
    description: 'The machine, once it is made.',
    get: ({ fields }) => json.parse(fields[idField] ?? null),
    set: value => ({ [idField]: value === null ? undefined : id.parse(value) }) as Partial<Fields>,
  }

  return {
    moduleFunctions: { create },
    functions: {
      destroy,
      inspect,
      get_interface_map: getInterfaceMap,
      set_interface_macs: setInterfaceMacs as unknown as AnyFunction,
    },
    idValue,
  }
}
