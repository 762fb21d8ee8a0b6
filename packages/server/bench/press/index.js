import { defineFoundation, defineModule, defineTaskFunction, defineTasks } from '@contractor/core/plugin'
import { z } from 'zod'

/** The smallest Foundation type that there can be. */
export const bed = defineFoundation({ type: 'Bed', fields: z.object({}), functions: {} })

export const pressTasks = defineTasks({
  stamp: { params: z.object({ number: z.number() }), result: z.object({ stamped: z.number() }) },
})

/** A module whose one function asks an agent for one thing. */
export const press = defineModule({
  name: 'press',
  tasks: pressTasks,
  functions: {
    stamp: defineTaskFunction({
      args: z.object({ number: z.number() }),
      task: pressTasks.stamp,
      params: ({ number }) => ({ number }),
      result: z.number(),
      value: ({ stamped }) => stamped,
      idempotent: true,
    }),
  },
})
