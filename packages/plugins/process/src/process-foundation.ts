import { defineFoundation, defineTaskFunction, type FunctionContext, type Observation } from '@contractor/plugin'
import { z } from 'zod'
import { absoluteDirectory, insidePath, type ProcessStatus, tasks } from './tasks.ts'

const fields = z.object({
  directory: absoluteDirectory.describe('The working directory, an absolute path on the agent’s machine'),
  pid: z.number().int().positive().optional().describe('The process, as of the last start or status'),
})
type Context = FunctionContext<z.output<typeof fields>>

const targetOf = ({ foundation }: Context) => ({ directory: foundation.fields.directory, owner: foundation.locator })

/** Scripts write numbers where a command line or an environment has text. */
const text = z.union([z.string(), z.number().transform(String)])

const prepare = defineTaskFunction({
  description: 'Makes the working directory. Done already: nothing happens. Refused when it is another Foundation’s.',
  args: z.object({}),
  task: tasks.prepare,
  params: (_args, context: Context) => targetOf(context),
  result: z.boolean().describe('Whether the directory was made now'),
  value: reply => reply.created,
  message: ({ directory }) => `Preparing ${directory}`,
  idempotent: true,
})

const writeFile = defineTaskFunction({
  description: 'Writes a file in the working directory, whole or not at all, and the folders above it.',
  args: z.object({ path: insidePath, content: z.string() }),
  task: tasks.write_file,
  params: ({ path, content }, context: Context) => ({ ...targetOf(context), path, content }),
  result: z.boolean().describe('Whether the file’s content changed'),
  value: reply => reply.changed,
  message: ({ path }) => `Writing ${path}`,
  idempotent: true,
})

const start = defineTaskFunction({
  description:
    'Starts the process under a supervisor, which outlives the agent and starts it again when it dies. ' +
    'The same command running already: its pid. Another command running, the port taken, or a process that ends at once: an error.',
  args: z.object({
    command: z.array(text).min(1),
    environment: z.record(z.string(), text).default({}),
    port: z.number().int().min(1).max(65535).nullable().default(null),
  }),
  task: tasks.start,
  params: (args, context: Context) => ({ ...targetOf(context), ...args, startId: context.callId }),
  result: z.number().int().describe('The pid'),
  value: reply => reply.pid,
  fields: reply => ({ pid: reply.pid }),
  message: ({ command }) => `Starting ${command[0]}`,
  undo: {
    task: tasks.stop,
    params: ({ directory, owner }) => ({ directory, owner, timeoutMs: 10_000 }),
    fields: { pid: undefined },
  },
  observe: {
    task: tasks.status,
    params: ({ directory, owner }) => ({ directory, owner }),
    conclude: (status, { startId }) => concludeStart(status, startId),
  },
})

/** A start that is still under way is issued again: the handler joins it, because both carry the same id. */
function concludeStart(status: ProcessStatus, startId: string): Observation<{ pid: number }> {
  if (status.startId !== startId) return { repeat: true }
  if (status.phase === 'running' && status.pid !== null) return { done: { pid: status.pid } }
  if (status.phase === 'ended' || status.phase === 'failed') {
    return {
      failed: `The process was started, and has ended with ${endingOf(status)}${status.output && `: ${status.output}`}`,
    }
  }
  return { repeat: true }
}

function endingOf({ exitCode, signal }: ProcessStatus): string {
  return signal === null ? `exit code ${exitCode ?? 'unknown'}` : `signal ${signal}`
}

const stop = defineTaskFunction({
  description:
    'Ends the process: SIGTERM, and after the timeout SIGKILL, to its whole group. Not running: nothing happens.',
  args: z.object({ timeout: z.number().min(0).default(10) }),
  task: tasks.stop,
  params: ({ timeout }, context: Context) => ({ ...targetOf(context), timeoutMs: Math.round(timeout * 1000) }),
  result: z.boolean().describe('Whether it was running'),
  value: reply => reply.stopped,
  fields: () => ({ pid: undefined }),
  message: () => 'Stopping the process',
  idempotent: true,
})

const status = defineTaskFunction({
  description: 'Looks at the process: a map with running, phase, pid, restarts, exit_code, signal, output and log.',
  args: z.object({}),
  task: tasks.status,
  params: (_args, context: Context) => targetOf(context),
  result: z.object({
    running: z.boolean(),
    phase: z.string(),
    pid: z.number().int().nullable(),
    restarts: z.number().int(),
    exit_code: z.number().int().nullable(),
    signal: z.string().nullable(),
    output: z.string(),
    log: z.string(),
  }),
  value: ({ exitCode, startId: _startId, ...rest }) => ({ ...rest, exit_code: exitCode }),
  fields: ({ pid }) => ({ pid: pid ?? undefined }),
  idempotent: true,
})

const remove = defineTaskFunction({
  description: 'Deletes the working directory. Gone already: nothing happens. Refused while the process runs.',
  args: z.object({}),
  task: tasks.remove,
  params: (_args, context: Context) => targetOf(context),
  result: z.boolean().describe('Whether there was something to delete'),
  value: reply => reply.removed,
  fields: () => ({ pid: undefined }),
  message: ({ directory }) => `Removing ${directory}`,
  idempotent: true,
})

/** A Foundation that is a supervised process in a directory of the agent's machine. */
export const processFoundation = defineFoundation({
  type: 'Process',
  classes: ['Process'],
  fields,
  tasks,
  functions: { prepare, write_file: writeFile, start, stop, status, remove },
})
