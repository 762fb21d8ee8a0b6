import {
  type ClaimedTask,
  type ClaimRequest,
  isContractorError,
  type ResultsReply,
  type TaskResult,
  toWireError,
} from '@contractor/core/plugin'
import type { Connection } from './connection.ts'
import type { DispatchApi } from './dispatch-api.ts'
import type { Log } from './log.ts'
import type { Offer } from './slots.ts'

/** Results on their way to the server. They are kept until it has answered for each. */
export interface Outbox {
  add(result: TaskResult): void
  size(): number
}

export interface OutboxOptions {
  api: DispatchApi
  connection: Connection
  log: Log
  signal: AbortSignal
  /** Slots to offer along with the results; none when no more work is wanted. */
  offer(): Offer | undefined
  claimOf(offer: Offer): ClaimRequest
  onTasks(tasks: readonly ClaimedTask[]): void
  /** The server has answered for this result, or will never take it. */
  onSettled(result: TaskResult): void
  onEmpty(): void
  onFatal(error: unknown): void
}

const batchSize = 500

export function createOutbox(options: OutboxOptions): Outbox {
  const { api, connection, log, signal } = options
  let waiting: TaskResult[] = []
  let sending = false

  async function send(): Promise<void> {
    try {
      while (waiting.length > 0 && !signal.aborted) await connection.retry(sendBatch, signal)
    } catch (error) {
      if (!signal.aborted) options.onFatal(error)
      return
    } finally {
      sending = false
    }
    options.onEmpty()
  }

  async function sendBatch(): Promise<true> {
    const results = waiting.slice(0, batchSize)
    const offer = options.offer()
    let reply: ResultsReply
    try {
      reply = await api.sendResults({ results, ...(offer && { claim: options.claimOf(offer) }) }, signal)
    } catch (error) {
      offer?.takeBack()
      if (!isContractorError(error, 'VALIDATION_FAILED')) throw error
      // One bad result must not keep the others: each goes alone, to find out which it is.
      for (const result of results) await sendAlone(result)
      return true
    }
    offer?.takeBack()
    options.onTasks(reply.tasks)
    settle(results, reply)
    return true
  }

  async function sendAlone(result: TaskResult): Promise<void> {
    const { taskId, claimToken } = result
    try {
      settle([result], await api.sendResults({ results: [result] }, signal))
    } catch (error) {
      if (!isContractorError(error, 'VALIDATION_FAILED')) throw error
      drop(result)
      if (result.error) {
        log('error', 'the server takes neither the result nor an error, dropped', {
          task: taskId,
          reason: error.message,
        })
        options.onSettled(result)
        return
      }
      log('error', 'the server does not take the result, reporting that', { task: taskId, reason: error.message })
      waiting.push({ taskId, claimToken, error: toWireError(error) })
    }
  }

  function settle(results: readonly TaskResult[], reply: ResultsReply): void {
    const statuses = new Map(reply.results.map(status => [status.taskId, status]))
    for (const result of results) {
      const status = statuses.get(result.taskId)
      if (status && !status.accepted)
        log('warn', 'result refused, dropped', { task: result.taskId, reason: status.reason })
      drop(result)
      options.onSettled(result)
    }
  }

  function drop(result: TaskResult): void {
    waiting = waiting.filter(other => other !== result)
  }

  return {
    add(result) {
      waiting.push(result)
      if (sending || signal.aborted) return
      sending = true
      // What else finishes in this turn of the event loop goes along.
      setImmediate(() => void send())
    },
    size: () => waiting.length,
  }
}
