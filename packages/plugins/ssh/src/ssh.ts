import { sshConnection } from '@contractor/driver'
import { defineFunction, defineModule, defineTaskFunction } from '@contractor/plugin'
import { z } from 'zod'
import { mode, remotePath, tasks } from './tasks.ts'

const seconds = z.number().min(1).max(86_400).default(300)
const toMs = (given: number) => Math.round(given * 1000)

const where = sshConnection.shape
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const commandArgs = z.object({
  ...where,
  command: z.string().min(1),
  environment: z.record(z.string(), text).default({}),
  input: z.string().nullable().default(null),
  timeout: seconds,
})

const ended = tasks.execute.result

/** Another exit code than the expected one means that the script is wrong about the machine: the Job is over. */
const execute = defineFunction({
  description:
    'Runs a command by the login shell. Another exit code than expected_rc ends the Job; not within the timeout, in seconds: an error.',
  args: commandArgs.extend({ expected_rc: z.number().int().default(0) }),
  state: z.object({
    params: tasks.execute.params,
    expected: z.number().int(),
    end: z.union([ended, z.object({ failed: z.string() })]).optional(),
  }),
  result: z.literal(true),
  start: ({ timeout, expected_rc, ...rest }) => ({
    params: { ...rest, timeoutMs: toMs(timeout) },
    expected: expected_rc,
  }),
  request: ({ params, end }) => (end ? undefined : tasks.execute.request(params)),
  receive(current, reply) {
    if (current.end) return current
    if (reply.kind === 'failed') return { ...current, end: { failed: reply.error.message } }
    return reply.kind === 'result' ? { ...current, end: ended.parse(reply.value) } : current
  },
  outcome({ params, expected, end }) {
    if (!end) return { kind: 'pending' }
    if ('failed' in end) return { kind: 'error', message: end.failed }
    if (end.rc === expected) return { kind: 'done', value: true as const }
    const how =
      end.rc === null ? `was ended by ${end.signal ?? 'the machine'}` : `ended with ${end.rc}, not with ${expected}`
    const said = (end.stderr.trim() || end.stdout.trim()).slice(-500)
    return { kind: 'aborted', message: `${params.host}: '${firstLine(params.command)}' ${how}${said && `: ${said}`}` }
  },
  message: ({ params }) => `Running '${firstLine(params.command)}' on ${params.host}`,
})

const firstLine = (command: string) => command.split('\n')[0]?.slice(0, 80) ?? ''

const run = defineTaskFunction({
  description: 'Runs a command by the login shell, and gives how it ended: a map with rc, signal, stdout and stderr.',
  args: commandArgs,
  task: tasks.execute,
  params: ({ timeout, ...rest }) => ({ ...rest, timeoutMs: toMs(timeout) }),
  result: ended.omit({ all: true }),
  value: ({ all: _, ...reply }) => reply,
  message: ({ host, command }) => `Running '${firstLine(command)}' on ${host}`,
})

const put = defineTaskFunction({
  description:
    'Writes a file, whole or not at all: its content, or what a source (http or https) has, with its checksum. Whether it changed.',
  args: z.object({
    ...where,
    destination: remotePath,
    content: z.string().nullable().default(null),
    source: z.string().nullable().default(null),
    sha256: z.string().nullable().default(null),
    mode: mode.nullable().default(null),
    timeout: seconds,
  }),
  task: tasks.put,
  params({ timeout, ...rest }) {
    if ((rest.content === null) === (rest.source === null)) throw new Error('say either content or source')
    return { ...rest, timeoutMs: toMs(timeout) }
  },
  result: z.boolean(),
  value: ({ changed }) => changed,
  message: ({ host, destination }) => `Writing ${destination} on ${host}`,
  idempotent: true,
})

const file = defineTaskFunction({
  description: 'Writes what a source (http or https) has to a file of the machine.',
  args: z.object({ ...where, source: z.string(), destination: remotePath, timeout: seconds }),
  task: tasks.put,
  params: ({ timeout, ...rest }) => ({ ...rest, content: null, sha256: null, mode: null, timeoutMs: toMs(timeout) }),
  result: z.literal(true),
  value: () => true as const,
  message: ({ host, destination }) => `Writing ${destination} on ${host}`,
  idempotent: true,
})

const get = defineTaskFunction({
  description:
    'Reads a file: a map with content, sha256 and sizeBytes. A long one is an attachment of the Job besides.',
  args: z.object({ ...where, path: remotePath, timeout: seconds }),
  task: tasks.get,
  params: ({ timeout, ...rest }) => ({ ...rest, timeoutMs: toMs(timeout) }),
  result: tasks.get.result.omit({ all: true }),
  value: ({ all: _, ...reply }) => reply,
  message: ({ host, path }) => `Reading ${path} on ${host}`,
  idempotent: true,
})

/** Commands and files on machines that have an SSH server. */
export const ssh = defineModule({ name: 'ssh', tasks, functions: { execute, run, put, file, get } })
