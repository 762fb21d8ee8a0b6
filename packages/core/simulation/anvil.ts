import {
  defineFoundation,
  defineFunction,
  defineTaskFunction,
  defineTasks,
  type FunctionContext,
  type Outcome,
  type Reply,
} from '@contractor/plugin'
import { z } from 'zod'

/**
 * A Foundation type with each kind of function that the Foreman treats in a way of its own. Every Task names its step
 * and its call, so that the ledger tells one call's effects from another's.
 */
const params = z.object({ step: z.string(), callId: z.string() })
/** What it was that was done, too: an answer to another question shows. */
const result = z.object({ reading: z.number(), did: z.string().optional(), note: z.string().optional() })
/** How many may be at the one whetstone that there is. */
export const honedAtOnce = 1
const whetstone = () => ({ key: 'whetstone', atOnce: honedAtOnce, spacingMs: 2_000 })

const tasks = defineTasks({
  polish: { params, result },
  hone: { params, result, limit: whetstone },
  grip: { params, result, limit: whetstone },
  strike: { params, result, timeoutMs: 30_000 },
  look: { params, result: z.object({ reading: z.number().nullable() }) },
  weld: { params, result },
  release: { params, result },
  nudge: { params, result },
  push: { params, result },
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

const hone = defineTaskFunction({
  ...oneTask,
  description: 'Needs what others need too',
  task: tasks.hone,
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

/** The end of the story, in a Job's message, when an answer was taken for one to another question. */
export const wrongAnswer = 'WRONG ANSWER'

const asking = z.object({
  step: z.string(),
  callId: z.string(),
  untilMs: z.number().default(0),
  asks: z.enum(['grip', 'release', 'nudge', 'push']),
  did: z.string().optional(),
  reading: z.number().optional(),
  error: z.string().optional(),
})
type Asking = z.output<typeof asking>

/** What is common to functions that ask for one thing, and perhaps for another later. */
const askingFunction = {
  args: z.object({ step: z.string() }),
  state: asking,
  result: z.number(),
  idempotent: true,
  request: ({ step, callId, asks }: Asking) =>
    tasks[asks].request({ step, callId: asks === 'release' ? `${callId}-back` : callId }),
  receive(state: Asking, reply: Reply): Asking {
    if (reply.kind === 'failed') return { ...state, error: reply.error.message }
    if (reply.kind === 'timer' && state.asks === 'nudge') return { ...state, asks: 'push' }
    if (reply.kind !== 'result') return state
    const { did, reading } = result.parse(reply.value)
    return { ...state, ...(did !== undefined && { did }), reading }
  },
  outcome({ asks, did, reading, error, untilMs }: Asking): Outcome<number> {
    if (error !== undefined) return { kind: 'error', message: error }
    if (reading === undefined) return { kind: 'pending', ...(asks === 'nudge' && { wakeAt: untilMs }) }
    if (did !== asks) return { kind: 'error', message: `${wrongAnswer}: ${did} for ${asks}` }
    return { kind: 'done', value: reading }
  },
}

const back = ({ step, callId, untilMs }: Asking) => ({ step, callId, untilMs, asks: 'release' as const })

const grip = defineFunction({
  ...askingFunction,
  description: 'Can be taken back, when it has failed and when it was done',
  start: ({ step }, { callId }: Context) => ({ step, callId, asks: 'grip' as const }),
  rollback: back,
  undo: back,
})

const patience = defineFunction({
  ...askingFunction,
  description: 'Asks for something else after a while',
  start: ({ step }, { callId, now }: Context) => ({ step, callId, untilMs: now + 2_000, asks: 'nudge' as const }),
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
  functions: { polish, hone, strike, weld, grip, patience, confirm, settle },
})
