import { createDeviceFunctions, definePower } from '@contractor/driver'
import {
  defineFoundation,
  defineRead,
  defineTaskFunction,
  type FoundationContext,
  type FunctionContext,
  json,
} from '@contractor/plugin'
import { z } from 'zod'
import { connectionOf, type Fields, fields } from './connection.ts'
import { bootDevice, bootOverride, firmware, inventory, tasks } from './tasks.ts'

type Context = FunctionContext<Fields>
const reach = ({ foundation }: Context) => connectionOf(foundation.fields)

const ask = createDeviceFunctions(reach)
const none = z.object({})

const resetBmc = defineTaskFunction({
  description: 'Restarts the BMC, not the machine, and waits until it answers again; the timeout is in seconds.',
  args: z.object({ timeout: z.number().min(0).max(900).default(300) }),
  task: tasks.reset_bmc,
  params: ({ timeout }, context: Context) => ({ ...reach(context), waitMs: Math.round(timeout * 1000) }),
  result: z.null(),
  value: () => null,
  message: () => 'Restarting the BMC',
  idempotent: true,
})

/** A server whose BMC speaks Redfish (DMTF DSP0266). */
export const redfish = defineFoundation({
  type: 'RedFish',
  module: 'redfish',
  classes: ['Metal', 'Physical', 'RedFish'],
  fields,
  tasks,
  config: ({ fields: { redfish_ip_address, redfish_sol_port } }) => ({
    redfish_ip_address,
    _console: redfish_sol_port,
  }),
  read: defineRead({
    task: tasks.power_state,
    params: (foundation: FoundationContext<Fields>) => connectionOf(foundation.fields),
    seen: ({ state }) => ({ exists: true, details: { power: state } }),
  }),
  functions: {
    ...definePower({ tasks, connection: reach, exhausted: 'paused' }),
    link_test: ask({
      description: 'Logs in and out: whether that works.',
      ...{
        args: none,
        task: tasks.link_test,
        result: z.boolean(),
        value: ({ good }) => good,
        message: 'Testing the way to the BMC',
      },
    }),
    set_boot_device: ask({
      description:
        'Says what the machine boots from next, or with persistent from now on. UEFI stays as it is unless said.',
      args: z.object({
        device: bootDevice,
        persistent: z.boolean().default(false),
        uefi: z.boolean().nullable().default(null),
      }),
      task: tasks.set_boot,
      result: bootOverride,
      message: 'Setting the boot device',
      value: reply => reply,
    }),
    boot_device: ask({
      description: 'Reads what the machine boots from: a map with device, persistent and uefi.',
      args: none,
      task: tasks.read_boot,
      result: bootOverride,
      message: 'Reading the boot device',
      value: reply => reply,
    }),
    bios: ask({
      description: 'Reads the BIOS attributes: a map.',
      ...{
        args: none,
        task: tasks.read_bios,
        result: z.record(z.string(), json),
        message: 'Reading the BIOS attributes',
      },
      value: ({ attributes }) => attributes,
    }),
    set_bios: ask({
      description:
        'Sets BIOS attributes, which hold from the next start on; gives the names of those that were others.',
      args: z.object({ attributes: z.record(z.string(), json) }),
      ...{
        task: tasks.set_bios,
        result: z.array(z.string()),
        value: ({ changed }) => changed,
        message: 'Setting BIOS attributes',
      },
    }),
    insert_media: ask({
      description: 'Puts an image, by its URL, into the virtual drive; what is in is taken out.',
      args: z.object({ image: z.string() }),
      ...{ task: tasks.insert_media, result: z.null(), value: () => null, message: 'Inserting virtual media' },
    }),
    eject_media: ask({
      description: 'Empties the virtual drives.',
      ...{
        args: none,
        task: tasks.eject_media,
        result: z.null(),
        value: () => null,
        message: 'Ejecting virtual media',
      },
    }),
    firmware: ask({
      description: 'Reads which firmware there is: maps with id, name, version and updateable.',
      ...{ args: none, task: tasks.read_firmware, result: z.array(firmware), message: 'Reading the firmware' },
      value: reply => reply.firmware,
    }),
    update_firmware: ask({
      description: 'Lets the BMC fetch and install firmware, and waits until it has.',
      args: z.object({ image: z.string(), targets: z.array(z.string()).default([]) }),
      ...{ task: tasks.update_firmware, result: z.null(), value: () => null, message: 'Updating firmware' },
    }),
    inventory: ask({
      description:
        'Reads what the machine is: a map with manufacturer, model, serial, uuid, cpu_count, memory_size, health and mac_list.',
      args: none,
      task: tasks.read_inventory,
      result: inventory,
      message: 'Reading what the machine is',
      value: reply => reply,
    }),
    identify: ask({
      description: 'Lights the identify light, or puts it out.',
      args: z.object({ on: z.boolean().default(true) }),
      ...{ task: tasks.identify, result: z.null(), value: () => null, message: 'Setting the identify light' },
    }),
    subscribe: ask({
      description: 'Lets the BMC send its events to a URL.',
      args: z.object({ destination: z.string(), context: z.string().default('contractor') }),
      ...{ task: tasks.subscribe, result: z.null(), value: () => null, message: 'Subscribing to events' },
    }),
    unsubscribe: ask({
      description: 'Ends what `subscribe` began.',
      args: z.object({ destination: z.string() }),
      ...{ task: tasks.unsubscribe, result: z.null(), value: () => null, message: 'Ending a subscription' },
    }),
    bmc_reset: resetBmc,
  },
})
