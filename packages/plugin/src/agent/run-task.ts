import { type Json, json, mendJson, parseInput, toWireError } from '@contractor/contract/primitives'
import type { AttachmentContent } from '../attachment.ts'
import type { HandlerModule } from '../define-handlers.ts'
import { type AttachReply, type AttachRequest, type ClaimedTask, type TaskResult, taskResult } from '../wire.ts'
import { attachContent } from './attach-content.ts'
import type { Clock } from './clock.ts'
import type { TaskReports } from './task-reports.ts'

/** How long an aborted handler is waited for. One that does not heed its signal is left to itself after this. */
export const abandonMs = 2000

export type LogLevel = 'info' | 'warn' | 'error'

/** One record: a message that is the same every time, and what differs as fields. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void

/** What became of a Task: its answer, or why nobody knows what became of it. */
export type TaskEnd = { answer: TaskResult } | { givenUp: string }

export interface RunOptions {
  /**
   * Aborts the handler: its owner, when the claim is lost and when the agent ends; `runTask`, when it takes too long. One
   * for both: a signal made of two, for each Task, was a third of what an agent does for one.
   */
  abort: AbortController
  reports: TaskReports
  clock: Clock
  log: Log
  /** Sends one piece of an attachment until the server has it. */
  attach(piece: AttachRequest): Promise<AttachReply>
}

/**
 * Runs a Task's handler to its end, and no longer than the Task may take. Never rejects: whatever the handler throws, and
 * an answer that is no JSON or breaks the schema, is an error result. It is given up when the handler was aborted, and threw
 * or did not end: then nobody knows what it has done.
 */
export async function runTask(handlers: HandlerModule, task: ClaimedTask, options: RunOptions): Promise<TaskEnd> {
  const { reports, clock, log } = options
  const { taskId, claimToken, callId, module, function: name, attempt, timeoutMs } = task
  const what = `${module}.${name}`
  const fields = { task: taskId, function: what }
  const { signal } = options.abort
  const cancelLimit = clock.setTimer(timeoutMs, () => {
    log('warn', 'task takes too long and is aborted', { ...fields, ms: timeoutMs })
    options.abort.abort(new Error(`${what} took longer than ${timeoutMs / 1000} s`))
  })
  const begun = clock.now()
  const context = {
    ...{ signal, taskId, callId, attempt },
    progress: reports.progress,
    attach: (name: string, content: AttachmentContent, { contentType }: { contentType?: string } = {}) =>
      attachContent({ taskId, claimToken, name, content, contentType, send: options.attach }),
    log(message: string) {
      log('info', message, fields)
      reports.line(message)
    },
  }

  const work = (async (): Promise<TaskEnd> => {
    try {
      const value = await handlers.run(name, task.params, context)
      const { result, mended } = readResult(value === undefined ? null : value, `Result of ${what}`)
      if (mended)
        log('warn', 'result held NUL or half a character, which cannot be kept and is replaced by U+FFFD', fields)
      log('info', 'task done', { ...fields, ms: Math.round(clock.now() - begun) })
      return { answer: { taskId, claimToken, result } }
    } catch (thrown) {
      if (signal.aborted) return givenUp()
      const error = toWireError(thrown)
      log('warn', 'task failed', { ...fields, error: error.message })
      return { answer: { taskId, claimToken, error } }
    }
  })()
  const end = await Promise.race([work, abandoned()])
  cancelLimit()
  return end

  function givenUp(): TaskEnd {
    const { reason } = signal
    return { givenUp: reason instanceof Error ? reason.message : String(reason) }
  }

  function abandoned(): Promise<TaskEnd> {
    return new Promise(resolve => {
      const onAbort = () => {
        const cancel = clock.setTimer(abandonMs, () => {
          log('warn', 'handler does not stop when aborted, going on without it', fields)
          resolve(givenUp())
        })
        void work.then(cancel)
      }
      if (signal.aborted) onAbort()
      else {
        signal.addEventListener('abort', onAbort, { once: true })
        void work.then(() => signal.removeEventListener('abort', onAbort))
      }
    })
  }
}

/** A result as it can be kept. Throws VALIDATION_FAILED for what is no JSON, which no mending makes of it. */
function readResult(value: unknown, what: string): { result: Json; mended: boolean } {
  const kept = json.safeParse(value)
  if (kept.success) return { result: kept.data, mended: false }
  const reported = taskResult.shape.result.safeParse(value)
  if (!reported.success) return { result: parseInput(json, value, what), mended: false }
  return { result: parseInput(json, mendJson(reported.data ?? null), what), mended: true }
}
