import { defineFoundation, defineTaskFunction, defineTasks, type FunctionContext } from '@contractor/plugin'
import { z } from 'zod'

/** A Foundation type for the chaos test: a page of a ledger, on which each step of a Job writes one line. */
const params = z.object({ page: z.string(), step: z.number().int(), callId: z.string() })
const tasks = defineTasks({
  write: { params, result: z.object({ step: z.number() }) },
  look: { params, result: z.object({ isWritten: z.boolean() }) },
})

/** Not to be done twice: it appends. But it can be seen whether it was done. */
const write = defineTaskFunction({
  args: z.object({ step: z.number().int() }),
  task: tasks.write,
  params: ({ step }, { callId, foundation }: FunctionContext) => ({ page: foundation.locator, step, callId }),
  result: z.number(),
  value: ({ step }) => step,
  message: ({ step }) => `Writing line ${step}`,
  observe: {
    task: tasks.look,
    params: asked => asked,
    conclude: ({ isWritten }, { step }) => (isWritten ? { done: { step } } : { repeat: true }),
  },
})

export const page = defineFoundation({ type: 'Page', fields: z.object({}), tasks, functions: { write } })
