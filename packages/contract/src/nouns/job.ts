import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { askableQuery, defineFields, shown, stamps } from '../field.ts'
import { gets, itemsOf, lists, method } from '../method.ts'
import { idPageRequest, pageOf } from '../page.ts'
import { json } from '../primitives/json.ts'
import { id } from '../value/names.ts'

export const jobStates = ['waiting', 'queued', 'paused', 'error', 'aborted', 'done'] as const
const state = z.enum(jobStates)

export const jobFields = defineFields('Job', {
  id: shown(z.number().int()),
  /** What it is for: exactly one of the three is set. */
  foundation: shown(z.string().nullable(), { filter: z.string() }),
  structure: shown(z.number().int().nullable(), { filter: z.number().int() }),
  dependency: shown(z.number().int().nullable()),
  /** What the BluePrint calls its script: create, destroy, or a utility name. */
  action: shown(z.string()),
  state: shown(state, { filter: state }),
  /** How it ended; null while it lives. */
  outcome: shown(z.enum(['completed', 'cancelled', 'undone']).nullable()),
  /** What it is at, or what was last said of it. */
  message: shown(z.string()),
  /** Why it stands still, while it waits, is paused, in error or aborted; null otherwise, and until it has been looked at. */
  reason: shown(z.string().nullable()),
  /** Percent, 0 to 100. */
  progress: shown(z.number()),
  createdBy: shown(z.string()),
  ...stamps,
  finishedAt: shown(z.iso.datetime().nullable()),
})
export const { view: jobView } = jobFields
export type JobView = z.output<typeof jobView>

export const jobQuery = askableQuery(jobFields.filter, idPageRequest).extend({
  /** Only Jobs that are not over. */
  live: z.boolean().optional(),
})

/** One Job to be made: its target, and what the BluePrint calls the script. */
export const jobOrder = z
  .strictObject({
    foundation: z.string().optional(),
    structure: z.number().int().optional(),
    dependency: z.number().int().optional(),
    action: z.string(),
  })
  .refine(
    order => [order.foundation, order.structure, order.dependency].filter(one => one !== undefined).length === 1,
    {
      message: 'exactly one of foundation, structure and dependency is needed',
    },
  )

/** What an operator says with a resume, for a function that asks for it. */
export const jobAnswer = z.string().max(2000, 'must be 2,000 characters at the most')

export const jobMessage = z.string().max(1000, 'must be 1,000 characters at the most')

/** Why a Job is where it is: in words, and as data. */
export const explanation = z
  .object({
    job: z.number().int(),
    state,
    because: z.array(
      z.object({
        code: z.enum([
          'held-up',
          'needs',
          'needed-by',
          'not-located',
          'about-to-start',
          'no-agent',
          'agent-busy',
          'agent-works',
          'turn',
          'retry',
          'timer',
          'signal',
          'running',
          'stopped',
          'over',
        ]),
        text: z.string(),
        data: z.record(z.string(), json),
      }),
    ),
    /** What an operator can do with it now. */
    verbs: z.array(z.string()),
  })
  .meta({ id: 'Explanation' })
export type Explanation = z.output<typeof explanation>

/** One thing that a Job has done: an answer of an agent, or a call that can be undone. */
export const stepView = z
  .object({
    id: z.number().int(),
    job: z.number().int(),
    module: z.string(),
    function: z.string(),
    /**
     * How it ended: an agent's `result` or `failed`, `lost` when it did not answer, `late` for an answer that nobody waited
     * for any more, `done` for a call.
     */
    end: z.enum(['result', 'failed', 'lost', 'late', 'done']),
    request: json.nullable(),
    reply: json.nullable(),
    agent: z.string().nullable(),
    attempt: z.number().int(),
    /** Of an answer: the Task, by which attachments name it too. */
    task: z.number().int().nullable(),
    /** What its handler has logged. */
    log: z.array(z.object({ at: z.iso.datetime(), text: z.string() })),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime(),
    durationMs: z.number().int(),
    undoneAt: z.iso.datetime().nullable(),
    /** When an operator left it as it is, while the Job was being undone. */
    skippedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Step' })
export type Step = z.output<typeof stepView>

const order = <const Path extends string>(path: Path, summary: string) =>
  method({ ...({ on: 'one', verb: 'post', output: jobView, status: 201 } as const), path, summary })

/** What can be ordered for a target that is built and destroyed. */
export const orderMethods = {
  doCreate: order('/create', 'Order the Job that creates it'),
  doDestroy: order('/destroy', 'Order the Job that destroys it'),
}

/** What can be ordered for a target with a BluePrint. */
export const jobMethods = {
  ...orderMethods,
  doJob: method({
    ...({ on: 'one', verb: 'post', path: '/jobs/{name}', params: { name: z.string() } } as const),
    ...({ output: jobView, status: 201 } as const),
    summary: 'Order the Job of a script that its BluePrint names',
  }),
}

/** Says that a target is in a state, without a Job. */
export const stateMethod = <View extends z.ZodType>(to: 'located' | 'built' | 'destroyed', output: View) =>
  method({
    ...({ on: 'one', verb: 'post', output, ifVersion: true } as const),
    path: `/set-${to}`,
    summary: `Say that it is ${to}, without a Job`,
  })

const verb = (path: string, summary: string) =>
  method({ ...({ on: 'one', verb: 'post', output: jobView } as const), path, summary })

const called = { one: 'a Job', many: 'Jobs' }

export const job = defineNoun({
  ...{ name: 'Job', path: 'jobs', part: 'jobs', key: { name: 'id', schema: id } },
  ...({
    subject: 'job',
    events: [
      'created',
      'started',
      'progress',
      'waiting',
      'signalled',
      'message',
      'paused',
      'resumed',
      'reset',
      'error',
      'aborted',
      'completed',
      'cancelled',
      'undoing',
      'skipped',
      'rolled-back',
      'undone',
    ],
  } as const),
  methods: {
    createMany: method({
      ...({ on: 'all', verb: 'post', path: '', status: 201, gives: ['orders'], under: 'items' } as const),
      body: z.strictObject({ orders: z.array(jobOrder).min(1) }),
      output: itemsOf(jobView),
      summary: 'Order the Jobs of a whole stack: all of them, or none',
    }),
    get: gets(jobView, called),
    list: lists(jobQuery, jobView, called),
    pause: verb('/pause', 'Stop it before its next step'),
    resume: method({
      ...({ on: 'one', verb: 'post', path: '/resume', bodyOptional: true, gives: 'options' } as const),
      body: z.strictObject({ answer: jobAnswer.optional() }),
      output: jobView,
      summary: 'Continue a paused one, with an answer where it asks for one',
    }),
    reset: verb('/reset', 'Try the failed step of one in error again'),
    rollback: verb('/rollback', 'Have the call that failed take itself back'),
    undo: verb('/undo', 'Undo what it has done, the last call first, and end it'),
    skip: verb('/skip', 'While it is being undone: leave the call that cannot be undone as it is'),
    cancel: verb('/cancel', 'End it where it is; what it has done stays done'),
    setMessage: method({
      ...({ on: 'one', verb: 'post', path: '/message', gives: ['message'], output: jobView } as const),
      body: z.strictObject({ message: jobMessage }),
      summary: 'Set the line that is shown of it, until it moves on',
    }),
    explain: method({
      ...({ on: 'one', path: '/explain', output: explanation } as const),
      summary: 'Why it is where it is, and what can be done',
    }),
    history: method({
      ...({ on: 'one', path: '/history', query: idPageRequest } as const),
      output: pageOf(stepView),
      summary: 'What it has done, oldest first; also of one that is gone',
    }),
  },
})
