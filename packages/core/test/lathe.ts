import {
  defineFoundation,
  defineFunction,
  defineModule,
  defineTaskFunction,
  defineTasks,
  type FunctionContext,
} from '@contractor/plugin'
import { z } from 'zod'

/** A small Foundation type for tests: each kind of function that the Foreman has to handle, once. */
const tasks = defineTasks({
  turn: { params: z.object({ speed: z.number(), callId: z.string() }), result: z.object({ turned: z.number() }) },
  look: { params: z.object({ callId: z.string() }), result: z.object({ turned: z.number().nullable() }) },
  oil: { params: z.object({}), result: z.object({ oiled: z.boolean() }) },
  weld: { params: z.object({}), result: z.object({ welded: z.boolean() }) },
  grip: { params: z.object({ part: z.string() }), result: z.object({ held: z.string() }) },
  let_go: { params: z.object({ held: z.string() }), result: z.object({}) },
})

const fields = z.object({ serial: z.string(), turned: z.number().optional() })
type Context = FunctionContext<z.output<typeof fields>>

const turn = defineTaskFunction({
  description: 'Turns once; not to be done twice, but it can be seen whether it was done',
  args: z.object({ speed: z.number().default(1) }),
  task: tasks.turn,
  params: ({ speed }, { callId }: Context) => ({ speed, callId }),
  result: z.number(),
  value: ({ turned }) => turned,
  fields: ({ turned }) => ({ turned }),
  message: ({ speed }) => `Turning at ${speed}`,
  observe: {
    task: tasks.look,
    params: ({ callId }) => ({ callId }),
    conclude: ({ turned }) => (turned === null ? { repeat: true } : { done: { turned } }),
  },
})

const oil = defineTaskFunction({
  args: z.object({}),
  task: tasks.oil,
  params: () => ({}),
  result: z.boolean(),
  value: ({ oiled }) => oiled,
  idempotent: true,
})

const weld = defineTaskFunction({
  description: 'Neither to be done twice nor to be seen',
  args: z.object({}),
  task: tasks.weld,
  params: () => ({}),
  result: z.boolean(),
  value: ({ welded }) => welded,
})

const grip = defineTaskFunction({
  description: 'Can be undone',
  args: z.object({ part: z.string() }),
  task: tasks.grip,
  params: ({ part }) => ({ part }),
  result: z.string(),
  value: ({ held }) => held,
  fields: () => ({ turned: 1 }),
  undo: { task: tasks.let_go, params: (_params, reply) => ({ held: reply?.held }), fields: { turned: undefined } },
})

const drill = defineFunction({
  description: 'Fails, and knows how to take itself back',
  args: z.object({}),
  state: z.object({ back: z.boolean() }),
  result: z.string(),
  start: () => ({ back: false }),
  rollback: () => ({ back: true }),
  outcome: ({ back }) => (back ? { kind: 'undone' } : { kind: 'error', message: 'the drill broke' }),
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

export const lathe = defineFoundation({
  type: 'Lathe',
  classes: ['Metal', 'Lathe'],
  fields,
  tasks,
  values: {
    label: { get: ({ fields: own }) => `lathe ${own.serial}` },
    mark: { get: () => null, set: value => ({ serial: String(value) }) },
  },
  functions: { turn, oil, weld, grip, drill, confirm, settle },
})

const gaugeTasks = defineTasks({
  measure: { params: z.object({ what: z.string() }), result: z.object({ value: z.number() }) },
})

export const gauge = defineModule({
  name: 'gauge',
  tasks: gaugeTasks,
  functions: {
    measure: defineTaskFunction({
      args: z.object({ what: z.string() }),
      task: gaugeTasks.measure,
      params: ({ what }) => ({ what }),
      result: z.number(),
      value: ({ value }) => value,
      idempotent: true,
    }),
  },
})
