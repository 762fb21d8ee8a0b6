import {
  defineFunction,
  defineModule,
  defineTaskFunction,
  type FunctionContext,
  json,
  type WireError,
  wireError,
} from '@contractor/plugin'
import { z } from 'zod'
import { commandsOf } from './attribute.ts'
import { authKey, command, configPath, pin, tasks } from './tasks.ts'

/** Where the router is: by itself at the target's primary address, with what the config says of it. */
const where = {
  host: z.string().nullable().default(null),
  port: z.number().int().nullable().default(null),
  fingerprint: pin.nullable().default(null),
  auth_key: authKey,
}
type Where = z.output<z.ZodObject<typeof where>>

const primaryAddress = z.object({ address: z.string() })

function connectionOf({ host, port, fingerprint, auth_key }: Where, { config }: Pick<FunctionContext, 'config'>) {
  const own = primaryAddress.safeParse(config('_primary_address') ?? null)
  const address = host ?? (own.success ? own.data.address : undefined)
  if (address === undefined) throw new Error('The target has no primary address: say the router’s host')
  return {
    ...{ host: address, auth_key },
    port: port ?? z.number().catch(443).parse(config('vyos_port')),
    fingerprint: fingerprint ?? pin.nullable().parse(config('vyos_fingerprint') ?? null),
  }
}

/** What the router says no to, it says no to each time: the Job is over. What passes can be reset. */
const isFinal = ({ code }: WireError): boolean => code === 'DEVICE_REFUSED' || code === 'DEVICE_UNSUPPORTED'

const apply = defineFunction({
  description:
    'Configures what an attribute of the target’s config is: dhcp_relay, interface:ethernet:NAME or interface:ethernet:NAME:ALIAS. What the router refuses ends the Job.',
  args: z.object({ attribute: z.string(), ...where, save: z.boolean().default(false) }),
  readsConfig: true,
  idempotent: true,
  state: z.object({
    attribute: z.string(),
    params: z.unknown().optional(),
    wrong: z.string().optional(),
    end: z.union([wireError, z.literal('done')]).optional(),
  }),
  result: z.literal(true),
  start: ({ attribute, save, ...given }, context) => {
    const applied = commandsOf(attribute, name => context.config(name))
    if ('wrong' in applied) return { attribute, wrong: applied.wrong }
    const params = { ...connectionOf(given, context), commands: applied.commands, save }
    return { attribute, params: tasks.configure.params.parse(params) }
  },
  request: ({ params, wrong, end }) =>
    wrong === undefined && end === undefined
      ? tasks.configure.request(tasks.configure.params.parse(params))
      : undefined,
  receive(current, reply) {
    if (current.end || current.wrong !== undefined) return current
    if (reply.kind === 'failed') return { ...current, end: reply.error }
    if (reply.kind !== 'result') return current
    tasks.configure.result.parse(reply.value)
    return { ...current, end: 'done' as const }
  },
  outcome({ attribute, wrong, end }) {
    if (wrong !== undefined) return { kind: 'aborted', message: `vyos.apply( attribute='${attribute}' ): ${wrong}` }
    if (end === undefined) return { kind: 'pending' }
    if (end === 'done') return { kind: 'done', value: true as const }
    return { kind: isFinal(end) ? 'aborted' : 'error', message: end.message }
  },
  message: ({ attribute }) => `Applying ${attribute}`,
})

const configure = defineTaskFunction({
  description:
    'Changes the configuration, all of it or nothing: a list of maps with op (set, delete, comment) and path. Whether it was another one before.',
  args: z.object({ command_list: z.array(command).min(1), ...where, save: z.boolean().default(false) }),
  readsConfig: true,
  task: tasks.configure,
  params: ({ command_list: commands, save, ...given }, context: FunctionContext) => ({
    ...{ ...connectionOf(given, context), commands, save },
  }),
  result: z.boolean(),
  value: ({ changed }) => changed,
  message: ({ host }) => `Configuring ${host}`,
  idempotent: true,
})

const showConfig = defineTaskFunction({
  description: 'Reads the configuration below a path: a map; None where there is none.',
  args: z.object({ path: configPath.default([]), ...where }),
  readsConfig: true,
  task: tasks.show,
  params: ({ path, ...given }, context: FunctionContext) => ({ ...connectionOf(given, context), path }),
  result: json,
  value: ({ config }) => config,
  message: ({ host }) => `Reading the configuration of ${host}`,
  idempotent: true,
})

/** The configuration of VyOS routers. */
export const vyos = defineModule({ name: 'vyos', tasks, functions: { apply, configure, show_config: showConfig } })
