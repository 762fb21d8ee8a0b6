import { fingerprint, host, port } from '@contractor/driver'
import { defineTasks, json, secret, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'

export const authKey = secret(z.string().min(1).max(1000))
export const pin = z.union([z.literal('any'), fingerprint])

/** What leads to a router. */
export const connection = z.object({ host, port, fingerprint: pin.nullable(), auth_key: authKey })
export type Connection = z.output<typeof connection>

/** A path of the configuration, as `[service, dhcp-relay, server, 10.0.0.2]`. */
export const configPath = z
  .array(z.union([z.string(), z.number()]).transform(String).pipe(z.string().max(1000)))
  .max(50)

/** One change, as VyOS takes it: an operation, and a path with its value at the end. */
export const command = z.object({ op: z.enum(['set', 'delete', 'comment']), path: configPath.min(1) })
export type Command = z.output<typeof command>

const rules = {
  // A commit takes as long as what it configures.
  timeoutMs: 300_000,
  retry: { attempts: 8, backoffMs: 3000, mostMs: 30_000 },
  // It has one configuration, and one that changes it.
  limit: ({ host: name, port: number }: Connection) => ({ key: `vyos ${name}:${number}` }),
} satisfies Partial<TaskRules<typeof connection>>

export const tasks = defineTasks({
  configure: {
    ...rules,
    description: 'Changes the configuration, all of it or nothing, and keeps it for the next start with `save`',
    params: connection.extend({ commands: z.array(command).min(1).max(10_000), save: z.boolean() }),
    result: z.object({ changed: z.boolean() }),
  },
  show: {
    ...rules,
    description: 'Reads the configuration below a path',
    params: connection.extend({ path: configPath }),
    result: z.object({ config: json }),
  },
})
