import { defineComplex, defineFoundation, defineFunction, type FunctionContext } from '@contractor/plugin'
import { z } from 'zod'

const place = ({ foundation: { locator, site } }: FunctionContext) => `Foundation '${locator}' (site ${site})`

/** A function that a person does: the job pauses with the instruction, and goes on when it is resumed. */
function defineInstruction<Args extends z.ZodObject>(
  description: string,
  args: Args,
  instruct: (args: z.output<Args>) => string,
) {
  return defineFunction({
    description,
    args,
    state: z.object({ instruction: z.string(), done: z.boolean() }),
    result: z.null(),
    start: (given: z.output<Args>, context: FunctionContext) => ({
      instruction: `${place(context)}: ${instruct(given)}. Resume the job when it is done`,
      done: false,
    }),
    receive: (current, reply) => (reply.kind === 'resumed' ? { ...current, done: true } : current),
    outcome: ({ done, instruction }) =>
      done ? { kind: 'done', value: null } : { kind: 'paused', message: instruction },
    message: ({ instruction }) => instruction,
  })
}

const msg = z.string().min(1).max(2000)
const withoutEnd = (text: string) => text.replace(/[.\s]+$/, '')

/** What a person is asked, as the serial number on a label: the answer is the call's value, and stays in the job's events. */
const ask = defineFunction({
  description:
    'Asks the operator a question; the value is the answer that he resumes the job with. With a pattern, a regular expression, only an answer that is wholly of it is one.',
  args: z.object({
    msg,
    pattern: z.string().max(500).refine(isPattern, 'must be a regular expression').nullable().default(null),
  }),
  state: z.object({
    question: z.string(),
    pattern: z.string().nullable(),
    answer: z.string().nullable(),
    /** Why the last answer was none. */
    refused: z.string().nullable(),
  }),
  result: z.string(),
  start: ({ msg: question, pattern }, context: FunctionContext) => ({
    question: `${place(context)}: ${withoutEnd(question)}`,
    ...{ pattern, answer: null, refused: null },
  }),
  receive(current, reply) {
    if (reply.kind !== 'resumed') return current
    const answer = reply.answer?.trim() ?? ''
    if (!answer) return { ...current, refused: 'an answer is needed' }
    const isFit = current.pattern === null || new RegExp(`^(?:${current.pattern})$`, 'u').test(answer)
    return isFit ? { ...current, answer } : { ...current, refused: `'${answer}' is not of the form ${current.pattern}` }
  },
  outcome({ question, answer, refused }) {
    if (answer !== null) return { kind: 'done', value: answer }
    const why = refused === null ? '' : ` (${refused})`
    return { kind: 'paused', message: `${question}. Resume the job with the answer${why}` }
  },
  message: ({ question }) => question,
})

function isPattern(text: string): boolean {
  try {
    return new RegExp(`^(?:${text})$`, 'u') instanceof RegExp
  } catch {
    return false
  }
}

const functions = {
  power_on: defineInstruction('Asks the operator to switch it on.', z.object({}), () => 'switch it on'),
  power_off: defineInstruction('Asks the operator to switch it off.', z.object({}), () => 'switch it off'),
  wait_for_poweroff: defineInstruction(
    'Asks the operator to wait until it is off.',
    z.object({}),
    () => 'wait until it is off',
  ),
  power_state: defineFunction({
    description: 'Nobody can look: unknown.',
    args: z.object({}),
    state: z.object({}),
    result: z.literal('unknown'),
    start: () => ({}),
    outcome: () => ({ kind: 'done', value: 'unknown' as const }),
  }),
  instruct: defineInstruction('Asks the operator for anything.', z.object({ msg }), given => withoutEnd(given.msg)),
  ask,
}

const classes = ['Metal', 'VM', 'Container', 'Switch', 'Manual'] as const

/** A Foundation without any means of remote control: the operator is told what to do. */
export const manual = defineFoundation({ type: 'Manual', classes, fields: z.object({}), functions })

/** What provides Foundations by hand: a rack of a colocation, a cluster that somebody else runs. */
export const manualComplex = defineComplex({
  type: 'ManualComplex',
  description: 'Something that provides Foundations, without any means of remote control',
  fields: z.object({}),
})

/** A Foundation that a Complex provides by hand. */
export const manualComplexFoundation = defineFoundation({
  type: 'ManualComplex',
  module: 'manual_complex',
  classes: ['ManualComplex'],
  complex: manualComplex,
  fields: z.object({}),
  config: ({ complex }) => ({ _complex_host: complex }),
  functions,
})
