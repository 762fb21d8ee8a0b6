import {
  defineFoundation,
  defineFunction,
  defineTaskFunction,
  defineTasks,
  type FunctionContext,
} from '@contractor/plugin'
import { z } from 'zod'

/** A Foundation type whose functions change their minds: they ask for one thing and then for another. */
const load = z.object({ load: z.string() })
const tasks = defineTasks({
  lift: { params: load, result: z.object({ lifted: z.string() }) },
  lower: { params: load, result: z.object({ lowered: z.string() }) },
  weigh: { params: load, result: z.object({ weight: z.number() }) },
})

const fields = z.object({ note: z.string().optional() })
type Context = FunctionContext<z.output<typeof fields>>

const hoist = defineFunction({
  description: 'Lifts; by its rollback, lowers; and by its undo, too',
  args: z.object({ load: z.string() }),
  state: z.object({
    load: z.string(),
    back: z.boolean().default(false),
    error: z.string().optional(),
    answers: z.array(z.string()),
  }),
  result: z.array(z.string()),
  start: ({ load: name }) => ({ load: name, answers: [] }),
  request: ({ load: name, back }) => (back ? tasks.lower : tasks.lift).request({ load: name }),
  receive(state, reply) {
    if (reply.kind === 'failed') return { ...state, error: reply.error.message }
    return reply.kind === 'result' ? { ...state, answers: [...state.answers, JSON.stringify(reply.value)] } : state
  },
  outcome({ back, answers, error }) {
    if (error !== undefined) return { kind: 'error', message: error }
    const wanted = back ? 'lowered' : 'lifted'
    return answers.some(one => one.includes(wanted)) ? { kind: 'done', value: answers } : { kind: 'pending' }
  },
  rollback: ({ error: _, ...state }) => ({ ...state, back: true }),
  undo: state => ({ ...state, back: true }),
})

const patience = defineFunction({
  description: 'Asks to lift, and after a minute to weigh instead',
  args: z.object({ load: z.string() }),
  state: z.object({ load: z.string(), untilMs: z.number(), late: z.boolean(), answer: z.string().optional() }),
  result: z.string(),
  start: ({ load: name }, { now }: Context) => ({ load: name, untilMs: now + 60_000, late: false }),
  request: ({ load: name, late }) => (late ? tasks.weigh : tasks.lift).request({ load: name }),
  receive(state, reply) {
    if (reply.kind === 'timer') return { ...state, late: true }
    return reply.kind === 'result' ? { ...state, answer: JSON.stringify(reply.value) } : state
  },
  outcome: ({ answer, late, untilMs }) =>
    answer === undefined
      ? { kind: 'pending', ...(!late && { wakeAt: untilMs }) }
      : { kind: 'done', value: answer, fields: { note: answer } },
})

const alarm = defineFunction({
  description: 'Asks to lift and waits for a moment that is none',
  args: z.object({ at: z.number() }),
  state: z.object({ at: z.number() }),
  result: z.null(),
  start: ({ at }) => ({ at }),
  outcome: ({ at }) => ({ kind: 'pending', wakeAt: at * 1e300 }),
})

const say = defineTaskFunction({
  args: z.object({ load: z.string() }),
  task: tasks.lift,
  params: ({ load: name }) => ({ load: name }),
  result: z.string(),
  value: ({ lifted }) => lifted,
  fields: ({ lifted }) => ({ note: lifted }),
})

const garble = defineFunction({
  description: 'Makes a text that cannot be kept',
  args: z.object({}),
  state: z.object({}),
  result: z.string(),
  start: () => ({}),
  outcome: () => ({ kind: 'done', value: 'half \ud83d' }),
})

export const crane = defineFoundation({
  type: 'Crane',
  fields,
  tasks,
  functions: { hoist, patience, alarm, say, garble },
})
