import {
  connectedInterfacesOf,
  createDeviceFunctions,
  defineInterfaceMap,
  definePower,
  locationOf,
  pairMacs,
  specOf,
} from '@contractor/driver'
import {
  type ComplexContext,
  defineDiscover,
  defineFoundation,
  defineFunction,
  defineRead,
  defineTaskFunction,
  type FoundationContext,
  type FunctionContext,
  secret,
  wireError,
} from '@contractor/plugin'
import { z } from 'zod'
import { type ComplexFields, connectionOf, vcenterComplex } from './connection.ts'
import { type Target, tasks, vmUuid } from './tasks.ts'
import { ovaKeys, scratchKeys, specDefaults, specKeys, templateKeys, vmName, vmSpec } from './vm-spec.ts'

const fields = z.object({ vcenter_uuid: vmUuid.optional().describe('The machine, once it is made') })
type Fields = z.output<typeof fields>
type Context = FunctionContext<Fields, ComplexFields>
type Foundation = FoundationContext<Fields, ComplexFields>

const complexOf = ({ complex, locator }: Foundation): ComplexFields => {
  if (!complex) throw new Error(`Foundation '${locator}' has no Complex that provides it`)
  return complex.fields
}
const reachComplex = ({ foundation }: Context) => connectionOf(complexOf(foundation))
const reach = (foundation: Foundation): Target => ({
  ...connectionOf(complexOf(foundation)),
  name: foundation.locator,
  uuid: foundation.fields.vcenter_uuid ?? null,
})
const reachOf = ({ foundation }: Context) => reach(foundation)

const ask = createDeviceFunctions(reachOf)
const askComplex = createDeviceFunctions(reachComplex)
const gone = { vcenter_uuid: undefined }

const create = defineTaskFunction({
  description:
    'Makes the machine on a host and a datastore, of nothing, of a template or of an appliance, switched off; its adapters are the interfaces of its Foundation, each on the network that its Network is named for. Gives its uuid.',
  args: z.object({ host: z.string(), datastore: z.string(), vm_spec: vmSpec }),
  task: tasks.create,
  readsConfig: true,
  params: ({ host, datastore, vm_spec: spec }, context: Context) => {
    const { locator: name } = context.foundation
    const checked = vmName.safeParse(name)
    if (!checked.success) throw new Error(`Foundation '${name}': its locator ${checked.error.issues[0]?.message}`)
    return {
      ...{ ...reachComplex(context), name, callId: context.callId, vmHost: host, datastore, spec },
      interfaces: connectedInterfacesOf(context),
    }
  },
  result: vmUuid,
  value: ({ uuid }) => uuid,
  fields: ({ uuid }) => ({ vcenter_uuid: uuid }),
  macs: ({ places, macs }) => pairMacs(places, macs),
  message: ({ name, vmHost }) => `Making machine ${name} on ${vmHost}`,
  undo: {
    task: tasks.destroy,
    params: (params, made) => ({ ...params, uuid: made?.uuid ?? null }),
    fields: gone,
  },
  observe: {
    task: tasks.state,
    params: params => ({ ...params, uuid: null }),
    conclude: ({ uuid, call, isWhole, macs }, { callId, interfaces }) =>
      call === callId && isWhole && uuid !== null
        ? { done: { uuid, macs, places: interfaces.map(locationOf) } }
        : { repeat: true },
  },
})

const createDatastore = defineTaskFunction({
  description:
    'Makes a VMFS datastore of the first free disk of a model, on the host that the config value vcenter_hostname names.',
  args: z.object({ name: z.string().min(1).max(42), model: z.string().min(1) }),
  task: tasks.create_datastore,
  readsConfig: true,
  params: ({ name, model }, context: Context) => {
    const vmHost = context.config('vcenter_hostname')
    if (typeof vmHost !== 'string')
      throw new Error('The config has no vcenter_hostname: say on which host the datastore is to be')
    return { ...reachComplex(context), vmHost, datastore: name, model }
  },
  result: z.null(),
  value: () => null,
  message: ({ datastore, vmHost }) => `Making datastore ${datastore} on ${vmHost}`,
  // One that is there already is the answer.
  idempotent: true,
})

