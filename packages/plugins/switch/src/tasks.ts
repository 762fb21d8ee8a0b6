import { attachment, defineTasks, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { type Connection, connection, terminal } from './connection.ts'

/** One Task at a time for each switch: changes of VLANs are several writes. */
const rules = {
  timeoutMs: 180_000,
  retry: { attempts: 4, backoffMs: 2000, mostMs: 30_000 },
  limit: ({ host }: Pick<Connection, 'host'>) => ({ key: `switch ${host}` }),
} satisfies Partial<TaskRules<typeof connection>>

/** As the switch calls it: its short or its long name, `Gi1/0/7` or `GigabitEthernet1/0/7`. */
export const portName = z.string().min(1).max(100)
/** IEEE 802.1Q, section 9.6: 0 and 4095 are none. */
export const vlanId = z.number().int().min(1).max(4094)

export const switchPort = z.object({
  name: z.string(),
  description: z.string(),
  /** Whether it is meant to be on. */
  up: z.boolean(),
  /** Whether something is at its other end. */
  link: z.boolean(),
  /** In Mbit/s; null where it does not say. */
  speed: z.number().nullable(),
  mac: z.string().nullable(),
})

export const portVlans = z.object({ port: z.string(), untagged: vlanId.nullable(), tagged: z.array(vlanId) })
export const vlan = z.object({ vlan: vlanId, name: z.string() })

export const neighbour = z.object({
  port: z.string(),
  /** How it calls itself, and the port that it is on. */
  name: z.string(),
  chassis: z.string(),
  neighbour_port: z.string(),
  description: z.string(),
})

export const learned = z.object({ mac: z.string(), port: z.string(), vlan: z.number().nullable() })

const changed = z.object({ changed: z.boolean() })

export const tasks = defineTasks({
  look: {
    ...rules,
    description: 'Reads how the switch calls itself',
    params: connection,
    result: z.object({ name: z.string(), description: z.string(), ports: z.array(switchPort) }),
  },
  set_port: {
    ...rules,
    description: 'Switches a port on or off, or describes it, and reads that it is so',
    params: connection.extend({
      interface: portName,
      up: z.boolean().nullable(),
      description: z.string().max(255).nullable(),
    }),
    result: changed,
  },
  read_vlans: {
    ...rules,
    params: connection,
    result: z.object({ vlans: z.array(vlan), ports: z.array(portVlans) }),
  },
  set_vlan: {
    ...rules,
    description: 'Makes a VLAN, or renames it; without a name, removes it',
    params: connection.extend({ vlan: vlanId, name: z.string().max(32).nullable() }),
    result: changed,
  },
  set_port_vlans: {
    ...rules,
    description: 'Puts a port into VLANs, and out of all others; null leaves the tagged or untagged one as it is',
    params: connection.extend({ interface: portName, untagged: vlanId.nullable(), tagged: z.array(vlanId).nullable() }),
    result: changed,
  },
  read_neighbours: { ...rules, params: connection, result: z.object({ neighbours: z.array(neighbour) }) },
  read_macs: { ...rules, params: connection, result: z.object({ macs: z.array(learned) }) },
  read_configuration: {
    ...rules,
    description: 'Reads the whole configuration',
    params: terminal,
    result: z.object({ text: z.string(), all: attachment.nullable() }),
  },
  configure: {
    ...rules,
    description: 'Types lines of configuration; a line that it refuses ends that, and nothing is saved',
    params: terminal.extend({ lines: z.array(z.string()).min(1).max(10_000), save: z.boolean() }),
    result: z.object({ output: z.string() }),
    timeoutMs: 600_000,
  },
})
