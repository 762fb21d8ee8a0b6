import {
  type AnyFunction,
  defineFunction,
  type FunctionContext,
  type TaskDefinition,
  wireError,
} from '@contractor/plugin'
import { z } from 'zod'

/** What drivers of virtual machines share: their size, and how their adapters and the Foundation's interfaces go together. */

/** Templates give texts, so numbers may be some. */
export const vmSize = {
  cpu_count: z.coerce.number().int().min(1).max(64),
  /** In MiB. */
  memory_size: z.coerce.number().int().min(512).max(1_048_510),
}

/** In GiB. */
export const vmDiskSize = z.coerce.number().int().min(2).max(10_240)

/** An address of an interface, as far as a machine is told it. */
const vmAddress = z.object({
  address: z.string(),
  prefix: z.number().int(),
  netmask: z.string().nullable().default(null),
  gateway: z.string().nullable().default(null),
  primary: z.boolean().default(false),
})

/** An interface of the Foundation: one adapter of the machine. */
export const vmInterface = z.object({
  name: z.string(),
  physical_location: z.string().nullable(),
  mac: z.string().nullable(),
  /** The name of its Network, which is that of the host's bridge, port group or virtual network. */
  network: z.string(),
  address_list: z.array(vmAddress).default([]),
})
export type VmInterface = z.output<typeof vmInterface>

const realInterfaces = z.array(vmInterface.extend({ network: z.string().nullable() }))
type RealInterface = z.output<typeof realInterfaces>[number]

const placeOf = ({ name, physical_location }: Pick<RealInterface, 'name' | 'physical_location'>) =>
  physical_location ?? name

/** In the order of the adapters: by physical location, and eth10 behind eth2. */
function sortedInterfaces(context: Pick<FunctionContext, 'config'>): RealInterface[] {
  const all = realInterfaces.parse(context.config('_foundation_interface_list') ?? [])
  return all.sort((one, other) => placeOf(one).localeCompare(placeOf(other), 'en', { numeric: true }))
}

/** For a function that `readsConfig`. Throws where an interface has no Network: its adapter would be plugged in nowhere. */
export function vmInterfaces(context: Pick<FunctionContext<unknown, unknown>, 'config' | 'foundation'>): VmInterface[] {
  return sortedInterfaces(context).map(({ network, ...one }) => {
    if (network !== null) return { ...one, network }
    const { locator } = context.foundation
    throw new Error(
      `Interface '${one.name}' of Foundation '${locator}' has no Network: give it one that is named as on the host`,
    )
  })
}

/** The MACs of adapters, in their order, by the physical locations of the interfaces; what is surplus is dropped. */
export function pairMacs(places: readonly string[], macs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    places.flatMap((place, at) => (macs[at] === undefined ? [] : [[place, macs[at].toLowerCase()]])),
  )
}

export const vmPlaces = (interfaces: readonly Pick<VmInterface, 'name' | 'physical_location'>[]): string[] =>
  interfaces.map(placeOf)

/** The answer of the Task that reads a machine's adapters: their MACs, in their order. */
export const macList = z.object({ interface_list: z.array(z.string()) })

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
        places: z.array(z.string()),
        end: z.union([macList, wireError]).optional(),
      }),
      result: z.record(z.string(), z.string()),
      start: (_args, context: FunctionContext) => ({
        params: task.params.parse(connection(context as unknown as Context)),
        places: vmPlaces(sortedInterfaces(context)),
      }),
      request: ({ params, end }) => (end ? undefined : task.request(params as object)),
      receive(state, reply) {
        if (state.end) return state
        if (reply.kind === 'failed') return { ...state, end: reply.error }
        return reply.kind === 'result' ? { ...state, end: macList.parse(reply.value) } : state
      },
      outcome({ places, end }) {
        if (!end) return { kind: 'pending' }
        if ('code' in end) return { kind: 'error', message: end.message }
        const { interface_list: macs } = end
        if (macs.length >= places.length) return { kind: 'done', value: pairMacs(places, macs) }
        const counts = `it has ${macs.length} adapters, and its Foundation ${places.length} interfaces`
        return { kind: 'error', message: `${counts}: ${places.slice(macs.length).join(', ')} have none` }
      },
      message: () => 'Reading the MACs of its adapters',
    }),
    set_interface_macs: defineFunction({
      description: 'Keeps the MACs of its interfaces, by their physical locations.',
      args: z.object({ interface_map: z.record(z.string(), z.string()) }),
      readsConfig: true,
      state: z.record(z.string(), z.string()),
      result: z.null(),
      start: ({ interface_map }) => interface_map,
      outcome: macs => ({ kind: 'done', value: null, macs }),
    }),
  }
}

/**
 * What a type's `…_vmspec` is: of the Structure's config, by the names that the functions have for it; those that are not
 * there are left out, and `defaults` stand for them.
 */
export function specOf<Value>(
  config: (name: string) => Value | undefined,
  keys: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, Value>>,
): Record<string, Value> {
  const found = Object.entries(keys).flatMap(([name, key]) => {
    const value = config(key) ?? defaults[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(found)
}
