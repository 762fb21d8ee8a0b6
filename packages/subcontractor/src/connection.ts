import { isContractorError } from '@contractor/plugin'
import { type Clock, type Log, wait } from '@contractor/plugin/agent'
import { foreignStatus } from './read-answer.ts'

/** The agent's belief whether the server is there, shared by all that it sends. */
export interface Connection {
  /** Whether the last thing heard was an answer. */
  isUp(): boolean
  /**
   * Sends until it is answered. Rejects with what is no matter of trying again, or with the reason of `signal`.
   * `send` is called anew for every attempt, and so says what is true by then; undefined means that the server was not
   * heard, and that nothing is left to send.
   */
  retry<T>(kind: MessageKind, send: () => Promise<T>, signal: AbortSignal): Promise<T>
}

export type MessageKind = 'claim' | 'results' | 'renew' | 'release' | 'attach' | 'services'

const longestDelayMs = 10_000
/** Good for so long, a connection has no past. One good answer between failures is no end of them. */
const calmMs = 5000

/** The first few attempts are quick, for a server that restarts; the jitter keeps a thousand agents from one beat. */
export function retryDelayMs(failures: number, random: () => number, mostMs = longestDelayMs): number {
  return Math.min(100 * 2 ** Math.min(failures - 1, 20), longestDelayMs, mostMs) * (0.5 + random() / 2)
}

export function createConnection(options: {
  clock: Clock
  log: Log
  random: () => number
  server: string
  /** What no wait between two attempts may exceed now. */
  mostDelayMs(): number
}): Connection {
  const { clock, log, random, server, mostDelayMs } = options
  const pasts = new Map<MessageKind, Past>()
  let state: 'unknown' | 'up' | 'lost' = 'unknown'
  let lostAt = 0
  /** What was logged of the present outage: that nobody answers, and that somebody else does, are told once each. */
  const told = new Set<'none' | 'foreign'>()

  function answered(): void {
    if (state === 'lost') log('info', 'server is back', { server, awayMs: Math.round(clock.now() - lostAt) })
    else if (state === 'unknown') log('info', 'connected', { server })
    state = 'up'
    told.clear()
  }

  function failed(error: Error): void {
    if (state !== 'lost') lostAt = clock.now()
    state = 'lost'
    const what = foreignStatus(error) === undefined ? 'none' : 'foreign'
    if (told.has(what)) return
    log('warn', told.size === 0 ? 'server is away, trying on' : 'server is still away', {
      server,
      reason: error.message,
    })
    told.add(what)
  }

  function pastOf(kind: MessageKind): Past {
    const past = pasts.get(kind) ?? createPast(clock)
    pasts.set(kind, past)
    return past
  }

  return {
    isUp: () => state === 'up',
    async retry(kind, send, signal) {
      const past = pastOf(kind)
      for (let failures = 1; ; failures++) {
        try {
          const reply = await send()
          if (reply !== undefined) {
            past.good()
            answered()
          }
          return reply
        } catch (error) {
          signal.throwIfAborted()
          if (!isContractorError(error, 'SERVER_UNREACHABLE') || !error.retryable) throw error
          failed(error)
          await wait(clock, retryDelayMs(Math.max(failures, past.bad()), random, mostDelayMs()), signal)
        }
      }
    },
  }
}

/** How messages of one kind fared. By kind, because renewals may pass while something in between refuses results. */
interface Past {
  good(): void
  /** Returns how many failures there were since the connection was last calm, with this one. */
  bad(): number
}

function createPast(clock: Clock): Past {
  let failures = 0
  let goodSince: number | undefined
  return {
    good() {
      goodSince ??= clock.now()
    },
    bad() {
      if (goodSince !== undefined && clock.now() - goodSince >= calmMs) failures = 0
      goodSince = undefined
      failures += 1
      return failures
    },
  }
}
