import type { ClaimedTask } from '@contractor/plugin/wire'
import type { Engine } from '../../engine/engine.ts'
import type { Claimer } from './claim-tasks.ts'

/**
 * Agents that wait for work. Of those that may have the same, one looks when there may be something, and the next one only
 * once it has found something: 300 that wait cost the database one question, and not 300.
 */
export interface ClaimQueue {
  /** Looks, and looks again until there is something, the time is over, or the signal is aborted. */
  wait(
    claimer: Claimer,
    waitMs: number,
    signal: AbortSignal | undefined,
    look: () => Promise<ClaimedTask[]>,
  ): Promise<ClaimedTask[]>
}

/** How long whoever waits sleeps without looking, in milliseconds: a notification may have been lost. */
const slowPollMs = 5_000

export function createClaimQueue(engine: Engine): ClaimQueue {
  /** By what they may have: those that wait, the one that has waited longest first. */
  const lines = new Map<string, Line>()
  return {
    async wait(claimer, waitMs, signal, look) {
      const waited = new AbortController()
      const ends = [waited.signal, engine.closing, ...(signal ? [signal] : [])]
      const over = AbortSignal.any(ends)
      const first = await look()
      if (first.length || waitMs === 0 || over.aborted) return first
      const line = lineOf(lines, claimer)
      void engine.clock.sleep(waitMs, over).then(() => waited.abort())
      const own = line.enter()
      try {
        // What came between the look and the entering woke nobody here.
        own.isWoken = true
        for (;;) {
          await own.turn(over)
          if (over.aborted) return []
          const tasks = await look()
          if (tasks.length) {
            // There may be more than this one has capacity for.
            line.wakeFirst(own)
            return tasks
          }
        }
      } finally {
        line.leave(own)
        waited.abort()
      }
    },
  }

  function lineOf(all: Map<string, Line>, { agent, capacity }: Claimer): Line {
    const key = JSON.stringify([[...agent.sites].sort(), Object.keys(capacity).sort()])
    const found = all.get(key) ?? createLine(() => all.delete(key))
    all.set(key, found)
    return found
  }

  function createLine(onEmpty: () => void): Line {
    const waiting: Place[] = []
    const over = new AbortController()
    const wakeFirst = (except?: Place) => {
      const next = waiting.find(one => one !== except)
      next?.wake()
    }
    const listen = async () => {
      while (!over.signal.aborted) {
        const heard = engine.notifications.next('task')
        const awake = new AbortController()
        const end = AbortSignal.any([over.signal, engine.closing, awake.signal])
        await Promise.race([heard.promise, engine.clock.sleep(slowPollMs, end)])
        awake.abort()
        heard.cancel()
        if (engine.closing.aborted) return
        wakeFirst()
      }
    }
    return {
      enter() {
        let resolve = () => {}
        const place: Place = {
          isWoken: false,
          wake() {
            place.isWoken = true
            resolve()
          },
          async turn(signal) {
            if (!place.isWoken && !signal.aborted) {
              await new Promise<void>(done => {
                const end = () => {
                  signal.removeEventListener('abort', end)
                  done()
                }
                resolve = end
                signal.addEventListener('abort', end, { once: true })
              })
            }
            place.isWoken = false
          },
        }
        waiting.push(place)
        if (waiting.length === 1) void listen()
        return place
      },
      leave(place) {
        waiting.splice(waiting.indexOf(place), 1)
        // What it was woken for, the next one looks after.
        if (place.isWoken) wakeFirst()
        if (waiting.length) return
        over.abort()
        onEmpty()
      },
      wakeFirst,
    }
  }
}

interface Place {
  isWoken: boolean
  wake(): void
  turn(signal: AbortSignal): Promise<void>
}

interface Line {
  enter(): Place
  leave(place: Place): void
  wakeFirst(except?: Place): void
}
