import { isContractorError, toWireError, type WireError } from '@contractor/plugin'
import { type Clock, type Log, wait } from '@contractor/plugin/agent'
import type { ClaimedTask, ClaimRequest, ResultsReply, TaskResult } from '@contractor/plugin/wire'
import type { ClaimRequests } from './claim-requests.ts'
import { type Connection, retryDelayMs } from './connection.ts'
import type { DispatchApi } from './dispatch-api.ts'
import { foreignStatus } from './read-answer.ts'
import type { Offer } from './slots.ts'

/** Results on their way to the server. They are kept until it has answered for each. */
export interface Outbox {
  add(result: TaskResult): void
  size(): number
}

export interface OutboxOptions {
  api: DispatchApi
  requests: ClaimRequests
  connection: Connection
  clock: Clock
  random: () => number
  log: Log
  signal: AbortSignal
  /** Slots to offer along with the results; none when no more work is wanted. */
  offer(): Offer | undefined
  claimOf(offer: Offer): Omit<ClaimRequest, 'id' | 'neverHad'>
  onTasks(tasks: readonly ClaimedTask[]): void
  /** The server has answered for this result, or will never take it. */
  onSettled(result: TaskResult): void
  onEmpty(): void
  onFatal(error: unknown): void
}

/** A result, and what is known of sending it. */
interface Letter {
  readonly result: TaskResult
  readonly sizeBytes: number
  /** Goes in a message of its own, without a claim, so that a refusal of the message is one of this result. */
  alone: boolean
  /** How often somebody between agent and server found it too large. */
  refusals: number
}

const batchSize = 500
const batchBytes = 4 * 1024 * 1024
/** Of one result. The server reads messages of 8 MiB; the rest is for what is around the result. */
const largestBytes = 8 * 1024 * 1024 - 256
/**
 * Messages on their way at once: the server works on one while the agent runs what the other brought. Measured, with
 * 1,000 Tasks at once: one 3,900 steps a second, two 4,800, three 3,800; and smaller batches were slower with each.
 */
const mostSenders = 2
const mostRefusals = 5

