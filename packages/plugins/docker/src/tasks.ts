import { attachment, defineTasks, type TaskRules } from '@contractor/plugin'
import { z } from 'zod'
import { type Connection, connection, registryLogin } from './connection.ts'
import { containerSpec, imageName, portMap } from './container-spec.ts'

/** Every Task names the Foundation that it is for: a container of the same name that is another's is left alone. */
const container = connection.extend({ name: z.string().min(1) })
const safe = { retry: { attempts: 4, backoffMs: 2000, mostMs: 30_000 } } satisfies Partial<TaskRules>

export const containerState = z.object({
  /** `gone`: there is none. One that has ended is `stopped`, and not gone. */
  state: z.enum(['running', 'stopped', 'gone']),
  id: z.string().nullable(),
  /** Docker's own word: `created`, `restarting`, `exited` … */
  status: z.string(),
  exit_code: z.number().int().nullable(),
  image: z.string(),
  ports: portMap,
  /** By network. */
  address_map: z.record(z.string(), z.string()),
  /** Which call has made it. */
  call: z.string().nullable(),
})
export type ContainerState = z.output<typeof containerState>

export const tasks = defineTasks({
  create: {
    description: 'Pulls the image where it is missing, and makes the container, without starting it',
    params: container.extend({
      spec: containerSpec,
      ports: portMap,
      pool: z.string(),
      login: registryLogin.nullable(),
      callId: z.string(),
    }),
    result: z.object({ id: z.string(), ports: portMap }),
    timeoutMs: 3_600_000,
    // Host ports are chosen and taken in one Task: no other one of that daemon chooses meanwhile.
    limit: ({ host }: Connection) => ({ key: `docker ports ${host}` }),
  },
  pull: {
    ...safe,
    description: 'Pulls an image, though it may be there',
    params: connection.extend({ image: imageName, login: registryLogin.nullable() }),
    result: z.object({ id: z.string(), isNew: z.boolean() }),
    timeoutMs: 3_600_000,
  },
  start: {
    ...safe,
    description: 'Starts the container, and sees that it runs with its ports',
    params: container.extend({ settleMs: z.number().int().min(0).max(60_000) }),
    result: z.object({ started: z.boolean() }),
    timeoutMs: 300_000,
  },
  stop: {
    ...safe,
    description: 'Stops the container: SIGTERM, and SIGKILL after the grace period',
    params: container.extend({ graceMs: z.number().int().min(0).max(3_600_000) }),
    result: z.object({ stopped: z.boolean() }),
    timeoutMs: ({ graceMs }) => graceMs + 120_000,
  },
  state: {
    ...safe,
    description: 'Looks at the container',
    params: container,
    result: containerState,
    timeoutMs: 60_000,
  },
  destroy: {
    ...safe,
    description: 'Removes the container, running or not, with its anonymous volumes',
    params: container,
    result: z.object({ destroyed: z.boolean() }),
    timeoutMs: 300_000,
  },
  execute: {
    description: 'Runs a command in the container',
    params: container.extend({
      command: z.array(z.string()).min(1),
      timeoutMs: z.number().int().min(1).max(86_400_000),
    }),
    result: z.object({ rc: z.number().int(), output: z.string(), all: attachment.nullable() }),
    timeoutMs: ({ timeoutMs }) => timeoutMs + 60_000,
  },
  logs: {
    ...safe,
    description: 'Reads what the container has written',
    params: container.extend({ tail: z.number().int().min(1).max(100_000) }),
    result: z.object({ output: z.string(), all: attachment.nullable() }),
    timeoutMs: 120_000,
  },
  list: {
    ...safe,
    description: 'Lists all containers of the daemon',
    params: connection,
    result: z.object({
      containers: z.array(z.object({ name: z.string(), id: z.string(), image: z.string(), status: z.string() })),
    }),
    timeoutMs: 120_000,
  },
})
