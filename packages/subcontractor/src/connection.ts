import { isContractorError } from '@contractor/core/plugin'
import { type Clock, wait } from './clock.ts'
import type { Log } from './log.ts'

/** The agent's belief whether the server is there, shared by all that it sends. */
export interface Connection {
  /** Whether the last thing heard was an answer. */
  isUp(): boolean
  /**
   * Sends until it is answered. Rejects with what is no matter of trying again, or with the reason of `signal`.
   * `send` is called anew for every attempt, and so says what is true by then; undefined means that there was nothing
   * left to send.
   */
  retry<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T>
}

/** The first few attempts are quick, for a server that restarts; the jitter keeps a thousand agents from one beat. */
export function retryDelayMs(failures: number, random: () => number): number {
  return Math.min(100 * 2 ** Math.min(failures - 1, 20), 10_000) * (0.5 + random() / 2)
}

export function createConnection(options: {
  clock: Clock
  log: Log
  random: () => number
  server: string
}): Connection {
  const { clock, log, random, server } = options
  let state: 'unknown' | 'up' | 'lost' = 'unknown'
  let lostAt = 0

  function answered(): void {
    if (state === 'lost') log('info', 'server is back', { server, awayMs: Math.round(clock.now() - lostAt) })
    else if (state === 'unknown') log('info', 'connected', { server })
    state = 'up'
  }

  function failed(reason: string): void {
    if (state === 'lost') return
    state = 'lost'
    lostAt = clock.now()
    log('warn', 'server is away, trying on', { server, reason })
  }

  return {
    isUp: () => state === 'up',
    async retry(send, signal) {
      for (let failures = 1; ; failures++) {
        try {
          const reply = await send()
          if (reply !== undefined) answered()
          return reply
        } catch (error) {
          signal.throwIfAborted()
          if (!isContractorError(error, 'SERVER_UNREACHABLE') || !error.retryable) throw error
          failed(error.message)
          await wait(clock, retryDelayMs(failures, random), signal)
        }
      }
    },
  }
}
