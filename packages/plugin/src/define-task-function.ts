import { wireError } from '@contractor/contract/primitives'
import { z } from 'zod'
import { defineFunction, type FunctionContext, type FunctionDefinition } from './define-function.ts'
import type { TaskDefinition } from './define-task.ts'

/** What to conclude from an observation: the Task was done (with this reply), or it was not and may be issued again. */
export type Observation<Reply> = { done: Reply } | { repeat: true } | { failed: string }

export interface TaskFunctionOptions<
  Args extends z.ZodObject,
  Params extends z.ZodType,
  TaskResult extends z.ZodType,
  Result extends z.ZodType,
  Observed extends z.ZodType,
  Context extends FunctionContext<unknown, unknown>,
> {
  description?: string
  args: Args
  task: TaskDefinition<Params, TaskResult>
  params(args: z.output<Args>, context: Context): z.input<Params>
  result: Result
  /** The call's value, from the handler's answer. */
  value(reply: z.output<TaskResult>): z.input<Result>
  /** What the answer changes in the Foundation's fields. */
  fields?(reply: z.output<TaskResult>): Readonly<Record<string, unknown>>
  /** What the answer changes in the MACs of its real interfaces, by name or physical location; with `readsConfig`. */
  macs?(reply: z.output<TaskResult>): Readonly<Record<string, string>>
  readsConfig?: boolean
  message?(params: z.output<Params>): string
  idempotent?: boolean
  /** The Task that undoes it, when the whole Job is undone; it must be harmless to do twice. */
  undo?: {
    task: TaskDefinition
    /** There is no reply of a call that has failed. */
    params(params: z.output<Params>, reply: z.output<TaskResult> | undefined): unknown
    /** What the undoing changes in the Foundation's fields. */
    fields?: Readonly<Record<string, unknown>>
    /** Whether it also takes back what a call may have left that has failed, or whose answer is lost. */
    rollback?: true
  }
  /** After a lost answer: a Task that looks, and what to conclude from what it saw. */
  observe?: {
    task: TaskDefinition<z.ZodType, Observed>
    params(params: z.output<Params>): unknown
    conclude(observed: z.output<Observed>, params: z.output<Params>): Observation<z.input<TaskResult>>
  }
}

/** The common case of a function: one request, one reply. */
export function defineTaskFunction<
  Args extends z.ZodObject,
  Params extends z.ZodType,
  TaskResult extends z.ZodType,
  Result extends z.ZodType,
  Observed extends z.ZodType = z.ZodType,
  Context extends FunctionContext<unknown, unknown> = FunctionContext,
>(options: TaskFunctionOptions<Args, Params, TaskResult, Result, Observed, Context>) {
  const { task, observe, undo } = options
  // Kept as unknown and parsed where read: TypeScript cannot see through a schema made from generic schemas.
  const state = z.object({
    params: z.unknown(),
    reply: z.object({ value: z.unknown() }).optional(),
    error: wireError.optional(),
    /** Once it is being undone: whether that is done. */
    undone: z.boolean().optional(),
  })
  const paramsOf = (kept: unknown) => task.params.parse(kept)
  const takenBack = ({ error: _, ...current }: z.output<typeof state>) => ({ ...current, undone: false })

  const definition: FunctionDefinition<Args, typeof state, Result, Context> = {
    args: options.args,
    state,
    result: options.result,
    idempotent: options.idempotent ?? false,
    start: (args, context) => ({ params: paramsOf(options.params(args, context)) }),
    request: ({ params, reply, error, undone }) => {
      if (undo && undone === false && !error) {
        return undo.task.request(undo.params(paramsOf(params), reply && task.result.parse(reply.value)))
      }
      return reply || error ? undefined : task.request(params as z.input<Params>)
    },
    receive: (current, reply) => {
      if (current.undone === false && !current.error) {
        if (reply.kind === 'result') return { ...current, undone: true }
        return reply.kind === 'failed' ? { ...current, error: reply.error } : current
      }
      // What comes late or twice does not move a finished call.
      if (current.reply || current.error) return current
      if (reply.kind === 'result') return { ...current, reply: { value: task.result.parse(reply.value) } }
      if (reply.kind === 'failed') return { ...current, error: reply.error }
      if (reply.kind !== 'observed' || !observe) return current
      const found = observe.conclude(observe.task.result.parse(reply.value), paramsOf(current.params))
      if ('done' in found) return { ...current, reply: { value: task.result.parse(found.done) } }
      if ('failed' in found)
        return { ...current, error: { code: 'TASK_FAILED', message: found.failed, retryable: false } }
      return current
    },
    outcome: ({ reply, error, undone }) => {
      if (error) return { kind: 'error', message: error.message }
      if (undone) return { kind: 'undone', ...(undo?.fields && { fields: undo.fields }) }
      if (!reply || undone === false) return { kind: 'pending' }
      const answer = task.result.parse(reply.value)
      const fields = options.fields?.(answer)
      const macs = options.macs?.(answer)
      return { kind: 'done', value: options.value(answer), ...(fields && { fields }), ...(macs && { macs }) }
    },
    message: ({ params }) => options.message?.(paramsOf(params)) ?? `Waiting for ${task.name}`,
    ...(observe && {
      observe: ({ params }: { params?: unknown }) => observe.task.request(observe.params(paramsOf(params))),
    }),
    ...(undo && { undo: takenBack, ...(undo.rollback && { rollback: takenBack }) }),
    ...(options.readsConfig && { readsConfig: true }),
    ...(options.description !== undefined && { description: options.description }),
  }
  return defineFunction(definition)
}
