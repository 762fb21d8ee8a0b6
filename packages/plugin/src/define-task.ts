import type { Json } from '@contractor/contract/primitives'
import { ContractorError } from '@contractor/contract/primitives'
import { z } from 'zod'

/** What a function asks of an agent: one Task. */
export interface TaskRequest {
  /** The agent's module; the plugin's own unless said. */
  module?: string
  function: string
  params: Json
}

/**
 * How a Task is tried again when its answer was lost, or its handler says that later may do. The wait after failure n is
 * `backoffMs · factor^(n − 1)`, `mostMs` at the most, less a random part of up to `jitter` of it, so that a hundred that
 * failed together do not come back together. What a handler says with `retryAfterMs` is waited instead.
 */
export const retryPolicy = z.strictObject({
  /** How often it is tried in all. */
  attempts: z.number().int().min(1).max(1000).default(5),
  backoffMs: z.number().int().min(0).max(3_600_000).default(1000),
  factor: z.number().min(1).max(100).default(2),
  mostMs: z.number().int().min(0).max(86_400_000).default(60_000),
  /** From 0, which is none, to 1. */
  jitter: z.number().min(0).max(1).default(0.2),
})
export type RetryPolicy = z.output<typeof retryPolicy>

/**
 * What is not to be touched by too many Tasks at once: a BMC takes one command at a time, and some need a pause after it.
 * It holds for all Tasks with the same key, whatever their function, module, Site and agent.
 */
export const taskLimit = z.strictObject({
  /** Names the device, and what kind of thing that is: `bmc 10.0.0.7`. No secret. */
  key: z.string().min(1).max(200),
  atOnce: z.number().int().min(1).max(1000).default(1),
  /** From the end of one to the beginning of the next. */
  spacingMs: z.number().int().min(0).max(600_000).default(0),
})
export type TaskLimit = z.output<typeof taskLimit>

/** What a Task may take when it does not say. */
export const defaultTimeoutMs = 600_000
const longestTimeoutMs = 7 * 24 * 60 * 60 * 1000
const timeout = z.number().int().min(1).max(longestTimeoutMs)

/** What a Task is given, and the rules for it. */
export interface TaskRules<Params extends z.ZodType = z.ZodType> {
  description?: string
  params: Params
  /**
   * How it is tried again; what is not given of it is as usual. To declare it says that a failure which the handler calls
   * retryable has left nothing behind, and so the Task may be tried again even where its function is not idempotent.
   */
  retry?: z.input<typeof retryPolicy>
  /** How long it may take, in milliseconds: 10 minutes unless said. Then the handler is aborted, and its answer counts as lost. */
  timeoutMs?: number | ((params: z.output<Params>) => number)
  /** What it must not share with other Tasks at the same time. */
  limit?: z.input<typeof taskLimit> | ((params: z.output<Params>) => z.input<typeof taskLimit>)
}

/** A Task's wire contract: what a handler is given, and what it answers with. */
export interface TaskDefinition<Params extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> {
  readonly name: string
  readonly description: string
  readonly params: Params
  readonly result: Result
  /** Absent where none is declared. */
  readonly retry: RetryPolicy | undefined
  /** The request for this Task, with its parameters checked. */
  request(params: z.input<Params>): TaskRequest
  /** How long a Task with these parameters may take, in milliseconds. */
  timeoutOf(params: Json): number
  limitOf(params: Json): TaskLimit | undefined
}

export type TaskDefinitions<
  Params extends Record<string, z.ZodType> = Record<string, z.ZodType>,
  Results extends Record<string, z.ZodType> = Record<string, z.ZodType>,
> = { readonly [K in keyof Params & keyof Results]: TaskDefinition<Params[K], Results[K]> }

const taskName = /^[a-z][a-z0-9_]*$/

/**
 * Declares the Tasks that a plugin's functions ask for and its handlers do: of each the schemas of its `params` and its
 * `result`, and its rules. Names are lower case with underscores. Throws PLUGIN_INVALID.
 */
export function defineTasks<Params extends Record<string, z.ZodType>, Results extends Record<string, z.ZodType>>(
  // Two maps, and not one: so the parameters of `limit` follow from `params`, which stands beside it.
  schemas: { [K in keyof Params]: TaskRules<Params[K]> } & { [K in keyof Results]: { result: Results[K] } },
): TaskDefinitions<Params, Results> {
  // A mapped type, of which the compiler does not see that each of its values is one of these.
  const all = schemas as unknown as Record<string, TaskRules & { result: z.ZodType }>
  const tasks = Object.entries(all).map(([name, schema]) => [name, toDefinition(name, schema)])
  return Object.fromEntries(tasks) as TaskDefinitions<Params, Results>
}

function toDefinition(name: string, schema: TaskRules & { result: z.ZodType }): TaskDefinition {
  const refuse = (reason: string): never => {
    throw new ContractorError('PLUGIN_INVALID', `Task '${name}' cannot be used: ${reason}`, { plugin: name })
  }
  if (!taskName.test(name)) refuse('its name must be lower case letters, digits and underscores')
  const checked = <T extends z.ZodType>(rule: T, value: unknown, what: string): z.output<T> => {
    const parsed = rule.safeParse(value)
    return parsed.success ? parsed.data : refuse(`its ${what} is not valid: ${z.prettifyError(parsed.error)}`)
  }
  const { timeoutMs = defaultTimeoutMs, limit, params, result } = schema
  if (typeof timeoutMs === 'number') checked(timeout, timeoutMs, 'timeoutMs')
  if (typeof limit === 'object') checked(taskLimit, limit, 'limit')
  return {
    name,
    description: schema.description ?? '',
    params,
    result,
    retry: schema.retry && checked(retryPolicy, schema.retry, 'retry'),
    request: given => ({ function: name, params: params.parse(given) as Json }),
    timeoutOf: given =>
      typeof timeoutMs === 'number' ? timeoutMs : checked(timeout, timeoutMs(params.parse(given)), 'timeoutMs'),
    limitOf: given =>
      limit && checked(taskLimit, typeof limit === 'function' ? limit(params.parse(given)) : limit, 'limit'),
  }
}
