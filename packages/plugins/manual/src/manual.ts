import { defineFoundation, defineFunction, type FunctionContext } from '@contractor/plugin'
import { z } from 'zod'

const state = z.object({ instruction: z.string(), done: z.boolean() })

/** A function that a person does: the job pauses with the instruction, and goes on when it is resumed. */
function defineInstruction<Args extends z.ZodObject>(
  description: string,
  args: Args,
  instruct: (args: z.output<Args>) => string,
) {
  return defineFunction({
    description,
    args,
    state,
    result: z.null(),
    start: (given: z.output<Args>, { foundation }: FunctionContext) => ({
      instruction: `Foundation '${foundation.locator}' (site ${foundation.site}): ${instruct(given)}. Resume the job when it is done`,
      done: false,
    }),
    receive: (current, reply) => (reply.kind === 'resumed' ? { ...current, done: true } : current),
    outcome: ({ done, instruction }) =>
      done ? { kind: 'done', value: null } : { kind: 'paused', message: instruction },
    message: ({ instruction }) => instruction,
  })
}

/** A Foundation without any means of remote control: the operator is told what to do. */
export const manual = defineFoundation({
  type: 'Manual',
  classes: ['Manual'],
  fields: z.object({}),
  functions: {
    power_on: defineInstruction('Asks the operator to switch it on.', z.object({}), () => 'switch it on'),
    power_off: defineInstruction('Asks the operator to switch it off.', z.object({}), () => 'switch it off'),
    instruct: defineInstruction(
      'Asks the operator for anything.',
      z.object({ msg: z.string().min(1).max(2000) }),
      ({ msg }) => msg.replace(/[.\s]+$/, ''),
    ),
  },
})
