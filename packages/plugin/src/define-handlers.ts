import { ContractorError, parseInput } from '@contractor/contract/primitives'
import type { z } from 'zod'
import type { Attachment, AttachmentContent } from './attachment.ts'
import type { AnyTasks, FunctionPlugin } from './define-plugin.ts'

/** What a handler is given besides its parameters. Handlers keep nothing between calls. */
export interface HandlerContext {
  /** Aborted when the claim is lost, the Task's time is over, or the agent shuts down: stop promptly, leave the world as it is. */
  readonly signal: AbortSignal
  /** The Task's id: the same for every claim of it. */
  readonly taskId: number
  /** The call's id: the same for every attempt of it, and for looking after it. What is made can carry it, to be known again. */
  readonly callId: string
  /** Which attempt it is, from 1. */
  readonly attempt: number
  /** How far it is, in percent, and what it is at: the Job shows both. Told to the server about once a second. */
  progress(percent: number, message?: string): void
  /**
   * Keeps a large output beside the Job's history, 64 MiB at the most, and gives what stands for it in the result. Texts
   * are UTF-8, and `text/plain` unless said.
   */
  attach(name: string, content: AttachmentContent, options?: { contentType?: string }): Promise<Attachment>
  /** One line for the Job's history and the agent's log. Never a secret. */
  log(message: string): void
}

export type Handlers<Tasks extends AnyTasks> = {
  readonly [K in keyof Tasks]: (
    params: z.output<Tasks[K]['params']>,
    context: HandlerContext,
  ) => Promise<z.input<Tasks[K]['result']>>
}

/** A plugin's handlers, as an agent runs them: parameters and results are checked against the Tasks' schemas. */
export interface HandlerModule {
  readonly module: string
  readonly functions: readonly string[]
  run(name: string, params: unknown, context: HandlerContext): Promise<unknown>
}

/** Binds a handler to every Task of a plugin; a missing or an unknown one is refused, by the compiler and at start. */
export function defineHandlers<P extends FunctionPlugin>(plugin: P, handlers: Handlers<P['tasks']>): HandlerModule {
  const tasks: AnyTasks = plugin.tasks
  const own = handlers as Readonly<Record<string, (params: unknown, context: HandlerContext) => Promise<unknown>>>
  const missing = Object.keys(tasks).filter(name => typeof own[name] !== 'function')
  const unknown = Object.keys(own).filter(name => !(name in tasks))
  if (missing.length || unknown.length) {
    const parts = [
      missing.length && `no handler for ${missing.join(', ')}`,
      unknown.length && `no Task named ${unknown.join(', ')}`,
    ]
    throw new ContractorError(
      'PLUGIN_INVALID',
      `Handlers of module '${plugin.module}': ${parts.filter(Boolean).join('; ')}`,
      {
        plugin: plugin.module,
      },
    )
  }
  return {
    module: plugin.module,
    functions: Object.keys(tasks),
    async run(name, params, context) {
      const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined
      const handler = Object.hasOwn(own, name) ? own[name] : undefined
      if (!task || !handler) {
        throw new ContractorError(
          'TASK_FAILED',
          `Module '${plugin.module}' of this agent has no function '${name}'`,
          {},
        )
      }
      const what = `${plugin.module}.${name}`
      const result = await handler(parseInput(task.params, params, `Input of ${what}`), context)
      return parseInput(task.result, result, `Result of ${what}`)
    },
  }
}
