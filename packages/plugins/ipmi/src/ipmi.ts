import { createDeviceFunctions, definePower, password, userName } from '@contractor/driver'
import {
  defineFoundation,
  defineFunction,
  defineRead,
  defineTaskFunction,
  type FoundationContext,
  type FunctionContext,
  wireError,
} from '@contractor/plugin'
import { z } from 'zod'
import { connectionOf, type Fields, fields } from './connection.ts'
import { bootDevice, lan, selEntry, sensor, tasks } from './tasks.ts'

type Context = FunctionContext<Fields>
const reach = ({ foundation }: Context) => connectionOf(foundation.fields)

const ask = createDeviceFunctions(reach)

/** Of `link_test`: below this the way to a BMC is bad. */
const goodScore = 0.8

const bootFlags = z.object({ device: bootDevice, persistent: z.boolean(), uefi: z.boolean() })

/** The Foundation learns the new password only once the BMC has taken it, and only where it is that of its own user. */
const setPassword = defineFunction({
  description:
    'Gives a user of the BMC another password, and logs in with it; of the user that Contractor has, that is what it logs in with from now on.',
  args: z.object({
    user: userName.optional(),
    new_password: password,
    channel: z.number().int().min(1).max(15).default(1),
  }),
  state: z.object({
    params: z.unknown(),
    isOwn: z.boolean(),
    newPassword: password,
    end: wireError.or(z.literal('done')).optional(),
  }),
  result: z.null(),
  idempotent: true,
  start: ({ user, new_password, channel }, { foundation }: Context) => {
    const own = connectionOf(foundation.fields)
    const of = user ?? own.username
    return {
      params: tasks.set_password.params.parse({ ...own, user: of, new_password, channel }),
      isOwn: of === own.username,
      newPassword: new_password,
    }
  },
  request: ({ params, end }) => (end ? undefined : tasks.set_password.request(tasks.set_password.params.parse(params))),
  receive(state, reply) {
    if (state.end) return state
    if (reply.kind === 'result') return { ...state, end: 'done' as const }
    return reply.kind === 'failed' ? { ...state, end: reply.error } : state
  },
  outcome({ end, isOwn, newPassword }) {
    if (!end) return { kind: 'pending' }
    if (end !== 'done') return { kind: 'error', message: end.message }
    return { kind: 'done', value: null, ...(isOwn && { fields: { ipmi_password: newPassword } }) }
  },
  message: () => 'Setting a password of the BMC',
})

const setLan = defineTaskFunction({
  description:
    'Gives the BMC another address, and reaches it there: Contractor knows it by that from now on. What is not given stays.',
  args: z.object({
    source: z.enum(['static', 'dhcp']).default('static'),
    address: z.ipv4().nullable().default(null),
    netmask: z.ipv4().nullable().default(null),
    gateway: z.ipv4().nullable().default(null),
    vlan: z.number().int().min(0).max(4094).nullable().default(null),
    channel: z.number().int().min(1).max(15).default(1),
  }),
  task: tasks.set_lan,
  params: (args, context: Context) => ({ ...reach(context), ...args }),
  result: lan,
  value: reply => reply,
  fields: ({ source, address }) => (source === 'static' ? { ipmi_ip_address: address } : {}),
  message: () => 'Setting the address of the BMC',
  idempotent: true,
})

const resetBmc = defineTaskFunction({
  description: 'Restarts the BMC, not the machine, and waits until it answers again; the timeout is in seconds.',
  args: z.object({ kind: z.enum(['warm', 'cold']).default('cold'), timeout: z.number().min(0).max(900).default(300) }),
  task: tasks.reset_bmc,
  params: ({ kind, timeout }, context: Context) => ({ ...reach(context), kind, waitMs: Math.round(timeout * 1000) }),
  result: z.null(),
  value: () => null,
  message: () => 'Restarting the BMC',
  idempotent: true,
})

/** A server with a BMC that speaks IPMI 2.0 over a network. */
export const ipmi = defineFoundation({
  type: 'IPMI',
  classes: ['Metal', 'Physical', 'IPMI'],
  fields,
  tasks,
  config: ({ fields: { ipmi_ip_address, ipmi_sol_port } }) => ({ ipmi_ip_address, _console: ipmi_sol_port }),
  read: defineRead({
    task: tasks.power_state,
    params: (foundation: FoundationContext<Fields>) => connectionOf(foundation.fields),
    seen: ({ state }) => ({ exists: true, details: { power: state } }),
  }),
  functions: {
    ...definePower({ tasks, connection: reach, exhausted: 'error' }),
    link_test: ask({
      description:
        'Asks the BMC `count` times, a second apart: whether the way to it is good (four of five answers come, of late).',
      args: z.object({ count: z.number().int().min(1).max(60).default(20) }),
      task: tasks.link_test,
      result: z.boolean(),
      value: ({ score }) => score >= goodScore,
      message: 'Testing the way to the BMC',
    }),
    set_boot_device: ask({
      description:
        'Says what the machine boots from next, or with persistent from now on. UEFI stays as it is unless said.',
      args: z.object({
        device: bootDevice,
        persistent: z.boolean().default(false),
        uefi: z.boolean().nullable().default(null),
      }),
      task: tasks.set_boot_device,
      result: bootFlags,
      value: reply => reply,
      message: 'Setting the boot device',
    }),
    boot_device: ask({
      description: 'Reads what the machine boots from: a map with device, persistent and uefi.',
      args: z.object({}),
      task: tasks.read_boot_device,
      result: bootFlags,
      value: reply => reply,
      message: 'Reading the boot device',
    }),
    sensors: ask({
      description: 'Reads all sensors: maps with name, value, unit and status.',
      args: z.object({}),
      task: tasks.read_sensors,
      result: z.array(sensor),
      value: reply => reply.sensors,
      message: 'Reading the sensors',
    }),
    sel: ask({
      description: 'Reads the newest entries of the event log: maps with id, at, sensor, event and asserted.',
      args: z.object({ newest: z.number().int().min(1).max(500).default(50) }),
      task: tasks.read_sel,
      result: z.array(selEntry),
      value: reply => reply.entries,
      message: 'Reading the event log',
    }),
    clear_sel: ask({
      description: 'Empties the event log; gives how many entries it had.',
      args: z.object({}),
      task: tasks.clear_sel,
      result: z.number().int(),
      value: reply => reply.cleared,
      message: 'Emptying the event log',
    }),
    fru: ask({
      description: 'Reads what the machine says of itself: a map, as `Product Serial`.',
      args: z.object({}),
      task: tasks.read_fru,
      result: z.record(z.string(), z.string()),
      value: reply => reply.fru,
      message: 'Reading what the machine is',
    }),
    identify: ask({
      description: 'Lights the identify light for so many seconds: 0 puts it out, None leaves it on.',
      args: z.object({ seconds: z.number().int().min(0).max(255).nullable().default(15) }),
      task: tasks.identify,
      result: z.null(),
      value: () => null,
      message: 'Lighting the identify light',
    }),
    bmc_reset: resetBmc,
    lan: ask({
      description: 'Reads the address of the BMC: a map with source, address, netmask, gateway, mac and vlan.',
      args: z.object({ channel: z.number().int().min(1).max(15).default(1) }),
      task: tasks.read_lan,
      result: lan,
      value: reply => reply,
      message: 'Reading the address of the BMC',
    }),
    set_lan: setLan,
    set_password: setPassword,
  },
})
