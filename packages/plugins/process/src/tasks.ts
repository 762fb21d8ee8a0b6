import { defineTasks } from '@contractor/plugin'
import { z } from 'zod'
import { privateFolder } from './private-folder.ts'

/** An absolute path that names a directory below the root, without `.`, `..` or empty segments. */
export const absoluteDirectory = z
  .string()
  .max(1000)
  .refine(
    path => path.startsWith('/') && !path.includes('\0') && path.slice(1).split('/').every(isName),
    'must be an absolute path below /, without . or .. and without a / at its end',
  )

/** A path inside the working directory. Symbolic links are judged by the handler, which alone can see them. */
export const insidePath = z
  .string()
  .max(1000)
  .refine(
    path => !path.includes('\0') && path.split('/').every(isName),
    'must be a relative path without . or .. and without a / at its end',
  )
  .refine(path => path.split('/')[0] !== privateFolder, `must not be in ${privateFolder}, which is the driver's own`)

function isName(segment: string): boolean {
  return segment !== '' && segment !== '.' && segment !== '..'
}

/** Every Task names the Foundation that it is for; a directory that another one has marked is refused. */
const target = z.object({ directory: absoluteDirectory, owner: z.string().min(1) })

/** What the supervisor records of itself. */
export const phase = z.enum(['starting', 'running', 'backoff', 'stopping', 'ended', 'failed'])

/** `none`: nothing was started here. `lost`: the supervisor was killed; `running` tells whether its process still is. */
export const processStatus = z.object({
  phase: z.enum([...phase.options, 'none', 'lost']),
  running: z.boolean(),
  /** The process; null while there is none. */
  pid: z.number().int().nullable(),
  /** Which call of `start` it belongs to. */
  startId: z.string().nullable(),
  /** How often the process was started again after it died. */
  restarts: z.number().int(),
  /** How the process ended last: an exit code, or the signal that ended it. */
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  /** The last lines that it wrote before it ended. */
  output: z.string(),
  /** Where it writes. */
  log: z.string(),
})
export type ProcessStatus = z.output<typeof processStatus>

export const tasks = defineTasks({
  prepare: {
    description: 'Makes the working directory and marks it as the Foundation’s',
    params: target,
    result: z.object({ created: z.boolean() }),
  },
  write_file: {
    description: 'Writes one file in the working directory, whole or not at all',
    params: target.extend({ path: insidePath, content: z.string() }),
    result: z.object({ changed: z.boolean() }),
  },
  start: {
    description: 'Starts the supervised process, or finds it running',
    params: target.extend({
      /** The same for every attempt of one call: the start that it names happens once. */
      startId: z.string().min(1),
      command: z.array(z.string()).min(1),
      environment: z.record(z.string(), z.string()),
      /** A port on 127.0.0.1 that has to be free. */
      port: z.number().int().min(1).max(65535).nullable(),
    }),
    result: z.object({ pid: z.number().int() }),
  },
  stop: {
    description: 'Ends the process with SIGTERM and, after the timeout, SIGKILL to its whole group',
    params: target.extend({ timeoutMs: z.number().int().min(0) }),
    result: z.object({ stopped: z.boolean() }),
  },
  status: {
    description: 'Looks at the process and its supervisor',
    params: target,
    result: processStatus,
  },
  remove: {
    description: 'Deletes the working directory',
    params: target,
    result: z.object({ removed: z.boolean() }),
  },
})
