import {
  defineFoundation,
  defineFunction,
  defineTaskFunction,
  defineTasks,
  type FunctionContext,
} from '@contractor/core/plugin'
import { z } from 'zod'

/**
 * A Foundation type with each kind of function that the Foreman treats in a way of its own. Every Task names its step
 * and its call, so that the ledger tells one call's effects from another's.
 */
const params = z.object({ step: z.string(), callId: z.string() })
const result = z.object({ reading: z.number() })
const tasks = defineTasks({
  polish: { params, result },
  strike: { params, result },
  look: { params, result: z.object({ reading: z.number().nullable() }) },
  weld: { params, result },
})
export type TaskName = keyof typeof tasks

const fields = z.object({ reading: z.number().optional() })
type Context = FunctionContext<z.output<typeof fields>>

const oneTask = {
  args: z.object({ step: z.string() }),
  params: ({ step }: { step: string }, { callId }: Context) => ({ step, callId }),
  result: z.number(),
  value: ({ reading }: { reading: number }) => reading,
  fields: ({ reading }: { reading: number }) => ({ reading }),
}

const polish = defineTaskFunction({
  ...oneTask,
  description: 'May be done again and again',
  task: tasks.polish,
  idempotent: true,
})

const strike = defineTaskFunction({
  ...oneTask,
  description: 'Not to be done twice, but it can be seen whether it was done',
  task: tasks.strike,
  observe: {
    task: tasks.look,
    params: asked => asked,
    conclude: ({ reading }) => (reading === null ? { repeat: true } : { done: { reading } }),
  },
})

const weld = defineTaskFunction({
  ...oneTask,
  description: 'Neither to be done twice nor to be seen',
  task: tasks.weld,
})

const confirm = defineFunction({
  description: 'Needs the operator',
  args: z.object({ question: z.string() }),
  state: z.object({ question: z.string(), confirmed: z.boolean() }),
  result: z.boolean(),
  start: ({ question }) => ({ question, confirmed: false }),
  receive: (state, reply) => (reply.kind === 'resumed' ? { ...state, confirmed: true } : state),
  outcome: ({ question, confirmed }) =>
    confirmed ? { kind: 'done', value: true } : { kind: 'paused', message: question },
})

const settle = defineFunction({
  description: 'Waits for a moment, without an agent',
  args: z.object({ seconds: z.number() }),
  state: z.object({ untilMs: z.number(), over: z.boolean() }),
  result: z.null(),
  start: ({ seconds }, context: Context) => ({ untilMs: context.now + seconds * 1000, over: false }),
  receive: (state, reply) => (reply.kind === 'timer' ? { ...state, over: true } : state),
  outcome: ({ untilMs, over }) => (over ? { kind: 'done', value: null } : { kind: 'pending', wakeAt: untilMs }),
})

export const anvil = defineFoundation({
  type: 'Anvil',
  fields,
  tasks,
  functions: { polish, strike, weld, confirm, settle },
})
