import {
  type ComplexContext,
  defineDiscover,
  defineFoundation,
  defineFunction,
  defineRead,
  defineTaskFunction,
  type FoundationContext,
  type FunctionContext,
  type Json,
} from '@contractor/plugin'
import { z } from 'zod'
import { type ComplexFields, connectionOf, dockerComplex, loginOf } from './connection.ts'
import { containerSpec, imageName, portMap } from './container-spec.ts'
import { type ContainerState, tasks } from './tasks.ts'

const fields = z.object({
  docker_id: z.string().max(64).optional().describe('The container, once it is made'),
  docker_port_map: portMap.optional().describe('Its ports: on the host, by their number in the container'),
})
type Fields = z.output<typeof fields>
type Context = FunctionContext<Fields, ComplexFields>
type Foundation = FoundationContext<Fields, ComplexFields>

const complexOf = ({ complex, locator }: Foundation): ComplexFields => {
  if (!complex) throw new Error(`Foundation '${locator}' has no Complex that provides it`)
  return complex.fields
}
const target = (foundation: Foundation) => ({ ...connectionOf(complexOf(foundation)), name: foundation.locator })

const create = defineTaskFunction({
  description:
    'Pulls the image where it is missing, and makes the container; it is started by foundation.start(). Its host ports are those of port_map; where that says 0 or nothing, free ones of the Complex’s pool.',
  args: z.object({ container_spec: containerSpec, port_map: portMap.default({}) }),
  task: tasks.create,
  params: ({ container_spec: spec, port_map: ports }, { foundation, callId }: Context) => ({
    ...target(foundation),
    ...{ spec, ports, callId, pool: complexOf(foundation).docker_ports, login: loginOf(complexOf(foundation)) },
  }),
  result: z.object({ docker_id: z.string(), port_map: portMap }),
  value: ({ id, ports }) => ({ docker_id: id, port_map: ports }),
  fields: ({ id, ports }) => ({ docker_id: id, docker_port_map: ports }),
  message: ({ spec }) => `Making a container of ${spec.image}`,
  undo: {
    task: tasks.destroy,
    params: ({ host, ca, cert, key, name }) => ({ host, ca, cert, key, name }),
    fields: { docker_id: undefined, docker_port_map: undefined },
    rollback: true,
  },
  observe: {
    task: tasks.state,
    params: ({ host, ca, cert, key, name }) => ({ host, ca, cert, key, name }),
    conclude: ({ call, id, ports }, { callId }) =>
      call === callId && id !== null ? { done: { id, ports } } : { repeat: true },
  },
})

/** Ports are taken with the container itself, so that nothing can come in between: here it is only said which. */
const mapPorts = defineFunction({
  description:
    'Says which ports a container is to have on its host; they are chosen as it is made, by docker.create().',
  args: z.object({ container_spec: containerSpec }),
  state: portMap,
  result: portMap,
  start: ({ container_spec: { port_list } }) => Object.fromEntries(port_list.map(name => [name, 0])),
  outcome: ports => ({ kind: 'done', value: ports }),
})

const unmapPorts = defineFunction({
  description: 'Forgets the ports on the host; they are free with the container’s end.',
  args: z.object({}),
  state: z.object({}),
  result: z.null(),
  start: () => ({}),
  outcome: () => ({ kind: 'done', value: null, fields: { docker_port_map: undefined } }),
})

const start = defineTaskFunction({
  description:
    'Starts it, and sees that it still runs `settle` seconds later, with its ports. Running already: nothing happens. One that ends at once is an error, with what it wrote.',
  args: z.object({ settle: z.number().min(0).max(60).default(1) }),
  task: tasks.start,
  params: ({ settle }, { foundation }: Context) => ({ ...target(foundation), settleMs: Math.round(settle * 1000) }),
  result: z.null(),
  value: () => null,
  message: ({ name }) => `Starting container ${name}`,
  idempotent: true,
})

const stop = defineTaskFunction({
  description: 'Stops it: SIGTERM, and SIGKILL after the timeout, in seconds. Stopped already: nothing happens.',
  args: z.object({ timeout: z.number().min(0).max(3600).default(10) }),
  task: tasks.stop,
  params: ({ timeout }, { foundation }: Context) => ({ ...target(foundation), graceMs: Math.round(timeout * 1000) }),
  result: z.null(),
  value: () => null,
  message: ({ name }) => `Stopping container ${name}`,
  idempotent: true,
})

const state = defineTaskFunction({
  description: 'Looks at it: start while it runs, stop otherwise. There is none: an error.',
  args: z.object({}),
  task: tasks.state,
  params: (_args, { foundation }: Context) => target(foundation),
  result: z.enum(['start', 'stop']),
  value: seen => (seen.state === 'running' ? 'start' : 'stop'),
  message: ({ name }) => `Looking at container ${name}`,
  idempotent: true,
})

const inspect = defineTaskFunction({
  description:
    'Looks at it: a map with state (running, stopped or gone), status, exit_code, image, ports and address_map.',
  args: z.object({}),
  task: tasks.state,
  params: (_args, { foundation }: Context) => target(foundation),
  result: z.record(z.string(), z.unknown()),
  value: ({ call: _, ...seen }) => seen,
  message: ({ name }) => `Looking at container ${name}`,
  idempotent: true,
})

const destroy = defineTaskFunction({
  description: 'Removes it, running or not. Gone already: nothing happens.',
  args: z.object({}),
  task: tasks.destroy,
  params: (_args, { foundation }: Context) => target(foundation),
  result: z.null(),
  value: () => null,
  fields: () => ({ docker_id: undefined, docker_port_map: undefined }),
  message: ({ name }) => `Removing container ${name}`,
  idempotent: true,
})

