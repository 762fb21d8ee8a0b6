import {
  defineFunction,
  type FoundationContext,
  type FunctionContext,
  type Json,
  type ValueContext,
} from '@contractor/plugin'
import { z } from 'zod'

/**
 * What drivers of hypervisors and clouds share: the name and the size of a virtual machine, what the Structure on it wants of it,
 * and the ports that it is to have. Templates give texts, so numbers may be some.
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

/** What scripts read as the wanted machine: those of the Structure's config values that there are, under the names of the spec. */
export function specOf({ config }: ValueContext, keys: Readonly<Record<string, string>>): Json {
  const found = Object.entries(keys).map(([name, key]) => [name, config(key)] as const)
  return Object.fromEntries(found.filter((pair): pair is [string, Json] => pair[1] !== undefined))
}

/** One of the Foundation's own network ports, which its machine is to have. */
export const machineInterface = z.object({
  name: z.string(),
  /** Where it is in the machine, as `eth0`; its name unless said. */
  physical_location: z.string().nullable(),
  /** The Network that it is on, whose name is the hypervisor's own for it. */
  network: z.string().nullable(),
  mac: z.string().nullable(),
})
export type MachineInterface = z.output<typeof machineInterface>

/** The Foundation's own ports, in their order; for functions with `readsConfig`. */
export const interfacesOf = ({ config }: Pick<FunctionContext, 'config'>): MachineInterface[] =>
  z.array(machineInterface).parse(config('_foundation_interface_list') ?? [])

/** How a port is named where MACs are told: by where it is. */
export const locationOf = ({ physical_location, name }: MachineInterface): string => physical_location ?? name

export const locationsOf = (context: Pick<FunctionContext, 'config'>): string[] => interfacesOf(context).map(locationOf)

/**
 * MACs by the locations of ports, in the order of the machine's own adapters: those that are too many are nobody's. Undefined
 * where there are too few.
 */
export function pairMacs(locations: readonly string[], macs: readonly string[]): Record<string, string> | undefined {
  if (macs.length < locations.length) return undefined
  return Object.fromEntries(locations.map((location, at) => [location, macs[at] as string]))
}

/** Tells Contractor the MACs that a hypervisor has made up: the last step of creating a machine. */
export const setInterfaceMacs = defineFunction({
  description: 'Keeps the MACs of the Foundation’s interfaces, by their physical locations or names.',
  args: z.object({ interface_map: z.record(z.string(), z.string()) }),
  readsConfig: true,
  state: z.object({ macs: z.record(z.string(), z.string()) }),
  result: z.null(),
  start: ({ interface_map }) => ({ macs: interface_map }),
  outcome: ({ macs }) => ({ kind: 'done', value: null, macs }),
})
