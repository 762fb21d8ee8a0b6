import type { Clock } from '@contractor/plugin/agent'
import type { ClaimRequest } from '@contractor/plugin/wire'

/**
 * Names every claim, and tells the server of those whose answer did not arrive: what it handed out in answer to them is
 * nobody's, and can be handed out again before its lease has run out. An answer is either taken or declared lost, never
 * both: once a call has failed, nothing of it is taken any more.
 */
export interface ClaimRequests {
  /** Sends a claim as `post` does it. Every attempt is a request of its own, with an id of its own. */
  send<T>(claim: Omit<ClaimRequest, 'id' | 'neverHad'>, post: (claim: ClaimRequest) => Promise<T>): Promise<T>
}

/** By then no server works on a request any more whose answer nobody waits for. */
const toldForMs = 120_000
/** As many as a claim may hold. */
const mostLost = 1000

export function createClaimRequests({ clock, newId }: { clock: Clock; newId: () => string }): ClaimRequests {
  /** In the order in which they failed. */
  const lost = new Map<string, { readonly failedAt: number; told: boolean }>()

  /** An id is done with when the server has surely heard of it, and can no longer come to know of the request itself. */
  function forgetOld(): void {
    for (const [id, { failedAt, told }] of lost) if (told && clock.now() - failedAt >= toldForMs) lost.delete(id)
  }

  return {
    async send(claim, post) {
      forgetOld()
      const id = newId()
      const neverHad = [...lost.keys()]
      try {
        const reply = await post({ ...claim, id, ...(neverHad.length > 0 && { neverHad }) })
        for (const other of neverHad) {
          const entry = lost.get(other)
          if (entry) entry.told = true
        }
        return reply
      } catch (error) {
        lost.set(id, { failedAt: clock.now(), told: false })
        const [oldest] = lost.keys()
        if (lost.size > mostLost && oldest !== undefined) lost.delete(oldest)
        throw error
      }
    },
  }
}
