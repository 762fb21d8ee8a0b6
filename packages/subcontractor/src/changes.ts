import type { Clock } from '@contractor/plugin/agent'

/** Lets one part wait for a condition that others bring about and tell of. */
export interface Changes {
  tell(): void
  /** Resolves when the condition holds, after `limitMs`, or when the signal is aborted: whichever is first. */
  until(condition: () => boolean, limitMs: number, signal: AbortSignal): Promise<void>
}

export function createChanges(clock: Clock): Changes {
  const waiting = new Set<() => void>()
  return {
    tell() {
      for (const look of [...waiting]) look()
    },
    until(condition, limitMs, signal) {
      return new Promise(resolve => {
        if (condition() || signal.aborted) return resolve()
        const finish = () => {
          cancel()
          waiting.delete(look)
          signal.removeEventListener('abort', finish)
          resolve()
        }
        const look = () => {
          if (condition()) finish()
        }
        const cancel = clock.setTimer(limitMs, finish)
        waiting.add(look)
        signal.addEventListener('abort', finish, { once: true })
      })
    },
  }
}
