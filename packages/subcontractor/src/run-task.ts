import { type HandlerModule, type Json, json, mendJson, parseInput, toWireError } from '@contractor/plugin'
import { type ClaimedTask, type TaskResult, taskResult } from '@contractor/plugin/wire'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** How long an aborted handler is waited for. One that does not heed its signal is left to itself after this. */
export const abandonMs = 2000

/**
 * Runs a Task's handler to its end. Never rejects: whatever the handler throws, and an answer that is no JSON or breaks
 * the schema, is an error result. `given-up` when it was aborted, and threw or did not end.
 */
export async function runTask(
  handlers: HandlerModule,
  task: ClaimedTask,
  options: { signal: AbortSignal; clock: Clock; log: Log },
): Promise<TaskResult | 'given-up'> {
  const { signal, clock, log } = options
  const { taskId, claimToken, module, function: name, attempt } = task
  const what = `${module}.${name}`
  const context = {
    signal,
    taskId,
    attempt,
    log: (message: string) => log('info', message, { task: taskId, function: what }),
  }
  const begun = clock.now()

  const work = (async (): Promise<TaskResult | 'given-up'> => {
    try {
      const value = await handlers.run(name, task.params, context)
      const { result, mended } = readResult(value === undefined ? null : value, `Result of ${what}`)
      if (mended)
        log('warn', 'result held NUL or half a character, which cannot be kept and is replaced by U+FFFD', {
          task: taskId,
          function: what,
        })
      log('info', 'task done', { task: taskId, function: what, ms: Math.round(clock.now() - begun) })
      return { taskId, claimToken, result }
    } catch (thrown) {
      if (signal.aborted) return 'given-up'
      const error = toWireError(thrown)
      log('warn', 'task failed', { task: taskId, function: what, error: error.message })
      return { taskId, claimToken, error }
    }
  })()
  return Promise.race([work, abandoned()])

  function abandoned(): Promise<'given-up'> {
    return new Promise(resolve => {
      const onAbort = () => {
        const cancel = clock.setTimer(abandonMs, () => {
          log('warn', 'handler does not stop when aborted, going on without it', { task: taskId, function: what })
          resolve('given-up')
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