/** A command is not run twice: one that was begun is found again by the call's id, for as long as the guest remembers it. */
const execute = defineFunction({
  description:
    'Runs a command in the guest, by /bin/sh, through its tools. Another exit code than expected: an error. The timeout is in seconds.',
  args: z.object({
    username: z.string().min(1),
    password: secret(z.string().max(500)),
    command: z.string().min(1),
    dir: z.string().default('/'),
    timeout: z.number().min(1).max(86_400).default(300),
    expected_rc: z.number().int().default(0),
  }),
  state: z.object({
    params: tasks.execute.params,
    expected: z.number().int(),
    end: z.union([z.object({ rc: z.number() }), wireError]).optional(),
  }),
  result: z.literal(true),
  start: ({ username, password, command, dir, timeout, expected_rc }, context: Context) => ({
    params: {
      ...{ ...reachOf(context), guest_username: username, guest_password: password, command, dir },
      ...{ runMs: Math.round(timeout * 1000), callId: context.callId },
    },
    expected: expected_rc,
  }),
  request: ({ params, end }) => (end ? undefined : tasks.execute.request(params)),
  receive(current, reply) {
    if (current.end) return current
    if (reply.kind === 'result') return { ...current, end: tasks.execute.result.parse(reply.value) }
    if (reply.kind === 'failed') return { ...current, end: reply.error }
    if (reply.kind !== 'observed' || tasks.find_execution.result.parse(reply.value).isThere) return current
    const message = 'It is not known whether the command was run: the guest does not know of it any more'
    return { ...current, end: { code: 'TASK_FAILED', message, retryable: false } }
  },
  outcome({ params: { command }, expected, end }) {
    if (!end) return { kind: 'pending' }
    if ('code' in end) return { kind: 'error', message: end.message }
    if (end.rc === expected) return { kind: 'done', value: true as const }
    return { kind: 'error', message: `'${command}' ended with ${end.rc}, not with ${expected}` }
  },
  message: ({ params: { command } }) => `Running ${command}`,
  observe: ({ params }) => tasks.find_execution.request(params),
})

const isLocator = (name: string) => /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$/.test(name)
const regex = z.string().nullable().default(null)
const none = z.object({})

