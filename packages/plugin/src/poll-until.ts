import { z } from 'zod'
import {
  defineFunction,
  type FunctionContext,
  type FunctionDefinition,
  type Outcome,
  type Reply,
} from './define-function.ts'
import type { TaskDefinition } from './define-task.ts'

/** What one look has shown: it is over, with the call's value; it will never be; or not yet, and what was seen. */
export type Look<Value> = { done: Value } | { failed: string } | { waiting: string }

export interface PollOptions<
  Args extends z.ZodObject,
  Params extends z.ZodType,
  TaskResult extends z.ZodType,
  Result extends z.ZodType,
  Context extends FunctionContext<unknown, unknown>,
> {
  description?: string
  args: Args
  /** What looks. It must be harmless to do again and again. */
  task: TaskDefinition<Params, TaskResult>
  params(args: z.output<Args>, context: Context): z.input<Params>
  result: Result
  until(reply: z.output<TaskResult>, params: z.output<Params>): Look<z.input<Result>>
  readsConfig?: boolean
  /** From one look to the next, in milliseconds. */
  everyMs: number | ((args: z.output<Args>) => number)
  /** How long it is looked, in milliseconds. No time without a look counts: after the end there is one more. */
  timeoutMs: number | ((args: z.output<Args>) => number)
  /** How many looks in a row must be done for it to be over; 1 unless said. For what says two things in one second. */
  agreeing?: number
  /** What the last answer changes in the Foundation's fields. */
  fields?(reply: z.output<TaskResult>): Readonly<Record<string, unknown>>
  message?(params: z.output<Params>): string
}

/**
 * A function that looks again and again until something is so, and holds no agent's slot in between. Not within its time:
 * an error that can be reset, which says what was seen last. A failure that the handler calls retryable is seen as any
 * other thing; another one ends it.
 */
export function pollUntil<
  Args extends z.ZodObject,
  Params extends z.ZodType,
  TaskResult extends z.ZodType,
  Result extends z.ZodType,
  Context extends FunctionContext<unknown, unknown> = FunctionContext,
>(options: PollOptions<Args, Params, TaskResult, Result, Context>) {
  const { task, agreeing = 1 } = options
  const state = z.object({
    params: z.unknown(),
    everyMs: z.number().positive(),
    timeoutMs: z.number().min(0),
    /** When it is over, in milliseconds since the epoch. */
    untilMs: z.number(),
    /** When it is looked next; absent while a look is out. */
    nextMs: z.number().optional(),
    /** How many looks in a row were done. */
    agreed: z.number().int(),
    seen: z.string().optional(),
    end: z.union([z.object({ reply: z.unknown() }), z.object({ failed: z.string() })]).optional(),
  })
  type State = z.output<typeof state>
  const paramsOf = (kept: unknown) => task.params.parse(kept)
  const what = (current: State) => options.message?.(paramsOf(current.params)) ?? `Waiting for ${task.name}`

  const wait = (current: State, now: number, seen: string, agreed: number): State => {
    if (now < current.untilMs || agreed > 0) return { ...current, agreed, seen, nextMs: now + current.everyMs }
    const failed = `${what(current)}: not so within ${current.timeoutMs / 1000} s (last: ${seen})`
    return { ...current, seen, end: { failed } }
  }

  const look = (current: State, reply: Reply & { kind: 'result' }): State => {
    const answer = task.result.parse(reply.value)
    const found = options.until(answer, paramsOf(current.params))
    if ('failed' in found) return { ...current, end: { failed: found.failed } }
    if ('waiting' in found) return wait(current, reply.now, found.waiting, 0)
    const agreed = current.agreed + 1
    if (agreed < agreeing) return wait(current, reply.now, `${agreed} of ${agreeing} looks agree`, agreed)
    return { ...current, end: { reply: answer } }
  }

  const definition: FunctionDefinition<Args, typeof state, Result, Context> = {
    args: options.args,
    state,
    result: options.result,
    idempotent: true,
    start(args, context) {
      const { everyMs, timeoutMs } = options
      const limitMs = typeof timeoutMs === 'function' ? timeoutMs(args) : timeoutMs
      return {
        params: paramsOf(options.params(args, context)),
        everyMs: typeof everyMs === 'function' ? everyMs(args) : everyMs,
        timeoutMs: limitMs,
        untilMs: context.now + limitMs,
        agreed: 0,
      }
    },
    request: ({ params, nextMs, end }) =>
      nextMs === undefined && end === undefined ? task.request(params as z.input<Params>) : undefined,
    receive(current, reply) {
      if (reply.kind === 'timer') return { ...current, nextMs: undefined }
      if (reply.kind === 'result') return look(current, reply)
      if (reply.kind !== 'failed') return current
      const { message, retryable } = reply.error
      return retryable ? wait(current, reply.now, message, 0) : { ...current, end: { failed: message } }
    },
    outcome({ params, nextMs, end }): Outcome<z.input<Result>> {
      if (end === undefined) return nextMs === undefined ? { kind: 'pending' } : { kind: 'pending', wakeAt: nextMs }
      if ('failed' in end) return { kind: 'error', message: end.failed }
      const answer = task.result.parse(end.reply)
      const found = options.until(answer, paramsOf(params))
      if (!('done' in found)) return { kind: 'error', message: `${task.name} judged one answer in two ways` }
      const fields = options.fields?.(answer)
      return { kind: 'done', value: found.done, ...(fields && { fields }) }
    },
    message: current => (current.seen === undefined ? what(current) : `${what(current)} (last: ${current.seen})`),
    ...(options.readsConfig && { readsConfig: true }),
    ...(options.description !== undefined && { description: options.description }),
  }
  return defineFunction(definition)
}
