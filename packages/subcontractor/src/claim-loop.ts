import { type Clock, wait } from '@contractor/plugin/agent'
import type { ClaimedTask } from '@contractor/plugin/wire'
import type { ClaimRequests } from './claim-requests.ts'
import { type Connection, retryDelayMs } from './connection.ts'
import type { DispatchApi } from './dispatch-api.ts'
import type { Slots } from './slots.ts'

/**
 * Long polls for work. Every module with a free slot is looked after by a poll: one for all of them at first, and a
 * further one for a module that gets free slots while a poll without it is held. A held poll is never broken off for
 * that, because a Task that the server hands out in the reply would be lost until its lease runs out.
 */
export interface ClaimLoop {
  /** To be called whenever slots became free. */
  cover(): void
}

export interface ClaimLoopOptions {
  agent: string
  slots: Slots
  api: DispatchApi
  requests: ClaimRequests
  connection: Connection
  clock: Clock
  random: () => number
  /** Ends all claiming. */
  signal: AbortSignal
  onTasks(tasks: readonly ClaimedTask[]): void
  onFatal(error: unknown): void
}

const longPollMs = 25_000
/** A long poll that comes back empty before this was not held by the server, and is repeated ever more slowly. */
const notHeldMs = 1000

export function createClaimLoop(options: ClaimLoopOptions): ClaimLoop {
  const { agent, slots, api, requests, connection, clock, random, signal, onTasks, onFatal } = options

  function cover(): void {
    const modules = signal.aborted ? [] : slots.uncovered()
    if (modules.length > 0) void pollFor(modules)
  }

  async function pollFor(modules: readonly string[]): Promise<void> {
    const uncover = slots.cover(modules)
    try {
      for (let notHeld = 0, more = true; more; ) {
        const outcome = await connection.retry('claim', () => poll(modules), signal)
        if (outcome === 'not-held') {
          notHeld += 1
          await wait(clock, retryDelayMs(notHeld, random), signal)
        } else if (outcome === 'held') notHeld = 0
        // Else the slots are others than before, and what to poll for is found anew.
        more = outcome === 'held' || outcome === 'not-held' || outcome === 'asked'
      }
    } catch (error) {
      if (!signal.aborted) onFatal(error)
    } finally {
      uncover()
    }
    cover()
  }

  /**
   * One claim. Nothing when no slot is free any more. `asked` when the server was not to hold it, which tells nothing of
   * whether it does: a server that is stopping answers at once, fails, and answers at once again.
   */
  async function poll(modules: readonly string[]): Promise<'worked' | 'held' | 'not-held' | 'asked' | undefined> {
    const offer = slots.offer(modules)
    if (!offer) return undefined
    const sentAt = clock.now()
    // Not held while the server was away or is not known: its answer tells at once that it is there.
    const waitMs = connection.isUp() ? longPollMs : 0
    try {
      const claim = { agent, modules: offer.modules, waitMs }
      const { tasks } = await requests.send(claim, request => api.claim(request, signal))
      offer.takeBack()
      onTasks(tasks)
      if (tasks.length > 0) return 'worked'
    } finally {
      offer.takeBack()
    }
    if (waitMs === 0) return 'asked'
    return clock.now() - sentAt >= notHeldMs ? 'held' : 'not-held'
  }

  return { cover }
}
