import { host, password, powerTasks, userName } from '@contractor/driver'
import { attachment, defineTasks, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { type Connection, connection } from './connection.ts'

/** One command at a time for each BMC, with a pause after it for those that need one. */
const rules = {
  timeoutMs: 120_000,
  retry: { attempts: 4, backoffMs: 5000, mostMs: 60_000 },
  limit: ({ host: at, port, quirks }: Connection) => ({
    key: `bmc ${at}:${port}`,
    spacingMs: quirks.includes('slow') ? 5000 : 0,
  }),
} satisfies Partial<TaskRules<typeof connection>>

export const bootDevice = z.enum(['none', 'pxe', 'disk', 'safe', 'diag', 'cdrom', 'bios', 'floppy'])
const bootFlags = z.object({ device: bootDevice, persistent: z.boolean(), uefi: z.boolean() })
export type BootFlags = z.output<typeof bootFlags>

export const sensor = z.object({
  name: z.string(),
  /** Null where it has none just now. */
  value: z.number().nullable(),
  unit: z.string(),
  /** `ok`, or which threshold was passed: `nc`, `cr`, `nr` (IPMI 2.0, section 35.4); `ns` for one that says nothing. */
  status: z.string(),
})
export type Sensor = z.output<typeof sensor>

export const selEntry = z.object({
  id: z.string(),
  /** As the BMC's own clock has it, which may be anything. */
  at: z.string(),
  sensor: z.string(),
  event: z.string(),
  asserted: z.boolean(),
})
export type SelEntry = z.output<typeof selEntry>

export const lan = z.object({
  source: z.enum(['static', 'dhcp', 'other']),
  address: z.string(),
  netmask: z.string(),
  gateway: z.string(),
  mac: z.string(),
  vlan: z.number().int().nullable(),
})
const channel = z.number().int().min(1).max(15)

export const tasks = defineTasks({
  ...powerTasks(connection, rules),
  link_test: {
    ...rules,
    description: 'Asks for the power state again and again, as quality of the way to the BMC',
    params: connection.extend({
      count: z.number().int().min(1).max(60),
      delayMs: z.number().int().min(0).max(10_000).default(1000),
    }),
    /** From 0, nothing came back, to 1, everything did; `last` is why the last one failed. */
    result: z.object({ score: z.number(), last: z.string() }),
    timeoutMs: ({ count, delayMs }) => count * (delayMs + 40_000) + 30_000,
  },
  read_boot_device: { ...rules, params: connection, result: bootFlags },
  set_boot_device: {
    ...rules,
    description: 'Says what the machine boots from next, or from now on, and reads that back',
    /** `uefi` null: as it was. */
    params: connection.extend({ device: bootDevice, persistent: z.boolean(), uefi: z.boolean().nullable() }),
    result: bootFlags,
  },
  read_sensors: { ...rules, params: connection, result: z.object({ sensors: z.array(sensor) }) },
  read_sel: {
    ...rules,
    description: 'Reads the event log; all of it is attached where it has more than the newest entries asked for',
    params: connection.extend({ newest: z.number().int().min(1).max(500) }),
    result: z.object({ total: z.number().int(), entries: z.array(selEntry), all: attachment.nullable() }),
    timeoutMs: 600_000,
  },
  clear_sel: { ...rules, params: connection, result: z.object({ cleared: z.number().int() }) },
  read_fru: { ...rules, params: connection, result: z.object({ fru: z.record(z.string(), z.string()) }) },
  identify: {
    ...rules,
    description: 'Lights the identify light',
    /** 0 puts it out; null leaves it on until it is put out. */
    params: connection.extend({ seconds: z.number().int().min(0).max(255).nullable() }),
    result: z.object({}),
  },
  reset_bmc: {
    ...rules,
    description: 'Restarts the BMC, not the machine, and waits until it answers again',
    params: connection.extend({ kind: z.enum(['warm', 'cold']), waitMs: z.number().int().min(0).max(900_000) }),
    result: z.object({ seconds: z.number() }),
    timeoutMs: ({ waitMs }) => waitMs + 120_000,
  },
  read_lan: { ...rules, params: connection.extend({ channel }), result: lan },
  set_lan: {
    ...rules,
    description: 'Gives the BMC another address, last of all, and reaches it there',
    params: connection.extend({
      channel,
      source: z.enum(['static', 'dhcp']),
      address: host.nullable(),
      netmask: z.ipv4().nullable(),
      gateway: z.ipv4().nullable(),
      /** 0: none. */
      vlan: z.number().int().min(0).max(4094).nullable(),
    }),
    result: lan,
  },
  set_password: {
    ...rules,
    description: 'Gives one of the BMC’s users another password, and logs in with it',
    params: connection.extend({ user: userName, new_password: password, channel }),
    result: z.object({}),
  },
})
