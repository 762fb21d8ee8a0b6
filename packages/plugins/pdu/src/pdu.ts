import { definePower } from '@contractor/driver'
import {
  type ComplexContext,
  defineComplex,
  defineDiscover,
  defineFoundation,
  defineRead,
  defineTaskFunction,
  type FoundationContext,
  type FunctionContext,
} from '@contractor/plugin'
import { z } from 'zod'
import { connectionOf, outletNumber, type PduFields, pduFields } from './connection.ts'
import { outlet, tasks } from './tasks.ts'

/** What provides outlets: a PDU, as it is reached. */
export const pduComplex = defineComplex({
  type: 'PDU',
  description: 'A PDU whose outlets can be switched',
  fields: pduFields,
})

const fields = z.object({
  outlet_list: z
    .array(outletNumber)
    .min(1)
    .max(8)
    .describe('The outlets that it is plugged into: a machine with two power supplies has two'),
})
type Fields = z.output<typeof fields>
type Context = FunctionContext<Fields, PduFields>

function reach({ complex, fields: own, locator }: FoundationContext<Fields, PduFields>) {
  if (!complex) throw new Error(`Foundation '${locator}' has no PDU that provides it`)
  return { ...connectionOf(complex.fields), outlets: own.outlet_list }
}

/** A machine that has no control of its own: its power is its outlet's. It cannot be asked to shut down, and so is switched off hard. */
export const outletFoundation = defineFoundation({
  type: 'Outlet',
  classes: ['Metal', 'Outlet'],
  complex: pduComplex,
  fields,
  tasks,
  config: ({ fields: { outlet_list }, complex }) => ({ _outlet_list: outlet_list, _pdu: complex }),
  read: defineRead({
    task: tasks.power_state,
    params: (foundation: FoundationContext<Fields, PduFields>) => reach(foundation),
    seen: reply => ({ exists: true, details: { power: (reply as { state: string }).state } }),
  }),
  discover: defineDiscover({
    task: tasks.list,
    identity: ['outlet_list'],
    params: ({ complex }: { site: string; complex?: ComplexContext<PduFields> }) => {
      if (!complex) throw new Error('Outlets are found on a Complex: name a PDU')
      return connectionOf(complex.fields)
    },
    found: ({ outlets }) =>
      outlets.map(one => ({
        locator: `outlet-${one.outlet}`,
        fields: { outlet_list: [one.outlet] },
        details: { name: one.name, power: one.state },
      })),
  }),
  functions: definePower({
    tasks,
    connection: ({ foundation }: Context) => reach(foundation),
    softAttempts: 0,
    exhausted: 'paused',
  }),
})

/** A PDU by itself, with all its outlets. */
type PduContext = FunctionContext<PduFields>
const target = ({ foundation }: PduContext) => connectionOf(foundation.fields)

const switchOutlet = (action: 'on' | 'off') =>
  defineTaskFunction({
    description: `Switches an outlet ${action}. So already: nothing is sent.`,
    args: z.object({ outlet: outletNumber }),
    task: tasks.set_power,
    params: ({ outlet: number }, context: PduContext) => ({ ...target(context), outlets: [number], action }),
    result: z.boolean().describe('Whether it was switched now'),
    value: ({ sent }) => sent,
    message: () => `Switching an outlet ${action}`,
    idempotent: true,
  })

export const pdu = defineFoundation({
  type: 'PDU',
  classes: ['Metal', 'PDU'],
  fields: pduFields,
  tasks,
  config: ({ fields: { pdu_ip_address } }) => ({ pdu_ip_address }),
  read: defineRead({
    task: tasks.list,
    params: (foundation: FoundationContext<PduFields>) => connectionOf(foundation.fields),
    seen: ({ outlets }) => ({ exists: true, details: { outlets } }),
  }),
  functions: {
    outlet_on: switchOutlet('on'),
    outlet_off: switchOutlet('off'),
    outlet_list: defineTaskFunction({
      description: 'Reads all outlets: maps with outlet, name and state.',
      args: z.object({}),
      task: tasks.list,
      params: (_args, context: PduContext) => target(context),
      result: z.array(outlet),
      value: ({ outlets }) => outlets,
      message: () => 'Reading the outlets',
      idempotent: true,
    }),
  },
})
