import type { z } from 'zod'
import { ContractorError } from './error.ts'
import type { Json } from './json.ts'

/** What a function asks of an agent: one Task. */
export interface TaskRequest {
  /** The agent's module; the plugin's own unless said. */
  module?: string
  function: string
  params: Json
}

export interface TaskSchemas {
  description?: string
  params: z.ZodType
  result: z.ZodType
}

/** A Task's wire contract: what a handler is given, and what it answers with. */
export interface TaskDefinition<Params extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> {
  readonly name: string
  readonly description: string
  readonly params: Params
  readonly result: Result
  /** The request for this Task, with its parameters checked. */
  request(params: z.input<Params>): TaskRequest
}

export type TaskDefinitions<S extends Record<string, TaskSchemas> = Record<string, TaskSchemas>> = {
  readonly [K in keyof S]: TaskDefinition<S[K]['params'], S[K]['result']>
}

const taskName = /^[a-z][a-z0-9_]*$/

/** Declares the Tasks that a plugin's functions ask for and its handlers do. Names are lower case with underscores. */
export function defineTasks<S extends Record<string, TaskSchemas>>(schemas: S): TaskDefinitions<S> {
  const tasks = Object.entries(schemas).map(([name, schema]) => {
    if (!taskName.test(name)) {
      throw new ContractorError(
        'PLUGIN_INVALID',
        `Task name '${name}' must be lower case letters, digits and underscores`,
        { plugin: name },
      )
    }
    const task: TaskDefinition = {
      name,
      description: schema.description ?? '',
      params: schema.params,
      result: schema.result,
      request: params => ({ function: name, params: schema.params.parse(params) as Json }),
    }
    return [name, task]
  })
  return Object.fromEntries(tasks) as TaskDefinitions<S>
}
