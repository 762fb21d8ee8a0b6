import { defineComplex, defineFoundation, defineFunction, type FunctionContext, type Outcome } from '@contractor/plugin'
import { z } from 'zod'
import { chanceOf } from './chance.ts'

const fields = z.object({
  test_delay_variance: z
    .number()
    .int()
    .min(0)
    .max(3600)
    .default(30)
    .describe('In seconds: by how much what it does may take longer or shorter'),
  test_fail_likelihood: z
    .number()
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .describe('Of a thousand rounds of 20 s: how many fail'),
})
type Fields = z.output<typeof fields>

/** How long the rounds are of which some fail, in milliseconds. */
const roundMs = 20_000
/** From here on, some failures are for good. */
const abortsFrom = 10

const state = z.object({
  untilMs: z.number(),
  end: z.enum(['done', 'error', 'aborted']),
  isOver: z.boolean(),
})

/** What takes its time, and may fail; by chance, which is the same for the same call. */
function defineDelay(description: string, seconds: number) {
  return defineFunction({
    description: `${description} It takes ${seconds} s, by its variance more or less, and does nothing.`,
    args: z.object({}),
    state,
    result: z.literal('unknown'),
    start(_args, { now, callId, foundation }: FunctionContext<Fields>): z.input<typeof state> {
      const { test_delay_variance: variance, test_fail_likelihood: likelihood } = foundation.fields
      // The sum of two has the form of a triangle: most are near to the middle.
      const shift = chanceOf(`${callId} one`) + chanceOf(`${callId} other`) - 1
      const delayMs = Math.max(0, Math.round(1000 * (seconds + variance * shift)))
      const fails = chanceOf(`${callId} fails`) < 1 - (1 - likelihood / 1000) ** Math.ceil(delayMs / roundMs)
      const isForGood = likelihood >= abortsFrom && chanceOf(`${callId} for good`) < 0.5
      return { untilMs: now + delayMs, end: fails ? (isForGood ? 'aborted' : 'error') : 'done', isOver: delayMs === 0 }
    },
    receive: (current, reply) => (reply.kind === 'timer' ? { ...current, isOver: true } : current),
    outcome({ untilMs, end, isOver }): Outcome<'unknown'> {
      if (!isOver) return { kind: 'pending', wakeAt: untilMs }
      if (end === 'done') return { kind: 'done', value: 'unknown' }
      return { kind: end, message: 'It has failed, as it is meant to now and then (test_fail_likelihood)' }
    },
    message: () => `${description.replace(/\.$/, '')}: simulated`,
  })
}

const functions = {
  power_on: defineDelay('Switches it on.', 15),
  power_off: defineDelay('Switches it off.', 15),
  power_state: defineDelay('Looks at it.', 5),
  wait_for_poweroff: defineDelay('Waits until it is off.', 30),
}

/** A machine that is none: for trying BluePrints and scripts. */
export const simulated = defineFoundation({
  type: 'Test',
  classes: ['Metal', 'VM', 'Container', 'Switch', 'Manual', 'Test'],
  fields,
  functions,
})

export const simulatedComplex = defineComplex({
  type: 'TestComplex',
  description: 'A host that is none',
  fields: z.object({}),
})

/** What such a host provides. */
export const simulatedGuest = defineFoundation({
  type: 'TestComplex',
  module: 'test_complex',
  classes: ['TestComplex'],
  complex: simulatedComplex,
  fields,
  config: ({ complex }) => ({ _complex_host: complex }),
  functions,
})
