import {
  type AnyFunction,
  defineFunction,
  type FoundationContext,
  type FunctionContext,
  type TaskDefinition,
  wireError,
} from '@contractor/plugin'
import { z } from 'zod'

/**
 * What drivers of hypervisors and clouds share: the name and the size of a virtual machine, what the Structure on it wants of it, and
 * how its adapters and the Foundation's interfaces go together. Templates give texts, so numbers may be some.
 */

/** A locator that can be the name of a virtual machine. Hypervisors take no digit in front, nor anything that a shell or a path would read. */
export const machineName = z
  .string()
  .max(100)
  .regex(
    /^[a-zA-Z][a-zA-Z0-9._-]*$/,
    'cannot be the name of a virtual machine: that begins with a letter, and has letters, digits, ., _ and - after it',
  )

/** The name of a Foundation's machine; throws where its locator cannot be one. */
export function machineNameOf({ locator }: Pick<FoundationContext, 'locator'>): string {
  const parsed = machineName.safeParse(locator)
  if (parsed.success) return parsed.data
  throw new Error(`The locator '${locator}' ${parsed.error.issues[0]?.message}`)
}

/** `memory_size` is in MiB, as everywhere; `disk_size` in GiB. */
export const machineSize = z.object({
  cpu_count: z.coerce.number().int().min(1).max(64).default(1),
  memory_size: z.coerce.number().int().min(512).max(1_048_510).default(1024),
  disk_size: z.coerce.number().int().min(1).max(65_536).default(10),
})

/**
 * What a type's `…_vmspec` is: of the Structure's config, by the names that the functions have for it; those that are not
 * there are left out, and `defaults` stand for them.
 */
export function specOf<Value>(
  config: (name: string) => Value | undefined,
  keys: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, Value>> = {},
): Record<string, Value> {
  const found = Object.entries(keys).flatMap(([name, key]) => {
    const value = config(key) ?? defaults[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(found)
}

/** An address of an interface, as far as a machine is told it. */
const address = z.object({
  address: z.string(),
  prefix: z.number().int(),
  netmask: z.string().nullable().default(null),
  gateway: z.string().nullable().default(null),
  primary: z.boolean().default(false),
})

/** An interface of the Foundation itself: one adapter of its machine. */
export const machineInterface = z.object({
  name: z.string(),
  /** Where it is in the machine, as `eth0`; its name unless said. */
  physical_location: z.string().nullable(),
  /** The Network that it is on, whose name is the hypervisor's own for it: a bridge, a port group, a virtual network. */
  network: z.string().nullable(),
  mac: z.string().nullable(),
  address_list: z.array(address).default([]),
})
export type MachineInterface = z.output<typeof machineInterface>

/** One that is on a Network. */
export const connectedInterface = machineInterface.extend({ network: z.string() })
export type ConnectedInterface = z.output<typeof connectedInterface>

/** How an adapter is named where MACs are told: by where it is. */
export const locationOf = ({ physical_location, name }: Pick<MachineInterface, 'name' | 'physical_location'>): string =>
  physical_location ?? name

/** In the order of the adapters: by physical location, and eth10 behind eth2. For functions with `readsConfig`. */
export function interfacesOf({ config }: Pick<FunctionContext, 'config'>): MachineInterface[] {
  const all = z.array(machineInterface).parse(config('_foundation_interface_list') ?? [])
  return all.sort((one, other) => locationOf(one).localeCompare(locationOf(other), 'en', { numeric: true }))
}

/** The same, where an adapter that is plugged in nowhere cannot be: throws where an interface has no Network. */
export function connectedInterfacesOf(
  context: Pick<FunctionContext<unknown, unknown>, 'config' | 'foundation'>,
): ConnectedInterface[] {
  return interfacesOf(context).map(({ network, ...one }) => {
    if (network !== null) return { ...one, network }
    const { locator } = context.foundation
    throw new Error(
      `Interface '${one.name}' of Foundation '${locator}' has no Network: give it one that is named as on the host`,
    )
  })
}

export const locationsOf = (context: Pick<FunctionContext, 'config'>): string[] => interfacesOf(context).map(locationOf)

/** The MACs of adapters, in their order, by the locations of the interfaces; what is surplus is dropped. */
export function pairMacs(locations: readonly string[], macs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    locations.flatMap((location, at) => (macs[at] === undefined ? [] : [[location, macs[at].toLowerCase()]])),
  )
}

/** The answer of the Task that reads a machine's adapters: their MACs, in their order. */
export const macList = z.object({ interface_list: z.array(z.string()) })

/** Tells Contractor the MACs that a hypervisor has made up: the last step of creating a machine. */
export const setInterfaceMacs = defineFunction({
  description: 'Keeps the MACs of its interfaces, by their physical locations or names.',
  args: z.object({ interface_map: z.record(z.string(), z.string()) }),
  readsConfig: true,
  state: z.record(z.string(), z.string()),
  result: z.null(),
  start: ({ interface_map }) => interface_map,
  outcome: macs => ({ kind: 'done', value: null, macs }),
}) as AnyFunction

export interface InterfaceMapOptions<Context extends FunctionContext<unknown, unknown>> {
  // biome-ignore lint/suspicious/noExplicitAny: a connection's own shape is known to its driver alone
  task: TaskDefinition<any, typeof macList>
  /** What leads to the machine. */
  connection(context: Context): unknown
}

/** `get_interface_map` and `set_interface_macs`. */
export function defineInterfaceMap<Context extends FunctionContext<unknown, unknown>>({
  task,
  connection,
}: InterfaceMapOptions<Context>): { get_interface_map: AnyFunction; set_interface_macs: AnyFunction } {
  return {
    get_interface_map: defineFunction({
      description: 'Reads the MACs of its adapters: a map by the physical locations of its interfaces.',
      args: z.object({}),
      readsConfig: true,
      idempotent: true,
      state: z.object({
        params: z.unknown(),
        locations: z.array(z.string()),
        end: z.union([macList, wireError]).optional(),
      }),
      result: z.record(z.string(), z.string()),
      start: (_args, context: FunctionContext) => ({
        params: task.params.parse(connection(context as unknown as Context)),
        locations: locationsOf(context),
      }),
      request: ({ params, end }) => (end ? undefined : task.request(params as object)),
      receive(state, reply) {
        if (state.end) return state
        if (reply.kind === 'failed') return { ...state, end: reply.error }
        return reply.kind === 'result' ? { ...state, end: macList.parse(reply.value) } : state
      },
      outcome({ locations, end }) {
        if (!end) return { kind: 'pending' }
        if ('code' in end) return { kind: 'error', message: end.message }
        const { interface_list: macs } = end
        if (macs.length >= locations.length) return { kind: 'done', value: pairMacs(locations, macs) }
        return { kind: 'error', message: tooFewAdapters(locations, macs) }
      },
      message: () => 'Reading the MACs of its adapters',
    }),
    set_interface_macs: setInterfaceMacs,
  }
}

/** What is said where a machine lacks adapters that its Foundation has interfaces for. */
export function tooFewAdapters(locations: readonly string[], macs: readonly string[]): string {
  const counts = `it has ${macs.length} adapters, and its Foundation ${locations.length} interfaces`
  return `${counts}: ${locations.slice(macs.length).join(', ')} have none`
}
