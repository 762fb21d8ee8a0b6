import { createDeviceFunctions, definePower } from '@contractor/driver'
import { defineFoundation, defineRead, type FoundationContext, type FunctionContext } from '@contractor/plugin'
import { z } from 'zod'
import { connectionOf, type Fields, fields } from './connection.ts'
import { inventory, tasks } from './tasks.ts'

type Context = FunctionContext<Fields>
const reach = ({ foundation }: Context) => connectionOf(foundation.fields)

const ask = createDeviceFunctions(reach)

/** A machine with Intel AMT, by WS-Management (DMTF DSP0226). */
export const amt = defineFoundation({
  type: 'AMT',
  classes: ['Metal', 'Physical', 'AMT'],
  fields,
  tasks,
  read: defineRead({
    task: tasks.power_state,
    params: (foundation: FoundationContext<Fields>) => connectionOf(foundation.fields),
    seen: ({ state }) => ({ exists: true, details: { power: state } }),
  }),
  functions: {
    // AMT cannot ask the operating system: each attempt to switch off does it.
    ...definePower({ tasks, connection: reach, softAttempts: 0, exhausted: 'paused' }),
    link_test: ask({
      description: 'Logs in, and reads the power state: whether that works.',
      args: z.object({}),
      task: tasks.link_test,
      result: z.boolean(),
      value: ({ good }) => good,
      message: 'Testing the way to its AMT',
    }),
    inventory: ask({
      description: 'Reads what the machine is: a map with manufacturer, model, serial and version (of AMT).',
      args: z.object({}),
      task: tasks.read_inventory,
      result: inventory,
      value: reply => reply,
      message: 'Reading what the machine is',
    }),
  },
})
