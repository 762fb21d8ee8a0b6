import { defineModule, defineTaskFunction, type FunctionContext, pollUntil } from '@contractor/plugin'
import { z } from 'zod'
import { connectionOf } from './connection.ts'
import { fileEntries, filesOf } from './file-list.ts'
import { account, command, logFile, packageName, serviceState, tasks, unitName } from './tasks.ts'

const seconds = (otherwise: number) => z.number().min(1).max(86_400).default(otherwise)
const toMs = (given: number) => Math.round(given * 1000)
const name = unitName.default('structure').describe('By which it is known again, where a machine has several')
/** Where a message has to be short. */
const firstLine = (text: string) => text.split('\n')[0]?.slice(0, 80) ?? ''

const waitForLogin = pollUntil({
  description:
    'Waits until the machine lets one in who is root or may become it, and is a Debian. Gives a map: system, version, init (systemd, sysvinit), user.',
  args: z.object({ timeout: z.number().min(0).max(86_400).default(600) }),
  task: tasks.look,
  params: (_args, context: FunctionContext) => connectionOf(context),
  result: tasks.look.result,
  readsConfig: true,
  until: seen => ({ done: seen }),
  everyMs: 3000,
  timeoutMs: ({ timeout }) => toMs(timeout),
  message: ({ host, port }) => `Waiting to be let in to ${host}:${port}`,
})

const install = defineTaskFunction({
  description: 'Installs those packages that are not there, and gives their names.',
  args: z.object({ package_list: z.array(packageName), timeout: seconds(1800) }),
  task: tasks.install,
  params: ({ timeout, ...given }, context: FunctionContext) => ({
    ...connectionOf(context),
    ...given,
    timeoutMs: toMs(timeout),
  }),
  result: z.array(z.string()),
  value: ({ installed }) => installed,
  readsConfig: true,
  message: ({ host, package_list }) => `Installing ${package_list.join(', ').slice(0, 200)} on ${host}`,
  idempotent: true,
})

const configure = defineTaskFunction({
  description:
    'Writes files, checks them with a command, and has a service run with them. Where the check fails, or the service does not run with them, what was there before is put back. Whether anything was different.',
  args: z.object({
    name,
    files: fileEntries,
    service: unitName.nullable().default(null),
    check: command.nullable().default(null),
    reload: z.boolean().default(false).describe('The service reads its files anew, and is not begun anew'),
    log: logFile.nullable().default(null).describe('Where the service writes what is wrong'),
    timeout: seconds(300),
  }),
  task: tasks.configure,
  params: ({ timeout, files, ...given }, context: FunctionContext) => ({
    ...connectionOf(context),
    ...given,
    files: filesOf(files),
    timeoutMs: toMs(timeout),
  }),
  result: z.boolean(),
  value: ({ changed }) => changed,
  readsConfig: true,
  message: ({ host, service, files }) => `Setting up ${service ?? files[0]?.path ?? 'nothing'} on ${host}`,
  idempotent: true,
  undo: {
    task: tasks.unconfigure,
    params: (params, reply) => ({ ...params, isNew: reply?.isNew ?? false }),
  },
})

const unconfigure = defineTaskFunction({
  description:
    'Stops the service of what was set up under a name, takes its files away, and puts back what was in their place before. Whether there was anything.',
  args: z.object({ name, timeout: seconds(300) }),
  task: tasks.unconfigure,
  params: ({ timeout, name }, context: FunctionContext) => ({
    ...connectionOf(context),
    ...{ name, isNew: true, timeoutMs: toMs(timeout) },
  }),
  result: z.boolean(),
  value: ({ changed }) => changed,
  readsConfig: true,
  message: ({ host }) => `Taking away what was set up on ${host}`,
  idempotent: true,
})

const service = defineTaskFunction({
  description: 'Has a service started, stopped, restarted or reloaded. Whether it did anything for that.',
  args: z.object({ name: unitName, state: serviceState, log: logFile.nullable().default(null), timeout: seconds(300) }),
  task: tasks.service,
  params: ({ timeout, name, ...given }, context: FunctionContext) => ({
    ...connectionOf(context),
    ...given,
    ...{ service: name, timeoutMs: toMs(timeout) },
  }),
  result: z.boolean(),
  value: ({ changed }) => changed,
  readsConfig: true,
  message: ({ host, service, state }) => `Having ${service} ${state} on ${host}`,
  idempotent: true,
})

const run = defineTaskFunction({
  description: 'Runs a command by /bin/sh, as root unless said, and gives what it wrote.',
  args: z.object({ command, user: account.default('root'), timeout: seconds(300) }),
  task: tasks.run,
  params: ({ timeout, ...given }, context: FunctionContext) => ({
    ...connectionOf(context),
    ...given,
    timeoutMs: toMs(timeout),
  }),
  result: z.string(),
  value: ({ output }) => output,
  readsConfig: true,
  message: ({ host, command }) => `Running '${firstLine(command)}' on ${host}`,
})

const waitFor = pollUntil({
  description:
    'Runs a command that only looks, until it ends well, and gives what it wrote. Not within the timeout: an error that can be reset.',
  args: z.object({ command, user: account.default('root'), timeout: z.number().min(0).max(86_400).default(60) }),
  task: tasks.probe,
  params: ({ timeout: _, ...given }, context: FunctionContext) => ({
    ...connectionOf(context),
    ...given,
    timeoutMs: 60_000,
  }),
  result: z.string(),
  readsConfig: true,
  until: ({ good, output }) => (good ? { done: output } : { waiting: output || 'it says nothing' }),
  everyMs: 2000,
  timeoutMs: ({ timeout }) => toMs(timeout),
  message: ({ host, command }) => `Waiting for '${firstLine(command)}' on ${host}`,
})

/** Sets up machines with Debian that are reached by SSH; how, their config says. */
export const linux = defineModule({
  name: 'linux',
  tasks,
  functions: { wait_for_login: waitForLogin, install, configure, unconfigure, service, run, wait_for: waitFor },
})