export function createOutbox(options: OutboxOptions): Outbox {
  const { api, requests, connection, clock, random, log, signal } = options
  // A letter is in one of these, until it is settled.
  const ready = new Set<Letter>()
  const underway = new Set<Letter>()
  const deferred = new Set<Letter>()
  let senders = 0

  const size = () => ready.size + underway.size + deferred.size

  function startSender(): void {
    if (senders === mostSenders || signal.aborted) return
    senders += 1
    // What else finishes in this turn of the event loop goes along.
    setImmediate(() => void send())
  }

  async function send(): Promise<void> {
    try {
      while (ready.size > 0 && !signal.aborted) await connection.retry('results', sendBatch, signal)
    } catch (error) {
      if (!signal.aborted) options.onFatal(error)
      return
    } finally {
      senders -= 1
    }
    if (size() === 0) options.onEmpty()
  }

  /** Nothing when another sender has all of them, or when the answer was not the server's. */
  async function sendBatch(): Promise<true | undefined> {
    const letters = nextBatch()
    if (letters.length === 0) return undefined
    for (const letter of letters) {
      ready.delete(letter)
      underway.add(letter)
    }
    try {
      return await deliver(letters)
    } finally {
      for (const letter of letters) if (underway.delete(letter)) ready.add(letter)
    }
  }

  /** One result a Task, since the reply names Tasks: the answer to an earlier claim goes in a message before. */
  function nextBatch(): Letter[] {
    const batch = new Map<number, Letter>()
    let bytes = 0
    for (const letter of ready) {
      const { taskId } = letter.result
      if (batch.size === batchSize) break
      if (letter.alone && batch.size === 0) return [letter]
      if (letter.alone || batch.has(taskId)) continue
      if (bytes + letter.sizeBytes > batchBytes) break
      batch.set(taskId, letter)
      bytes += letter.sizeBytes
    }
    return [...batch.values()]
  }

  async function deliver(letters: readonly Letter[]): Promise<true | undefined> {
    const results = letters.map(({ result }) => result)
    const offer = letters[0]?.alone ? undefined : options.offer()
    let reply: ResultsReply
    try {
      reply = offer
        ? await requests.send(options.claimOf(offer), claim => api.sendResults({ results, claim }, signal))
        : await api.sendResults({ results }, signal)
    } catch (error) {
      offer?.takeBack()
      if (isContractorError(error, 'VALIDATION_FAILED')) return refuse(letters, error)
      if (foreignStatus(error) === 413) return findTooLarge(letters, error)
      throw error
    }
    offer?.takeBack()
    options.onTasks(reply.tasks)
    settle(letters, reply)
    return true
  }

  /** The server's own refusal. One bad result must not keep the others: each goes alone, to find out which it is. */
  function refuse(letters: readonly Letter[], error: Error): true {
    const [letter] = letters
    if (!letter?.alone) {
      for (const each of letters) each.alone = true
      return true
    }
    const { result } = letter
    const fields = { task: result.taskId, reason: error.message }
    if (result.error) {
      log('error', 'the server takes neither the result nor an error, dropped', fields)
      underway.delete(letter)
      options.onSettled(result)
    } else {
      log('error', 'the server does not take the result, reporting that', fields)
      replace(letter, toWireError(error))
    }
    return true
  }

  /** Somebody in between takes no message of this size. */
  function findTooLarge(letters: readonly Letter[], error: unknown): undefined {
    const [letter] = letters
    if (!letter?.alone) {
      const sizeBytes = letters.reduce((sum, each) => sum + each.sizeBytes, 0)
      const fields = { results: letters.length, sizeBytes, reason: (error as Error).message }
      log('warn', 'a message is too large for what stands between agent and server, each result goes alone', fields)
      for (const each of letters) each.alone = true
      return
    }
    // An error is short: whoever refuses that refuses everything, and is waited for.
    if (letter.result.error) throw error
    letter.refusals += 1
    if (letter.refusals < mostRefusals) return defer(letter)
    const { taskId } = letter.result
    const message = `The answer of ${letter.sizeBytes} bytes is too large for what stands between agent and server (a proxy, say), which answers 413`
    log('error', 'the result does not pass, reporting that', { task: taskId, reason: message })
    replace(letter, { code: 'TASK_FAILED', message, retryable: false })
  }

  function defer(letter: Letter): undefined {
    underway.delete(letter)
    deferred.add(letter)
    const again = () => {
      deferred.delete(letter)
      ready.add(letter)
      startSender()
    }
    wait(clock, retryDelayMs(letter.refusals, random), signal).then(again, () => {})
  }

  function replace(letter: Letter, error: WireError): void {
    const { taskId, claimToken } = letter.result
    underway.delete(letter)
    ready.add(letterOf({ taskId, claimToken, error }))
  }

  function letterOf(result: TaskResult): Letter {
    const sizeBytes = Buffer.byteLength(JSON.stringify(result))
    if (sizeBytes <= largestBytes) return { result, sizeBytes, alone: sizeBytes > batchBytes, refusals: 0 }
    const { taskId, claimToken } = result
    const message = `The answer of ${sizeBytes} bytes is larger than the server reads, which is ${largestBytes} bytes`
    log('error', 'the result is too large, reporting that', { task: taskId, reason: message })
    return letterOf({ taskId, claimToken, error: { code: 'TASK_FAILED', message, retryable: false } })
  }

  function settle(letters: readonly Letter[], reply: ResultsReply): void {
    const statuses = new Map(reply.results.map(status => [status.taskId, status]))
    for (const letter of letters) {
      const { result } = letter
      const status = statuses.get(result.taskId)
      if (status && !status.accepted)
        log('warn', 'result refused, dropped', { task: result.taskId, reason: status.reason })
      underway.delete(letter)
      options.onSettled(result)
    }
  }

  return {
    add(result) {
      ready.add(letterOf(result))
      startSender()
    },
    size,
  }
}
