import { createDeviceFunctions } from '@contractor/driver'
import {
  defineFoundation,
  defineRead,
  defineTaskFunction,
  type FoundationContext,
  type FunctionContext,
} from '@contractor/plugin'
import { z } from 'zod'
import { isConfigured } from './configuration.ts'
import { connectionOf, type Fields, fields, terminalOf } from './connection.ts'
import { learned, neighbour, portName, portVlans, switchPort, tasks, vlan, vlanId } from './tasks.ts'

type Context = FunctionContext<Fields>
const ask = createDeviceFunctions(({ foundation }: Context) => connectionOf(foundation))
const none = z.object({})
const isChanged = {
  result: z.boolean().describe('Whether that was a change'),
  value: (reply: { changed: boolean }) => reply.changed,
}

const setPort = (up: boolean) =>
  defineTaskFunction({
    description: `Switches a port ${up ? 'on' : 'off'}. So already: nothing happens.`,
    args: z.object({ port: portName }),
    task: tasks.set_port,
    params: ({ port }, { foundation }: Context) => ({
      ...connectionOf(foundation),
      ...{ interface: port, up, description: null },
    }),
    ...isChanged,
    message: params => `Switching port ${params.interface} ${up ? 'on' : 'off'}`,
    idempotent: true,
  })

const describePort = defineTaskFunction({
  description: 'Describes a port.',
  args: z.object({ port: portName, description: z.string().max(255) }),
  task: tasks.set_port,
  params: ({ port, description }, { foundation }: Context) => ({
    ...connectionOf(foundation),
    ...{ interface: port, description, up: null },
  }),
  ...isChanged,
  message: params => `Describing port ${params.interface}`,
  idempotent: true,
})

const putIntoVlans = defineTaskFunction({
  description:
    'Puts a port into an untagged VLAN and into tagged ones, and out of all others; what is not given stays as it is.',
  args: z.object({
    port: portName,
    untagged: vlanId.nullable().default(null),
    tagged: z.array(vlanId).nullable().default(null),
  }),
  task: tasks.set_port_vlans,
  params: ({ port, ...vlans }, { foundation }: Context) => ({ ...connectionOf(foundation), interface: port, ...vlans }),
  ...isChanged,
  message: params => `Putting port ${params.interface} into VLANs`,
  idempotent: true,
})

const deleteVlan = defineTaskFunction({
  description: 'Removes a VLAN. Gone already: nothing happens.',
  args: z.object({ vlan: vlanId }),
  task: tasks.set_vlan,
  params: (given, { foundation }: Context) => ({ ...connectionOf(foundation), ...given, name: null }),
  ...isChanged,
  message: ({ vlan: number }) => `Removing VLAN ${number}`,
  idempotent: true,
})

const configuration = defineTaskFunction({
  description: 'Reads its configuration, by SSH; the whole of a long one is an attachment of the Job.',
  args: none,
  task: tasks.read_configuration,
  params: (_args, { foundation }: Context) => terminalOf(foundation),
  result: z.string(),
  value: ({ text }) => text,
  message: () => 'Reading the configuration',
  idempotent: true,
})

const configure = defineTaskFunction({
  description:
    'Types lines of configuration, by SSH, and saves it unless told otherwise. A line that is refused is an error, and nothing is saved then.',
  args: z.object({
    lines: z.union([z.array(z.string()).min(1), z.string().transform(text => text.split('\n').filter(Boolean))]),
    save: z.boolean().default(true),
  }),
  task: tasks.configure,
  params: (given, { foundation }: Context) => ({ ...terminalOf(foundation), ...given }),
  result: z.string(),
  value: ({ output }) => output,
  message: () => 'Changing the configuration',
  observe: {
    task: tasks.read_configuration,
    params: ({ lines: _, save: __, ...terminal }) => terminal,
    // Lines of configuration say what is to be: typed twice, they are once.
    conclude: ({ text }, { lines, save }) =>
      isConfigured(lines, text) && !save ? { done: { output: '' } } : { repeat: true },
  },
})

/** A network switch, by SNMP and, for its configuration, SSH. */
export const networkSwitch = defineFoundation({
  type: 'Switch',
  classes: ['Metal', 'Switch'],
  fields,
  tasks,
  config: ({ fields: { switch_ip_address } }) => ({ _switch_ip_address: switch_ip_address }),
  read: defineRead({
    task: tasks.look,
    params: (foundation: FoundationContext<Fields>) => connectionOf(foundation),
    seen: ({ name, description, ports }) => ({ exists: true, details: { name, description, ports } }),
  }),
  functions: {
    ports: ask({
      description: 'Reads its ports: maps with name, description, up, link, speed (Mbit/s) and mac.',
      ...{ args: none, task: tasks.look, result: z.array(switchPort), message: 'Reading the ports' },
      value: reply => reply.ports,
    }),
    port_up: setPort(true),
    port_down: setPort(false),
    set_description: describePort,
    vlans: ask({
      description: 'Reads its VLANs: maps with vlan and name.',
      ...{ args: none, task: tasks.read_vlans, result: z.array(vlan), message: 'Reading the VLANs' },
      value: reply => reply.vlans,
    }),
    port_vlans: ask({
      description: 'Reads which VLANs its ports are in: maps with port, untagged and tagged.',
      ...{ args: none, task: tasks.read_vlans, result: z.array(portVlans), message: 'Reading the VLANs' },
      value: reply => reply.ports,
    }),
    create_vlan: ask({
      description: 'Makes a VLAN, or renames the one that there is.',
      args: z.object({ vlan: vlanId, name: z.string().min(1).max(32) }),
      ...{ task: tasks.set_vlan, ...isChanged, message: 'Making a VLAN' },
    }),
    delete_vlan: deleteVlan,
    set_vlan: putIntoVlans,
    neighbours: ask({
      description:
        'Reads what LLDP says of the other ends: maps with port, name, chassis, neighbour_port, description.',
      ...{ args: none, task: tasks.read_neighbours, result: z.array(neighbour), message: 'Reading the neighbours' },
      value: reply => reply.neighbours,
    }),
    macs: ask({
      description: 'Reads which MACs it has heard at which ports: maps with mac, port and vlan.',
      ...{ args: none, task: tasks.read_macs, result: z.array(learned), message: 'Reading the MACs' },
      value: reply => reply.macs,
    }),
    configuration,
    configure,
  },
})