const execute = defineFunction({
  description: 'Runs a command in it, as a list. Another exit code than expected: an error. Gives what it wrote.',
  args: z.object({
    command: z.union([
      z.array(z.string()).min(1),
      z
        .string()
        .min(1)
        .transform(line => ['/bin/sh', '-c', line]),
    ]),
    timeout: z.number().min(1).max(86_400).default(300),
    expected_rc: z.number().int().nullable().default(0),
  }),
  state: z.object({
    params: tasks.execute.params,
    expected: z.number().int().nullable(),
    end: z.union([z.object({ rc: z.number(), output: z.string() }), z.object({ failed: z.string() })]).optional(),
  }),
  result: z.string(),
  start: ({ command, timeout, expected_rc }, { foundation }: Context) => ({
    params: { ...target(foundation), command, timeoutMs: Math.round(timeout * 1000) },
    expected: expected_rc,
  }),
  request: ({ params, end }) => (end ? undefined : tasks.execute.request(params)),
  receive(current, reply) {
    if (current.end) return current
    if (reply.kind === 'failed') return { ...current, end: { failed: reply.error.message } }
    return reply.kind === 'result' ? { ...current, end: tasks.execute.result.parse(reply.value) } : current
  },
  outcome({ params, expected, end }) {
    if (!end) return { kind: 'pending' }
    if ('failed' in end) return { kind: 'error', message: end.failed }
    if (expected === null || end.rc === expected) return { kind: 'done', value: end.output }
    const said = end.output.trim().slice(-500)
    return {
      kind: 'error',
      message: `'${params.command.join(' ')}' ended with ${end.rc}, not with ${expected}${said && `: ${said}`}`,
    }
  },
  message: ({ params }) => `Running ${params.command.at(-1)}`,
})

const logs = defineTaskFunction({
  description: 'Reads the last lines that it has written.',
  args: z.object({ tail: z.number().int().min(1).max(100_000).default(200) }),
  task: tasks.logs,
  params: ({ tail }, { foundation }: Context) => ({ ...target(foundation), tail }),
  result: z.string(),
  value: ({ output }) => output,
  message: ({ name }) => `Reading the log of container ${name}`,
  idempotent: true,
})

const pull = defineTaskFunction({
  description: 'Pulls an image, though it may be there: whether it is another one now.',
  args: z.object({ image: imageName }),
  task: tasks.pull,
  params: ({ image }, { foundation }: Context) => ({
    ...connectionOf(complexOf(foundation)),
    ...{ image, login: loginOf(complexOf(foundation)) },
  }),
  result: z.boolean(),
  value: ({ isNew }) => isNew,
  message: ({ image }) => `Pulling ${image}`,
  idempotent: true,
})

/** What scripts read as a container's spec: of the Structure's config, in the names that resource files use. */
const specKeys: Readonly<Record<string, string>> = {
  image: 'docker_image',
  command: 'docker_command',
  port_list: 'port_list',
  environment_map: 'environment_map',
  mount_list: 'docker_mount_list',
  label_map: 'docker_label_map',
  memory_size: 'memory_size',
  cpu_count: 'cpu_count',
  network: 'docker_network',
  restart: 'docker_restart',
}

/** A locator's characters, and no others: what a container is called otherwise cannot be one. */
const isLocator = (name: string) => /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$/.test(name)

/** A Docker container, named as its Foundation. */
export const docker = defineFoundation({
  type: 'Docker',
  classes: ['Container', 'Docker'],
  complex: dockerComplex,
  fields,
  tasks,
  values: {
    docker_id: {
      get: ({ fields: own }) => own.docker_id ?? null,
      set: value => ({ docker_id: value === null ? undefined : z.string().parse(value) }),
    },
    docker_complex: { get: ({ complex }) => complex?.name ?? null },
    docker_containerspec: {
      description: 'What the Structure on it wants of a container, for docker.create().',
      readsConfig: true,
      get: (_foundation, { config }) => {
        if (config('docker_image') === undefined)
          throw new Error('The Structure’s config has no docker_image: say which image its container is made of')
        const found = Object.entries(specKeys).map(([name, key]) => [name, config(key)] as const)
        return Object.fromEntries(found.filter((pair): pair is [string, Json] => pair[1] !== undefined))
      },
    },
  },
  config: ({ fields: { docker_id, docker_port_map }, complex }) => ({
    _docker_id: docker_id ?? null,
    _docker_complex: complex,
    ...(docker_port_map && { docker_port_map, docker_check_port: Object.values(docker_port_map)[0] ?? null }),
  }),
  read: defineRead({
    task: tasks.state,
    params: (foundation: Foundation) => target(foundation),
    seen: ({ state: seen, id, ports, status, image }: ContainerState) => ({
      exists: seen !== 'gone',
      fields: { docker_id: id ?? undefined, ...(seen === 'running' && { docker_port_map: ports }) },
      details: { status, image },
    }),
  }),
  discover: defineDiscover({
    task: tasks.list,
    identity: ['docker_id'],
    params: ({ complex }: { site: string; complex?: ComplexContext<ComplexFields> }) => {
      if (!complex) throw new Error('Containers are found on a Complex: name one')
      return connectionOf(complex.fields)
    },
    found: ({ containers }) =>
      containers
        .filter(({ name }) => isLocator(name))
        .map(({ name, id, image, status }) => ({
          locator: name,
          fields: { docker_id: id },
          details: { image, status },
        })),
  }),
  functions: {
    map_ports: mapPorts,
    unmap_ports: unmapPorts,
    start,
    stop,
    state,
    inspect,
    destroy,
    execute,
    logs,
    pull,
  },
  moduleFunctions: { create },
})
