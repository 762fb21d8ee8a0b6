import { ContractorError, type JobView } from '@contractor/contract'
import type { Engine } from '../../engine/engine.ts'
import type { Events } from '../../event/events.ts'

export interface WaitOptions {
  /** For how long to wait at the most, in milliseconds; for ever unless said. */
  timeoutMs?: number
  signal?: AbortSignal
}

/**
 * Waits until a Job is completed. Throws JOB_FAILED, with the Job's reason, as soon as it stands in error, is aborted,
 * cancelled or undone; TIMED_OUT; the signal's own reason; NOT_FOUND when it is deleted meanwhile; CLOSED when the engine
 * is closed. One that an operator has paused is waited for.
 */
export async function waitCompleted<Own extends JobView>(
  engine: Engine,
  events: Events,
  look: () => Promise<Own>,
  { timeoutMs, signal }: WaitOptions,
): Promise<Own> {
  signal?.throwIfAborted()
  const over = new AbortController()
  const stop = signal ? AbortSignal.any([signal, over.signal]) : over.signal
  let isLate = false
  if (timeoutMs !== undefined)
    void engine.clock.sleep(timeoutMs, stop).then(() => {
      isLate = !stop.aborted
      over.abort()
    })
  try {
    // Asked for before looking, so that what happens while looking is seen.
    const after = await events.cursor()
    let now = await look()
    if (hasCompleted(now)) return now
    const isOver = async () => hasCompleted(await look())
    for await (const { type } of events.watch({ after, job: now.id, signal: stop, isOver })) {
      if (!ends.has(type)) continue
      now = await look()
      if (hasCompleted(now)) return now
    }
    signal?.throwIfAborted()
    now = await look()
    if (hasCompleted(now)) return now
    if (!isLate) throw new Error(`Job ${now.id} is not over, and nothing more is told of it`)
    const { id, state, message } = now
    const said = message ? `: ${message}` : ''
    throw new ContractorError(
      'TIMED_OUT',
      `Job ${id} is not completed after ${timeoutMs} ms; it is ${state}${said}`,
      { timeoutMs: timeoutMs ?? 0 },
      { retryable: true },
    )
  } finally {
    over.abort()
  }
}

const ends = new Set(['job.completed', 'job.error', 'job.aborted', 'job.cancelled', 'job.undone'])

function hasCompleted({ id, state, outcome, reason, message }: JobView): boolean {
  if (outcome === 'completed') return true
  if (outcome === null && state !== 'error' && state !== 'aborted') return false
  const how = outcome ?? (state === 'error' ? 'in error' : state)
  const why = reason || message
  throw new ContractorError('JOB_FAILED', `Job ${id} is ${how}${why ? `: ${why}` : ''}`, {
    job: id,
    state,
    outcome,
    reason: why,
  })
}
