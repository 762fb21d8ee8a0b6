import {
  defineFoundation,
  defineFunction,
  defineModule,
  defineTaskFunction,
  defineTasks,
} from '@contractor/core/plugin'
import { z } from 'zod'

/** The smallest Foundation type that there can be. */
export const bed = defineFoundation({ type: 'Bed', fields: z.object({}), functions: {} })

const params = z.object({ number: z.number() })
const result = z.object({ stamped: z.number() })
export const pressTasks = defineTasks({
  stamp: { params, result },
  flatten: { params, result },
})

const stamp = {
  args: z.object({ number: z.number() }),
  task: pressTasks.stamp,
  params: ({ number }) => ({ number }),
  result: z.number(),
  value: ({ stamped }) => stamped,
  idempotent: true,
}

/** A module whose functions ask an agent for one thing, or for nothing. */
export const press = defineModule({
  name: 'press',
  tasks: pressTasks,
  functions: {
    stamp: defineTaskFunction(stamp),
    /** As stamp, and an agent can undo it. */
    emboss: defineTaskFunction({
      ...stamp,
      undo: { task: pressTasks.flatten, params: ({ number }) => ({ number }) },
    }),
    /** Done at once, without an agent, and undone in the same way. */
    ink: defineFunction({
      args: params,
      state: z.object({ number: z.number() }),
      result: z.number(),
      start: ({ number }) => ({ number }),
      outcome: ({ number }) => ({ kind: 'done', value: number }),
      undo: ({ number }) => ({ number: -number }),
    }),
  },
})
