import { powerTasks } from '@contractor/driver'
import { defineTasks, json, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { type Connection, connection } from './connection.ts'

/** One request at a time for each BMC. */
const rules = {
  timeoutMs: 180_000,
  retry: { attempts: 6, backoffMs: 5000, mostMs: 30_000 },
  limit: ({ host, port }: Connection) => ({ key: `bmc ${host}:${port}` }),
} satisfies Partial<TaskRules<typeof connection>>

/** In the words of IPMI, so that scripts are the same for both. */
export const bootDevice = z.enum(['none', 'pxe', 'disk', 'cdrom', 'bios', 'diag', 'usb', 'http'])
export const bootOverride = z.object({ device: bootDevice, persistent: z.boolean(), uefi: z.boolean() })
export type BootOverride = z.output<typeof bootOverride>

export const firmware = z.object({ id: z.string(), name: z.string(), version: z.string(), updateable: z.boolean() })

export const inventory = z.object({
  manufacturer: z.string(),
  model: z.string(),
  serial: z.string(),
  uuid: z.string(),
  bios_version: z.string(),
  cpu_count: z.number().nullable(),
  /** In MiB. */
  memory_size: z.number().nullable(),
  health: z.string(),
  mac_list: z.array(z.string()),
})

const attributes = z.record(z.string(), json)
const imageUrl = z.url({ protocol: /^(https?|nfs|cifs)$/ })

export const tasks = defineTasks({
  ...powerTasks(connection, rules),
  link_test: {
    ...rules,
    description: 'Logs in and out',
    params: connection,
    result: z.object({ good: z.boolean(), last: z.string() }),
  },
  read_boot: { ...rules, params: connection, result: bootOverride },
  set_boot: {
    ...rules,
    description: 'Says what the machine boots from next, or from now on, and reads that back',
    params: connection.extend({ device: bootDevice, persistent: z.boolean(), uefi: z.boolean().nullable() }),
    result: bootOverride,
  },
  read_bios: { ...rules, params: connection, result: z.object({ attributes }) },
  set_bios: {
    ...rules,
    description: 'Sets BIOS attributes, which hold from the next start on',
    params: connection.extend({ attributes }),
    result: z.object({ changed: z.array(z.string()) }),
  },
  insert_media: {
    ...rules,
    description: 'Puts an image into the virtual drive, and takes out what is in',
    params: connection.extend({ image: imageUrl }),
    result: z.object({ slot: z.string() }),
  },
  eject_media: { ...rules, params: connection, result: z.object({ ejected: z.number().int() }) },
  read_firmware: { ...rules, params: connection, result: z.object({ firmware: z.array(firmware) }) },
  update_firmware: {
    ...rules,
    description: 'Lets the BMC fetch and install firmware, and waits for its task',
    params: connection.extend({ image: imageUrl, targets: z.array(z.string()) }),
    result: z.object({ state: z.string() }),
    timeoutMs: 7_200_000,
  },
  read_inventory: { ...rules, params: connection, result: inventory },
  identify: { ...rules, params: connection.extend({ on: z.boolean() }), result: z.object({}) },
  subscribe: {
    ...rules,
    description: 'Lets the BMC send its events to a URL; one that is there already is left as it is',
    params: connection.extend({ destination: z.url({ protocol: /^https?$/ }), context: z.string().max(200) }),
    result: z.object({ subscription: z.string() }),
  },
  unsubscribe: {
    ...rules,
    params: connection.extend({ destination: z.string() }),
    result: z.object({ removed: z.number().int() }),
  },
  reset_bmc: {
    ...rules,
    description: 'Restarts the BMC, not the machine, and waits until it answers again',
    params: connection.extend({ waitMs: z.number().int().min(0).max(900_000) }),
    result: z.object({ seconds: z.number() }),
    timeoutMs: ({ waitMs }) => waitMs + 180_000,
  },
})