/** A virtual machine on vSphere, named as its Foundation. */
export const vcenter = defineFoundation({
  type: 'VCenter',
  classes: ['VM', 'VCenter'],
  complex: vcenterComplex,
  fields,
  tasks,
  values: {
    vcenter_uuid: {
      get: ({ fields: own }) => own.vcenter_uuid ?? null,
      set: value => (value === null ? gone : { vcenter_uuid: vmUuid.parse(value) }),
    },
    vcenter_complex: { get: ({ complex }) => complex?.name ?? null },
    vcenter_vmspec: {
      description: 'What the Structure on it wants of a machine, for vcenter.create().',
      readsConfig: true,
      get: (_foundation, { config }) => {
        const isOf = (name: string) => (config(name) ?? null) !== null
        const own = isOf('ova') ? ovaKeys : isOf('template') ? templateKeys : {}
        return specOf(config, { ...specKeys, ...own, ...(isOf('template') ? {} : scratchKeys) }, specDefaults)
      },
    },
  },
  config: ({ fields: own, complex, complexFields }) => ({
    _vcenter_uuid: own.vcenter_uuid ?? null,
    _vcenter_complex: complex,
    _vcenter_datacenter: complexFields?.vcenter_datacenter ?? null,
    _vcenter_cluster: complexFields?.vcenter_cluster ?? null,
  }),
  read: defineRead({
    task: tasks.state,
    params: (foundation: Foundation) => reach(foundation),
    seen: ({ state, uuid, status, host, address_list }) => ({
      exists: state !== 'gone',
      fields: { vcenter_uuid: uuid ?? undefined },
      details: { power: state, status, host, address_list },
    }),
  }),
  discover: defineDiscover({
    task: tasks.list,
    identity: ['vcenter_uuid'],
    params: ({ complex }: { site: string; complex?: ComplexContext<ComplexFields> }) => {
      if (!complex) throw new Error('Machines are found on a Complex: name one')
      return connectionOf(complex.fields)
    },
    found: ({ machines }) =>
      machines
        .filter(({ name }) => isLocator(name))
        .map(({ name, uuid, status }) => ({ locator: name, fields: { vcenter_uuid: uuid }, details: { status } })),
  }),
  functions: {
    ...definePower({ tasks, connection: reachOf, exhausted: 'paused' }),
    ...defineInterfaceMap({ task: tasks.interfaces, connection: reachOf }),
    destroy: defineTaskFunction({
      description: 'Switches it off, and removes it with its disks. Gone already: nothing happens.',
      args: none,
      task: tasks.destroy,
      params: (_args, context: Context) => reachOf(context),
      result: z.null(),
      value: () => null,
      fields: () => gone,
      message: ({ name }) => `Removing machine ${name}`,
      idempotent: true,
    }),
    inspect: ask({
      description:
        'Looks at it: a map with state (on, off, unknown or gone), uuid, status, host, cpu_count, memory_size, is_template and address_list.',
      args: none,
      task: tasks.state,
      result: z.record(z.string(), z.unknown()),
      value: ({ call: _, isWhole: __, macs: ___, ...seen }) => seen,
      message: 'Looking at the machine',
    }),
    execute,
    mark_as_template: defineTaskFunction({
      description:
        'Makes it a template, or a machine again. A single ESX host has no templates: nothing happens there.',
      args: z.object({ as_template: z.boolean().default(true) }),
      task: tasks.mark_template,
      params: ({ as_template }, context: Context) => ({ ...reachOf(context), asTemplate: as_template }),
      result: z.null(),
      value: () => null,
      message: ({ asTemplate }) => (asTemplate ? 'Making it a template' : 'Making it a machine'),
      idempotent: true,
    }),
    export: defineTaskFunction({
      description: 'Writes its disks and their description (OVF) below a URL, by HTTP PUT. It has to be off.',
      args: z.object({ url: z.string() }),
      task: tasks.export,
      params: ({ url }, context: Context) => ({ ...reachOf(context), url }),
      result: z.string().describe('The URL of the description'),
      value: ({ location }) => location,
      message: ({ name }) => `Exporting machine ${name}`,
      // What was written is written over.
      idempotent: true,
    }),
  },
  moduleFunctions: {
    create,
    create_datastore: createDatastore,
    host_list: askComplex({
      description:
        'The hosts of the cluster with so much free memory, in MiB, and so many cores; that with the greatest free part of both, weighted, first.',
      args: z.object({
        min_memory: z.number().min(0),
        min_cpu: z.number().min(0),
        cpu_scaler: z.number().default(1),
        memory_scaler: z.number().default(1),
      }),
      ...{ task: tasks.list_hosts, result: z.array(z.string()), message: 'Looking for a host' },
      value: ({ names }) => names,
    }),
    datastore_list: defineTaskFunction({
      description:
        'The datastores of a host with so much free space, in GiB, whose names begin as the regular expression says; that with most first.',
      args: z.object({ host: z.string(), min_free_space: z.number().min(0), name_regex: regex }),
      task: tasks.list_datastores,
      params: ({ host, ...args }, context: Context) => ({ ...reachComplex(context), vmHost: host, ...args }),
      result: z.array(z.string()),
      value: ({ names }) => names,
      message: ({ vmHost }) => `Looking for a datastore of ${vmHost}`,
      idempotent: true,
    }),
    network_list: defineTaskFunction({
      description: 'The networks of a host whose names begin as the regular expression says.',
      args: z.object({ host: z.string(), name_regex: regex }),
      task: tasks.list_networks,
      params: ({ host, ...args }, context: Context) => ({ ...reachComplex(context), vmHost: host, ...args }),
      result: z.array(z.string()),
      value: ({ names }) => names,
      message: ({ vmHost }) => `Looking at the networks of ${vmHost}`,
      idempotent: true,
    }),
  },
})
