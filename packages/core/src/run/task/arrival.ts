import { cutText, holdsSecret, type Json, mapSecretPlaces, mendJson, mendText } from '@contractor/contract'
import type { TaskResult } from '@contractor/plugin/wire'
import type { Engine } from '../../engine/engine.ts'
import { scrub } from '../../engine/seal.ts'
import type { Arrival, AskedTask } from '../call/call.ts'
import type { HeldTask } from './held-tasks.ts'

/** How much one answer may hold, in UTF-16 units of JSON: more than any message of an agent, and far less than jsonb. */
const mostOfAnswer = 32 * 1024 * 1024

/**
 * What an agent answers, so that it can be kept: texts that PostgreSQL takes, and no secret in clear. Secrets that the Task's
 * result marks are sealed, and those that the agent was given are masked wherever it repeats them.
 */
export function toArrival(engine: Engine, { result, error }: TaskResult, held: HeldTask): Arrival {
  const task = toAsked(held)
  try {
    const given = engine.seals.plainTexts(held.params)
    if (error) {
      const message = cutText(mendText(String(scrub(error.message, given))), 4000)
      return { kind: 'failed', error: { ...error, code: mendText(error.code), message }, task }
    }
    const answered = mendJson(result ?? null)
    const size = JSON.stringify(answered).length
    if (size > mostOfAnswer) return failed(task, `The answer is too large to be kept: ${size} characters`)
    const schema = engine.plugins.findTask(held.module, held.function)?.result
    const seal = (text: string) =>
      holdsSecret(text) ? text : engine.seals.seal(text, `The answer of ${held.module}.${held.function}`)
    const sealed = schema ? mapSecretPlaces(schema, answered, seal) : answered
    return { kind: 'result', value: scrub(sealed, given), task }
  } catch (thrown) {
    // Its secrets cannot be opened or sealed, say: the Job stops with that, and nobody else does.
    return { kind: 'refused', reason: thrown instanceof Error ? thrown.message : String(thrown), task }
  }
}

function failed(task: AskedTask, message: string): Arrival {
  return { kind: 'failed', error: { code: 'TASK_FAILED', message, retryable: false }, task }
}

export function toAsked({ id, request, module, function: name, params, agent, attempt, sinceMs }: HeldTask): AskedTask {
  return { task: id, request, module, function: name, params: params as Json, agent, attempt, sinceMs }
}
