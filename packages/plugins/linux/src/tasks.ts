import { sshConnection } from '@contractor/driver'
import { defineTasks } from '@contractor/plugin'
import { z } from 'zod'
import { fileList } from './file-list.ts'

/** By what a service, or something that was set up, is called. */
export const unitName = z
  .string()
  .max(100)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.@-]*$/, 'must be a name of letters, digits and _ . @ -')
export const packageName = z
  .string()
  .max(200)
  .regex(/^[a-z0-9][a-z0-9+.-]+$/, 'must be the name of a package of Debian')
/** Of a user of the machine. */
export const account = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be the name of a user')
export const command = z.string().min(1).max(100_000)
export const logFile = z
  .string()
  .max(1000)
  .regex(/^(\/[A-Za-z0-9._-]+)+$/, 'must be an absolute path')
export const serviceState = z.enum(['started', 'stopped', 'restarted', 'reloaded'])

const timeoutMs = z.number().int().min(1).max(86_400_000)

/** A machine is changed by one Task at a time: so is its list of packages, and so are its services. */
const rules = {
  retry: { attempts: 4, backoffMs: 5000 },
  limit: ({ host, port }: { host: string; port: number }) => ({ key: `linux ${host}:${port}`, atOnce: 1 }),
  timeoutMs: (params: { timeoutMs: number }) => params.timeoutMs + 120_000,
}
const place = sshConnection.extend({ timeoutMs })

export const tasks = defineTasks({
  look: {
    description: 'Logs in, and looks at what system it is',
    params: sshConnection,
    result: z.object({
      system: z.string(),
      version: z.string(),
      init: z.enum(['systemd', 'sysvinit']),
      user: z.string(),
    }),
    timeoutMs: 120_000,
  },
  install: {
    ...rules,
    description: 'Installs packages that are not there',
    params: place.extend({ package_list: z.array(packageName).max(1000) }),
    /** What was not there before. */
    result: z.object({ installed: z.array(z.string()) }),
  },
  configure: {
    ...rules,
    description: 'Writes files, checks them, and has a service run with them; what is so already is left alone',
    params: place.extend({
      /** By which it is known again. */
      name: unitName,
      files: fileList,
      service: unitName.nullable(),
      check: command.nullable(),
      /** The service reads its files anew, and is not begun anew. */
      reload: z.boolean(),
      /** Where the service writes what is wrong. */
      log: logFile.nullable(),
    }),
    /** `isNew`: nothing of that name was set up before. */
    result: z.object({ changed: z.boolean(), isNew: z.boolean() }),
  },
  unconfigure: {
    ...rules,
    description: 'Stops the service of what was set up under a name, and takes its files away',
    params: place.extend({
      name: unitName,
      /** Of a call that is undone: whether nothing of that name was set up before it. Else nothing is taken away. */
      isNew: z.boolean(),
    }),
    result: z.object({ changed: z.boolean() }),
  },
  service: {
    ...rules,
    description: 'Starts, stops, restarts a service, or has it read its files anew',
    params: place.extend({ service: unitName, state: serviceState, log: logFile.nullable() }),
    result: z.object({ changed: z.boolean() }),
  },
  run: {
    description: 'Runs a command; another exit code than 0 is a failure',
    params: place.extend({ command, user: account }),
    result: z.object({ output: z.string() }),
    limit: rules.limit,
    timeoutMs: rules.timeoutMs,
  },
  probe: {
    description: 'Runs a command that only looks',
    params: place.extend({ command, user: account }),
    /** `output`: what it wrote, or what is wrong. */
    result: z.object({ good: z.boolean(), output: z.string() }),
    timeoutMs: rules.timeoutMs,
  },
})
