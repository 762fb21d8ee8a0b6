import { ContractorError, holdsSecret, type Json, mapSecretPlaces } from '@contractor/contract'
import type { TaskDefinition } from '@contractor/plugin'
import { sql } from 'drizzle-orm'
import { momentAfter } from '../../database/clock.ts'
import { executePrepared } from '../../database/database.ts'
import type { Engine } from '../../engine/engine.ts'
import { notify } from '../../engine/notifications.ts'

export interface InquiryOptions {
  /** For how long to wait at the most, in milliseconds: a minute unless said. */
  timeoutMs?: number
  signal?: AbortSignal
}

export interface Question {
  site: string
  module: string
  task: TaskDefinition
  params: unknown
}

/** How often it is asked in all, when agents fall silent. */
const mostAttempts = 3
/** How long to wait without looking, in milliseconds: a notification may have been lost. */
const slowPollMs = 2_000

/**
 * Asks an agent, outside of any Job. Throws TASK_FAILED with what the handler says, TIMED_OUT when nobody has answered, and
 * the signal's own reason.
 */
export async function inquire(engine: Engine, question: Question, options: InquiryOptions = {}): Promise<Json> {
  const { site, module, task } = question
  const { timeoutMs = 60_000, signal } = options
  signal?.throwIfAborted()
  const what = `${module}.${task.name}`
  const { params } = task.request(question.params)
  const sealed = mapSecretPlaces(task.params, params, text =>
    holdsSecret(text) ? text : engine.seals.seal(text, `A parameter of ${what}`),
  )
  const [made] = await executePrepared<{ id: string }>(
    engine.db,
    sql`insert into contractor.inquiry (site, module, function, params, timeout_ms, expires_at)
        values (${site}, ${module}, ${task.name}, ${JSON.stringify(sealed)}::jsonb, ${task.timeoutOf(params)}::int,
          ${momentAfter(engine.clock, timeoutMs)})
        returning id::text`,
  )
  const id = Number(made?.id)
  const late = new AbortController()
  const over = AbortSignal.any([late.signal, engine.closing, ...(signal ? [signal] : [])])
  void engine.clock.sleep(timeoutMs, over).then(() => late.abort())
  try {
    for (;;) {
      const heard = engine.notifications.next('answer')
      const answer = await look(engine, id)
      if (answer && 'result' in answer) return task.result.parse(answer.result) as Json
      if (answer)
        throw new ContractorError(
          'TASK_FAILED',
          `${what}: ${answer.error.message}`,
          {},
          { retryable: answer.error.retryable },
        )
      signal?.throwIfAborted()
      if (over.aborted) {
        throw new ContractorError(
          'TIMED_OUT',
          `${what} was not answered within ${timeoutMs} ms: is an agent with the module '${module}' at the Site '${site}', or above it?`,
          { timeoutMs },
          { retryable: true },
        )
      }
      await notify(engine.db, 'task', 'inquiry')
      const awake = new AbortController()
      await Promise.race([heard.promise, engine.clock.sleep(slowPollMs, AbortSignal.any([over, awake.signal]))])
      awake.abort()
      heard.cancel()
    }
  } finally {
    late.abort()
    await executePrepared(engine.db, sql`delete from contractor.inquiry where id = ${id}`).catch(() => undefined)
  }
}

type Answer = { result: Json } | { error: { message: string; retryable: boolean } }

/** The answer, if there is one. Of an agent that has fallen silent it is taken, so that another one may have it. */
async function look(engine: Engine, id: number): Promise<Answer | undefined> {
  const [row] = await executePrepared<{ answer: Answer | null; attempt: number }>(
    engine.db,
    sql`with silent as (
          update contractor.inquiry set claim_token = null, lease_until = null, attempt = attempt + 1,
            answer = case when attempt >= ${mostAttempts}::int
              then jsonb_build_object('error', jsonb_build_object('message', 'the agents that had it did not answer', 'retryable', true)) end
          where id = ${id} and answer is null and lease_until < ${engine.clock.now()} returning answer)
        select coalesce(answer, (select answer from silent)) as answer from contractor.inquiry where id = ${id}`,
  )
  return row?.answer ?? undefined
}
